"""What is held above a clip that is open: the window says what dropping it does."""

from __future__ import annotations

import shutil
from pathlib import Path

from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PyQt6.QtWidgets import QApplication, QWidget

from tests.gui.conftest import App

COPY, LEFT = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


def files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def enter(widget: QWidget, data: QMimeData) -> None:
    place = widget.rect().center()
    QApplication.sendEvent(widget, QDragEnterEvent(place, COPY, data, LEFT, NONE))


def test_over_an_open_clip_is_said_what_dropping_does_until_the_drag_leaves(
    ready: App, tmp_path: Path
) -> None:
    window, overlay = ready.window, ready.window.drop_overlay
    canvas = window.views.viewer.canvas
    other, project = files(tmp_path / "other.mp4"), files(tmp_path / "mine.fresco")
    before = canvas.grab().toImage()

    enter(canvas, other)
    assert overlay.isVisible()
    assert overlay.title == "Drop to open other.mp4"
    assert "clip.mp4" in overlay.detail
    assert overlay.rect().contains(overlay.mapFrom(window, canvas.mapTo(window, canvas.pos())))
    assert window.grab().toImage() != before
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert not overlay.isVisible()

    enter(window, project)
    assert overlay.title == "Drop to open the project mine.fresco"
    QApplication.sendEvent(window, QDropEvent(QPointF(9, 9), COPY, project, LEFT, NONE))
    assert not overlay.isVisible()
    ready.wait("it to be told", lambda: window.views.problems.problem)


def test_what_is_dropped_is_copied_so_that_nobody_deletes_it(ready: App, clip: Path) -> None:
    either = COPY | Qt.DropAction.MoveAction
    data = files(clip)
    events = (
        QDragEnterEvent(ready.window.rect().center(), either, data, LEFT, NONE),
        QDropEvent(QPointF(9, 9), either, data, LEFT, NONE),
    )
    for event in events:
        event.setDropAction(Qt.DropAction.MoveAction)
        event.ignore()

        QApplication.sendEvent(ready.window, event)

        assert event.isAccepted()
        assert event.dropAction() is COPY


def test_words_that_are_dragged_bring_no_overlay(ready: App) -> None:
    words = QMimeData()
    words.setText("in ink")

    enter(ready.window, words)

    assert not ready.window.drop_overlay.isVisible()


def test_of_what_a_camera_lays_beside_a_clip_the_clip_is_opened(
    ready: App, clip: Path, tmp_path: Path
) -> None:
    window, card = ready.window, tmp_path / "card"
    card.mkdir()
    video = Path(shutil.copy(clip, card / "C0001.MP4"))
    for name in ("A0001M01.XML", "C0001.THM", "B.jpg"):
        (card / name).write_text("beside it")
    dragged = files(*sorted(card.iterdir()))

    enter(window, dragged)
    assert window.drop_overlay.title == "Drop to open C0001.MP4"
    assert "Of 4 files only this one is opened." in window.drop_overlay.detail
    QApplication.sendEvent(window, QDropEvent(QPointF(9, 9), COPY, dragged, LEFT, NONE))

    ready.wait("it to be open", lambda: ready.controller.project_store.project.clip == str(video))
    assert not ready.problems


def test_the_root_of_a_disk_is_named_where_it_cannot_be_shown(ready: App) -> None:
    root = files(Path("/"))

    enter(ready.window, root)
    assert ready.window.drop_overlay.title == "Drop to open /"
    QApplication.sendEvent(ready.window, QDropEvent(QPointF(9, 9), COPY, root, LEFT, NONE))

    ready.wait("it to be told", lambda: ready.problems)
    assert ready.problems[0].message.startswith("/ cannot be shown: ")
