"""Nothing is lost: what was changed is undone, and what was made stays to be seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from fresco_client import Job, JobState
from fresco_gui.inspector.fields import SliderField
from fresco_gui.media.pictures import read_pixels_of
from fresco_gui.project.document import load
from fresco_gui.timeline import KeyframeState
from fresco_gui.timeline.painting import RULER_PX, THUMBNAIL_PX
from fresco_gui.viewer import ViewMode
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QImage, QTextCursor
from PyQt6.QtWidgets import QFileDialog, QPlainTextEdit

from tests.gui.conftest import PATIENCE_MS, App, choice_of
from tests.integration.daemons import DaemonProcess

StartDaemon = Callable[..., DaemonProcess]
FORMAT = QImage.Format.Format_RGB32
ENDS = ((3, 4), (4, 5))
"""Eighths of the canvas, left and right of its middle."""


def is_black(app: App) -> bool:
    """Whether the canvas shows little else than its ground where a picture ought to be."""
    canvas = app.window.views.viewer.canvas
    pixels = read_pixels_of(canvas.grab().toImage().convertToFormat(FORMAT))
    middle = pixels[pixels.shape[0] // 4 : -pixels.shape[0] // 4]
    left, right = (middle[:, middle.shape[1] * a // 8 : middle.shape[1] * b // 8] for a, b in ENDS)
    return min(float(left[..., :3].std()), float(right[..., :3].std())) < 3


def held(app: App, tmp_path: Path) -> Path:
    """Where a file lets the daemon's worker make frames."""
    return tmp_path / "go"


@pytest.fixture
def restyled(app: App, start_daemon: StartDaemon, clip: Path, tmp_path: Path) -> App:
    """A finished result; what is made from now on waits for the file "go"."""
    go = held(app, tmp_path)
    go.touch()
    app.connect(start_daemon("--frames-after", str(go)))
    app.open(clip)
    app.write_prompt("ink")
    app.restyle()
    app.wait_for_next(1)
    app.wait("rerolls to be possible", app.window.commands.reroll.isEnabled)
    go.unlink()
    return app


def shows_result_at(app: App, index: int) -> bool:
    canvas = app.window.views.viewer.canvas
    return canvas.shown is not None and (
        canvas.shown.scene.index == index and canvas.shown.scene.result is not None
    )


@pytest.mark.parametrize("keys", ["R", "Del"])
def test_what_is_changed_stays_on_screen_while_it_is_made_anew_and_only_that_is_greyed(
    restyled: App, keys: str
) -> None:
    viewer, display = restyled.window.views.viewer, restyled.window.display
    viewer.set_frame(10)
    restyled.wait("the result", lambda: shows_result_at(restyled, 10))

    restyled.press(keys)
    restyled.wait(
        "the second job", lambda: len(restyled.controller.project_store.project.made) == 2
    )
    restyled.wait("the greyed frames", lambda: display.pending)

    assert display.pending == set(range(6, 15))
    for index, is_faded in ((10, True), (2, False), (30, False)):
        viewer.set_frame(index)
        restyled.wait(f"frame {index}", lambda index=index: shows_result_at(restyled, index))
        restyled.wait("its note", lambda is_faded=is_faded: viewer.canvas.note.is_faded is is_faded)
        assert not is_black(restyled)


def test_a_reroll_that_is_cancelled_leaves_the_result_before(restyled: App) -> None:
    project = restyled.controller.project_store
    before = project.project.made[0]
    restyled.window.views.viewer.set_frame(10)
    restyled.press("R")
    restyled.wait("the second job", lambda: len(project.project.made) == 2)
    job = restyled.wait("it", restyled.controller.shown_job.job)

    restyled.controller.jobs.cancel(job)
    restyled.wait("the first to be shown", lambda: project.project.made == (before,))

    restyled.wait("it to be open", lambda: restyled.window.display.has_whole_result)
    restyled.wait("its frame", lambda: shows_result_at(restyled, 10))
    assert restyled.window.display.pending == set()
    assert not restyled.window.views.viewer.canvas.note.is_faded
    assert restyled.window.commands.redo.isEnabled()
    states = restyled.window.views.filmstrip.content.keyframes
    restyled.wait("its keyframes", lambda: set(states.values()) == {KeyframeState.DONE})


def test_ctrl_z_goes_back_to_the_version_before_and_ctrl_shift_z_to_the_newer_one(
    restyled: App, tmp_path: Path
) -> None:
    project, bot = restyled.controller.project_store, restyled.bot
    first = project.project.made[0].job_id
    restyled.window.views.viewer.set_frame(10)
    restyled.press("Del")
    held(restyled, tmp_path).touch()
    second = restyled.wait_for_next(2).id
    assert restyled.window.commands.undo.text() == "Undo: keyframe 10 removed"
    assert restyled.window.display.plan is not None
    assert 10 not in restyled.window.display.plan.keyframes

    bot.keyClick(restyled.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    restyled.wait("the first version", lambda: restyled.controller.shown_job.job_id == first)
    restyled.wait("its file", lambda: restyled.window.display.has_whole_result)
    restyled.wait("its keyframe", lambda: 10 in restyled.window.display.plan.keyframes)  # type: ignore[union-attr]
    assert project.project.made[0].job_id == first

    restyled.press("Ctrl+Shift+Z")
    restyled.wait("the second version", lambda: restyled.controller.shown_job.job_id == second)
    restyled.wait("its file", lambda: restyled.window.display.has_whole_result)
    assert {one.job_id for one in project.project.made} == {first, second}


def test_undoing_what_is_still_made_gives_it_up_and_doing_it_again_makes_it(
    restyled: App, tmp_path: Path
) -> None:
    project = restyled.controller.project_store
    first = project.project.made[0].job_id
    restyled.window.views.viewer.set_frame(10)
    restyled.press("Del")
    restyled.wait("the second job", lambda: len(project.project.made) == 2)
    given_up = project.project.made[0].job_id

    restyled.press("Ctrl+Z")
    restyled.wait("the first version", lambda: restyled.controller.shown_job.job_id == first)
    restyled.wait(
        "the other to be given up",
        lambda: (
            (job := restyled.controller.jobs.model.job(given_up)) is not None
            and job.state is JobState.CANCELLED
        ),
    )
    held(restyled, tmp_path).touch()
    restyled.press("Ctrl+Shift+Z")
    job = restyled.wait_for_next(2)

    assert 10 not in job.plan.keyframes
    assert given_up not in {one.job_id for one in project.project.made}


def test_a_list_of_jobs_that_was_asked_for_before_takes_no_new_job_away(
    restyled: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, project = restyled.controller.jobs, restyled.controller.project_store
    session = restyled.controller.daemon.session
    assert session is not None
    list_now, is_asked, may_answer = session.jobs, Event(), Event()

    def list_late() -> list[Job]:
        found = list(list_now())
        is_asked.set()
        assert may_answer.wait(PATIENCE_MS / 1000)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(session, "jobs", list_late)
        restyled.wait("no list to be on its way", lambda: jobs.refresh() or is_asked.is_set())
    restyled.window.views.viewer.set_frame(10)
    restyled.press("R")
    restyled.wait("the second job", lambda: len(project.project.made) == 2)
    made = project.project.made[0].job_id
    lacking: list[bool] = []
    jobs.model.refreshed.connect(lambda: lacking.append(jobs.model.job(made) is None))

    may_answer.set()
    restyled.wait("the list", lambda: lacking)

    assert lacking[0] is False


def test_settings_range_and_locks_are_undone_one_by_one_and_done_again(done: App) -> None:
    window, project = done.window, done.controller.project_store
    edit = window.views.inspector.form.findChild(QPlainTextEdit)
    assert edit is not None
    # In one go: between single keys a busy machine may pause as one who thinks does.
    edit.moveCursor(QTextCursor.MoveOperation.End)
    edit.insertPlainText(" and water")
    window.views.viewer.set_range(3, 20)
    done.press("Ctrl+K")
    assert project.project.values["prompt"] == "ink and water"
    assert project.project.locked == (0,)

    edit.setFocus()
    undo = (Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    done.bot.keyClick(edit, *undo)
    assert project.project.locked == ()
    done.bot.keyClick(edit, *undo)
    assert project.project.range_in is None
    assert window.views.viewer.range is None
    done.bot.keyClick(edit, *undo)
    assert project.project.values["prompt"] == "ink"
    assert window.views.inspector.values()["prompt"] == "ink"

    for _ in range(3):
        done.press("Ctrl+Shift+Z")
    assert project.project.values["prompt"] == edit.toPlainText() == "ink and water"
    assert window.views.viewer.range == (3, 20)
    assert project.project.locked == (0,)


def test_dragging_what_is_dragged_and_typing_what_is_typed_is_one_step_each(ready: App) -> None:
    window, store, bot = ready.window, ready.controller.project_store, ready.bot
    strip, viewer = window.views.filmstrip, window.views.viewer
    row, left = RULER_PX + THUMBNAIL_PX // 2, Qt.MouseButton.LeftButton
    strength = window.views.inspector.form.field("strength")
    assert isinstance(strength, SliderField)

    def handle(index: int) -> QPoint:
        return QPoint(round(strip.scale.x(index)), row)

    for begin, ways in ((0, (5, 9, 12)), (40, (35, 30))):
        bot.mousePress(strip, left, pos=handle(begin))
        for way in ways:
            bot.mouseMove(strip, handle(way))
        bot.mouseRelease(strip, left, pos=handle(ways[-1]))
    viewer.set_frame(14)
    ready.press("I")
    viewer.set_frame(20)
    ready.press("O")
    assert viewer.range == (14, 20)
    for value in (70, 66, 60):
        strength.slider.setValue(value)
    assert store.history.count() == 3  # with the prompt that was there before

    ready.press("Ctrl+Z")
    assert "strength" not in store.project.values
    assert viewer.range == (14, 20)
    ready.press("Ctrl+Z")
    assert viewer.range is None
    ready.press("Ctrl+Shift+Z")
    ready.press("Ctrl+Shift+Z")
    assert viewer.range == (14, 20)
    assert store.project.values["strength"] == 0.6


def test_ctrl_s_saves_where_the_project_is_and_asks_only_the_first_time(
    ready: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, asked = tmp_path / "mine.fresco", list[str]()

    def ask(*_: object) -> tuple[str, str]:
        asked.append("where")
        return str(place), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    assert ready.window.windowTitle().startswith("clip.mp4")

    ready.press("Ctrl+S")
    assert place.exists()
    assert ready.window.windowTitle() == "mine.fresco[*] — Fresco"
    ready.write_prompt("ink and water")
    assert ready.window.isWindowModified()
    ready.press("Ctrl+S")

    assert asked == ["where"]
    assert not ready.window.isWindowModified()
    assert "ink and water" in place.read_text("utf-8")


# The viewer


def test_the_viewer_never_changes_its_mode_by_itself_nor_goes_black_while_a_job_runs(
    app: App, start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    go = held(app, tmp_path)
    app.connect(start_daemon("--frames-after", str(go)))
    app.open(clip)
    app.write_prompt("ink")
    viewer = app.window.views.viewer
    app.press("2")
    told: list[ViewMode] = []
    viewer.mode_changed.connect(told.append)
    viewer.set_frame(22)
    app.wait("the frame", lambda: (s := viewer.canvas.shown) is not None and s.scene.index == 22)

    app.restyle()
    app.wait("a keyframe", lambda: app.is_job(JobState.INTERPOLATING))
    app.wait("a stand-in", lambda: "keyframe" in viewer.canvas.note.badge)
    assert not is_black(app)
    assert viewer.mode is ViewMode.RESULT

    go.touch()
    app.wait_for_next(1)
    app.wait("the frame", lambda: shows_result_at(app, 22) and not viewer.canvas.note.badge)
    assert told == []


def test_pictures_of_keyframes_are_there_again_after_switching_jobs_and_reopening(
    make_app: Callable[[], App], start_daemon: StartDaemon, clip: Path
) -> None:
    app = make_app()
    daemon = start_daemon()
    app.connect(daemon)
    app.open(clip)
    app.write_prompt("ink")
    app.restyle()
    first = app.wait_for_next(1)
    app.wait("rerolls to be possible", app.window.commands.reroll.isEnabled)
    app.window.views.viewer.set_frame(10)
    app.press("R")
    app.wait_for_next(2)
    strip, keys = app.window.views.filmstrip, set(first.plan.keyframes)
    app.window.views.jobs.opened.emit(app.controller.jobs.model.job(first.id))
    app.wait("the first job", lambda: app.controller.shown_job.job_id == first.id)
    app.wait("its keyframes", lambda: set(strip.content.images) == keys)
    app.window.close()
    daemon.stop_whatever()

    again = make_app()
    again.window.start(None, choice_of(daemon))
    strip = again.window.views.filmstrip
    again.wait("its keyframes, without a daemon", lambda: set(strip.content.images) == keys)
    assert set(strip.content.keyframes.values()) == {KeyframeState.DONE}


def test_cancelling_what_has_ended_meanwhile_is_no_problem(done: App) -> None:
    job = done.controller.shown_job.job()
    assert job is not None
    asked: list[object] = []
    done.controller.jobs.model.refreshed.connect(lambda: asked.append("listed"))
    done.controller.jobs.stop()
    done.controller.jobs.refresh()
    done.wait("the last list that comes by itself", lambda: asked)
    asked.clear()

    done.controller.jobs.cancel(job)

    done.wait("the list to be asked for", lambda: asked)
    assert done.problems == []


@pytest.mark.parametrize(
    ("content", "is_taken"),
    [
        ('{"fresco_project": 99, "values": {"prompt": "mine"}}', False),
        ('{"values": {"prompt":,}}', True),
    ],
    ids=["newer", "damaged"],
)
def test_an_autosaved_project_that_cannot_be_read_is_kept(
    app: App, start_daemon: StartDaemon, clip: Path, content: str, is_taken: bool
) -> None:
    app.connect(start_daemon())
    store = app.controller.project_store
    place = store.autosaved_path(clip)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(content, encoding="utf-8")
    others = [place.with_stem(f"{place.stem} (unread {number})") for number in (1, 2)]
    if is_taken:
        others[0].write_text("earlier", encoding="utf-8")

    app.open(clip)
    app.write_prompt("ink")
    store.save()

    kept = others[int(is_taken)]
    assert kept.read_text(encoding="utf-8") == content
    assert load(place).values["prompt"] == "ink"
    assert not is_taken or others[0].read_text(encoding="utf-8") == "earlier"
    assert any(f"What it held is kept as {kept}." in one.message for one in app.problems)
