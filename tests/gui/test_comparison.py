"""A and B: each the clip or any result of it, in every way of comparing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fresco_gui.comparison import Sides
from fresco_gui.jobs.model import SIDE_ROLE
from fresco_gui.media.pictures import read_pixels_of
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QImage

from tests.gui.conftest import App, choice_of
from tests.integration.daemons import DaemonProcess

FIRST, LAST = 3, 20
"""Of the second result."""


def scene_of(app: App, index: int) -> tuple[QImage, QImage | None] | None:
    """What A and B show of a frame, once both are drawn."""
    shown = app.window.views.viewer.canvas.shown
    if shown is None or shown.scene.index != index or shown.scene.source is None:
        return None
    return shown.scene.source, shown.scene.result


def seen(app: App, index: int) -> str:
    """What A and B are seen to be, "c" for the clip and "n" for its negative; "" not yet."""
    scene, source = scene_of(app, index), app.window.display.source
    assert source is not None
    clip = source.peek(index)
    if scene is None or clip is None:
        return ""
    level = levels(clip)
    return "".join(
        "c" if abs(levels(one) - level) < abs(levels(one) + level - 255) else "n"
        for one in scene
        if one is not None
    )


def levels(image: QImage) -> float:
    return float(read_pixels_of(image)[..., :3].mean())


def sides(app: App) -> list[object]:
    """The marks in the list of jobs, the newest first."""
    model = app.controller.jobs.model
    return [model.data(model.index(row), SIDE_ROLE) for row in range(len(model.jobs))]


@pytest.fixture
def two(done: App) -> App:
    """A result of the whole clip, and above it one of a part."""
    field = done.window.views.inspector.form.field("strength")
    assert field is not None
    field.set_value(0.4)
    field.changed.emit()
    done.window.views.viewer.set_range(FIRST, LAST)
    done.restyle()
    done.wait_for_next(2)
    done.wait("both in the list", lambda: len(done.controller.jobs.model.jobs) == 2)
    done.window.window_layout.show_jobs()
    done.window.views.viewer.set_frame(10)
    return done


def test_two_results_are_a_and_b_by_the_list_and_each_says_what_it_is(two: App) -> None:
    window, canvas = two.window, two.window.views.viewer.canvas
    panel, model = window.views.jobs, two.controller.jobs.model
    assert sides(two) == ["B", ""]
    two.press("S")
    two.wait("clip and result", lambda: "source" in canvas.first_note.name)

    older = model.jobs[1]
    (entry,) = [one for one in panel.menu_for(older).actions() if one.text() == "See as A"]
    entry.trigger()

    two.wait("two negatives", lambda: seen(two, 10) == "nn")
    assert sides(two) == ["B", "A"]
    assert canvas.first_note.name == "A ink"
    assert canvas.note.name == "B ink, 0.4"
    assert panel.sides.text() == "A  ink\nB  ink, 0.4"

    # Their difference is one of two negatives.
    two.press("D")
    two.wait("the difference", lambda: canvas.shown and canvas.shown.scene.mode.is_mixed)
    assert canvas.shown is not None
    assert canvas.shown.source is not None
    assert levels(canvas.shown.source) < 20

    # By keys: swapped, then clip and result again.
    two.press("X")
    two.wait("them swapped", lambda: sides(two) == ["A", "B"])
    assert two.controller.shown_job.job_id == older.id
    two.press("0")
    two.wait("the clip", lambda: canvas.first_note.name == "A source")
    assert sides(two) == ["", "B"]
    assert not window.commands.reset_sides.isEnabled()


def test_where_one_has_no_frame_the_clip_stands_in_and_a_badge_says_so(two: App) -> None:
    window, canvas = two.window, two.window.views.viewer.canvas
    window.views.jobs.put_a.emit(two.controller.jobs.model.jobs[1])
    window.views.viewer.set_frame(30)
    two.wait("the badge", lambda: canvas.note.badge == "Not in this result")
    two.wait("result and clip", lambda: seen(two, 30) == "nc")
    assert canvas.first_note.badge == ""

    two.press("X")
    two.wait("it as A", lambda: canvas.first_note.badge == "Not in this result")
    two.wait("clip and result", lambda: seen(two, 30) == "cn")
    assert canvas.note.badge == ""
    two.press("D")
    two.wait("no difference from what stands in", lambda: canvas.note.badge)
    two.wait("the clip alone", lambda: seen(two, 30) == "c")


def test_the_clip_is_held_up_whatever_a_is_and_a_and_clip_change_places(two: App) -> None:
    window, canvas = two.window, two.window.views.viewer.canvas
    two.press("W")
    two.press("X")
    two.wait("the result as A", lambda: canvas.first_note.name == "A ink, 0.4")
    assert canvas.note.name == "B source"
    assert sides(two) == ["A", ""]
    two.wait("result and clip", lambda: seen(two, 10) == "nc")

    two.bot.keyPress(canvas, Qt.Key.Key_C)
    two.wait("the clip", lambda: seen(two, 10) == "c")
    assert canvas.first_note.name == "Source"
    two.bot.keyRelease(canvas, Qt.Key.Key_C)
    two.wait("both again", lambda: seen(two, 10) == "nc")

    # A click in the list shows a job as B, and what was A stays.
    window.views.jobs.opened.emit(two.controller.jobs.model.jobs[1])
    two.wait("the other as B", lambda: sides(two) == ["A", "B"])


def test_what_is_compared_is_compared_again_after_reopening_without_a_daemon(
    make_app: Callable[[], App], start_daemon: Callable[..., DaemonProcess], clip: Path
) -> None:
    app = make_app()
    daemon = start_daemon()
    app.connect(daemon)
    app.open(clip)
    app.write_prompt("ink")
    for count in (1, 2):
        app.restyle()
        app.wait_for_next(count)
    older = app.controller.project_store.project.made[1].job_id
    app.window.views.jobs.put_a.emit(app.controller.jobs.model.job(older))
    assert app.window.comparison.sides.a == older
    app.window.close()
    daemon.stop_whatever()

    again = make_app()
    again.window.start(None, choice_of(daemon))
    again.wait("the result", lambda: again.window.display.has_whole_result)

    assert again.window.comparison.sides.a == older
    again.wait("two results", lambda: seen(again, again.window.views.viewer.frame) == "nn")


def test_what_is_put_where_the_other_is_changes_places_with_it() -> None:
    both = Sides("one", "two")

    assert both.with_a("two") == both.with_b("one") == Sides("two", "one")
    assert both.with_a("three") == Sides("three", "two")
    assert Sides("", "two").swapped == Sides("two", "")


def test_the_keys_for_a_and_b_work_from_the_list_of_jobs(two: App) -> None:
    panel, model = two.window.views.jobs, two.controller.jobs.model
    panel.list.setFocus()
    panel.list.setCurrentIndex(model.index(1))
    names = [one.objectName() for one in two.window.findChildren(QAction)]
    assert {"put_a", "put_b", "swap", "reset_sides"} <= set(names)

    two.bot.keyClick(panel.list, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    two.wait("it as A", lambda: sides(two) == ["B", "A"])
    two.bot.keyClick(panel.list, Qt.Key.Key_0)
    two.wait("the clip as A", lambda: sides(two) == ["B", ""])
