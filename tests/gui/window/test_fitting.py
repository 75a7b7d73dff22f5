"""The window at the sizes people have, by keyboard alone, and jobs that can be told apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fresco_client import JobState
from fresco_gui.jobs.model import BEFORE_ROLE, FACTS_ROLE, PICTURE_ROLE, SIDE_ROLE
from fresco_gui.media.pictures import read_pixels_of
from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QFileDialog, QMessageBox, QPlainTextEdit, QPushButton, QWidget

from tests.gui.conftest import App, answer
from tests.integration.daemons import DaemonProcess

AT_150, AT_200 = 1600 * 100 // 150, 1600 * 100 // 200
"""Pixels of Qt's that a screen of 1600 has at these percents."""


def mean(image: QImage) -> float:
    """Of all values of a picture."""
    return float(read_pixels_of(image.convertToFormat(QImage.Format.Format_RGB32))[..., :3].mean())


def is_whole(app: App, widget: QWidget) -> bool:
    """Whether all of it lies inside the window."""
    window = app.window
    place = widget.rect().translated(widget.mapTo(window, QPoint(0, 0)))
    return widget.isVisible() and window.rect().contains(place)


def test_everything_that_is_needed_fits(done: App) -> None:
    window, label = done.window, done.window.views.viewer.bar.time_label
    inspector = window.views.inspector
    assert window.minimumSizeHint().width() <= AT_200
    for size in ((1280, 720), (AT_150, 660), (AT_200, 500)):
        window.resize(*size)
        done.wait("the size", lambda size=size: (window.width(), window.height()) == size)
        done.bot.wait(50)

        for needed in (inspector.restyle_button, inspector.look_button, window.views.jobs, label):
            assert is_whole(done, needed), (size, needed)
        assert label.text().startswith("0 / 39")
        # The frame, and the time beside or below it.
        assert label.contentsRect().width() >= label.fontMetrics().horizontalAdvance("00:00:00:00")


def test_jobs_say_what_is_another_than_before_and_a_click_shows_one(done: App) -> None:
    window, model = done.window, done.controller.jobs.model
    first = done.controller.shown_job.job_id
    done.window.views.viewer.set_frame(10)
    done.press("R")
    done.wait_for_next(2)
    field = window.views.inspector.form.field("strength")
    assert field is not None
    field.set_value(0.4)
    field.changed.emit()
    window.views.viewer.set_range(3, 20)
    done.restyle()
    done.wait_for_next(3)
    done.wait("all of them", lambda: len(model.jobs) == 3)

    def told(role: int) -> list[object]:
        return [model.data(model.index(row), role) for row in range(3)]

    facts = [str(one) for one in told(FACTS_ROLE)]
    assert "strength 0.4" in facts[0]
    assert "frames 3 to 20" in facts[0]
    assert "keyframe 10 anew" in facts[1]
    assert len(set(facts)) == 3
    done.wait("pictures", lambda: all(isinstance(one, QImage) for one in told(PICTURE_ROLE)))
    for before, after in zip(told(BEFORE_ROLE), told(PICTURE_ROLE), strict=True):
        assert isinstance(before, QImage)
        assert isinstance(after, QImage)
        assert abs(mean(before) + mean(after) - 255) < 3  # what is made here are negatives
    assert told(SIDE_ROLE) == ["B", "", ""]

    window.window_layout.show_jobs()
    rows = window.views.jobs.list
    place = rows.visualRect(model.index(2)).center()
    done.bot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)

    done.wait("the first job", lambda: done.controller.shown_job.job_id == first)
    done.wait("the mark", lambda: told(SIDE_ROLE) == ["", "", "B"])


def test_return_does_not_cancel_a_job_that_was_asked_about(
    app: App, start_daemon: Callable[..., DaemonProcess], clip: Path
) -> None:
    app.connect(start_daemon("--step-s", "0.1"))
    app.open(clip)
    app.write_prompt("ink")
    app.restyle()
    app.wait("it to run", lambda: app.is_job(JobState.TRANSLATING))

    def press_return(box: QMessageBox) -> None:
        app.bot.keyClick(box, Qt.Key.Key_Return)

    answer(QMessageBox, press_return)
    app.press("Esc")

    assert app.wait_for_result().exists()


def test_a_result_is_exported_from_the_line_above_it_and_a_frame_is_saved(
    done: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar = done.window.views.result
    assert bar.isVisible()
    assert bar.export.isVisible()
    assert "frames 0 to 39" in bar.text.text()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "one.png"), ""))
    viewer = done.window.views.viewer
    viewer.set_frame(7)
    done.wait(
        "the frame",
        lambda: (
            (shown := viewer.canvas.shown) is not None
            and shown.scene.index == 7
            and shown.scene.result is not None
        ),
    )

    done.press("Ctrl+Alt+E")

    saved = QImage(str(tmp_path / "one.png"))
    assert (saved.width(), saved.height()) == (80, 64)
    assert bar.reveal.isVisible()
    assert bar.text.text() == "Saved: one.png"
    assert bar.export.isVisible()
    assert not bar.play.isVisible()


def test_tab_goes_through_the_window_as_one_reads(ready: App) -> None:
    window, seen = ready.window, list[QWidget | None]()
    window.views.sheet.refresh.setFocus()
    for _ in range(60):
        focus = window.focusWidget()
        seen.append(focus)
        assert focus is not None
        ready.bot.keyClick(focus, Qt.Key.Key_Tab)
    inspector = window.views.inspector
    style, strength = inspector.form.field("style"), inspector.form.field("strength")
    assert style is not None
    assert strength is not None
    wanted = [
        window.views.sheet.refresh,
        window.views.viewer.canvas,
        window.views.filmstrip,
        inspector.model_box,
        style.input,
        strength.input,
    ]

    places = [seen.index(one) for one in wanted]
    assert places == sorted(places)


def test_a_second_click_where_a_job_was_begun_does_not_cancel_it(
    app: App, start_daemon: Callable[..., DaemonProcess], clip: Path
) -> None:
    app.connect(start_daemon("--step-s", "0.1"))
    app.open(clip)
    app.write_prompt("ink")
    window = app.window
    place = window.views.sheet.restyle.mapTo(window, window.views.sheet.restyle.rect().center())
    window.views.sheet.restyle.click()
    app.wait("it to run", lambda: app.is_job(JobState.TRANSLATING))

    below = window.childAt(place)
    assert isinstance(below, QPushButton)
    below.click()
    assert app.is_job(JobState.TRANSLATING)

    def say_no(box: QMessageBox) -> None:
        app.bot.keyClick(box, Qt.Key.Key_Return)

    answer(QMessageBox, say_no)
    job = app.controller.shown_job.job()
    window.views.jobs.cancelled.emit(job)

    assert app.wait_for_result().exists()


def test_no_frame_is_offered_in_every_look_without_a_clip(
    app: App, start_daemon: Callable[..., DaemonProcess], clip: Path
) -> None:
    sheet = app.window.views.sheet
    app.connect(start_daemon())
    assert not sheet.refresh.isEnabled()

    app.open(clip)
    assert sheet.refresh.isEnabled()

    app.press("Ctrl+W")
    assert not sheet.refresh.isEnabled()


def test_a_label_stands_beside_the_first_line_of_its_field(ready: App) -> None:
    form = ready.window.views.inspector.form
    style = form.field("style")
    assert style is not None
    style.set_value("watercolour")  # with the lines below it that mix another one with it
    ready.bot.wait(20)

    def middle_of(widget: QWidget) -> int:
        return widget.mapTo(form, widget.rect().center()).y()

    assert style.height() > 2 * style.input.height()
    for label in form.first_labels:
        beside = label.buddy()
        assert beside is not None
        is_above = isinstance(beside, QPlainTextEdit)
        assert is_above or abs(middle_of(label) - middle_of(beside)) <= 2, label.text()


def test_the_row_that_was_clicked_is_read_like_the_others(done: App) -> None:
    rows, model = done.window.views.jobs.list, done.controller.jobs.model
    done.window.window_layout.show_jobs()
    done.wait("the mark", lambda: model.data(model.index(0), SIDE_ROLE) == "B")
    row, viewport = rows.visualRect(model.index(0)), rows.viewport()
    assert viewport is not None

    def seen() -> QImage:
        return viewport.grab(row).toImage()

    done.window.views.inspector.restyle_button.setFocus()
    before = mean(seen())
    done.bot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=row.center())
    done.wait("the list to have the focus", rows.hasFocus)

    # The ring adds little; a row that is filled becomes another one.
    assert abs(mean(seen()) - before) < 12


@pytest.mark.parametrize("width", [1280, 1600])
def test_what_is_said_of_the_words_is_never_cut(ready: App, width: int) -> None:
    ready.window.resize(width, 900)
    form = ready.window.views.inspector.form
    said = "this model knows looks, not things, and none of these words calls for a look " * 4

    for text in (said, "short"):
        form.show_words(text)
        ready.bot.wait(200)
        room = QRect(0, 0, form.words.contentsRect().width(), 10_000)
        metrics = form.words.fontMetrics()
        needed = metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, form.words.text()).height()
        assert needed <= form.words.height() <= needed + metrics.lineSpacing()


def test_the_zoom_is_that_of_the_picture_when_a_line_above_it_comes_or_goes(done: App) -> None:
    viewer, bar = done.window.views.viewer, done.window.views.result

    def is_told() -> bool:
        return f"{viewer.canvas.scale * 100:.0f} %" in viewer.bar.zoom_label.text()

    assert bar.isVisible()
    done.wait("the zoom", is_told)
    before = viewer.canvas.scale
    done.bot.mouseClick(bar.dismiss, Qt.MouseButton.LeftButton)
    done.wait("a larger picture", lambda: viewer.canvas.scale > before)

    assert is_told()
