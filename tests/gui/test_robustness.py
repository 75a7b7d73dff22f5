"""The window survives what happens around it, and nothing a user waited for is lost."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from fresco_client import JobState
from fresco_gui.daemon.watcher import DaemonState
from fresco_gui.export import ExportKind, ExportOptions
from fresco_gui.preferences.stored import DaemonChoice
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication, QMessageBox

from tests.gui.conftest import App, kill, stop
from tests.integration.daemons import DaemonProcess

StartDaemon = Callable[..., DaemonProcess]
SLOW = ("--step-s", "0.1", "--frame-s", "0.05")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip of its own for a test that takes it away."""
    from tests.engine.conftest import scene, write_clip

    folder = tmp_path / "clips"
    folder.mkdir()
    return write_clip(folder / "a clip é.mp4", scene(40, cut_at=26))


def started(app: App, daemon: DaemonProcess, clip: Path) -> None:
    """A restyle is going on in the window."""
    app.connect(daemon)
    app.open(clip)
    app.write_prompt("a watercolour")
    app.restyle()


def test_a_job_goes_on_in_the_window_after_the_daemon_was_killed_and_restarted(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    daemon = start_daemon(*SLOW)
    started(app, daemon, clip)
    app.wait("a keyframe", lambda: (app.controller.shown_job.job() or _none()).ready_keyframes)

    daemon.kill()
    app.wait("it to be missed", lambda: app.controller.daemon.state is DaemonState.RECONNECTING)
    assert app.window.isVisible()
    daemon.start()
    app.wait("it to be found again", lambda: app.controller.daemon.state.is_connected)
    result = app.wait_for_result()

    assert result.stat().st_size > 0
    job = app.wait("the job's end", lambda: _done(app))
    assert job.ready_frames == 40


def _none() -> Any:
    class Nothing:
        ready_keyframes = ()

    return Nothing()


def _done(app: App) -> Any:
    job = app.controller.shown_job.job()
    return job if job is not None and job.state is JobState.DONE else None


def test_a_crashed_daemon_is_started_again_by_the_window(
    app: App, tmp_path: Path, clip: Path
) -> None:
    command = (sys.executable, "-m", "fresco_cli")
    choice = DaemonChoice(data=tmp_path / "own" / "data", command=command)
    app.window.start(None, choice)
    app.wait("the daemon to be started", lambda: app.controller.daemon.state.is_connected)
    view = app.wait("what it is", lambda: app.controller.daemon.view)
    first = DaemonProcess(tmp_path / "own" / "data")

    kill(view.server.process_id)
    app.wait(
        "another daemon",
        lambda: (
            app.controller.daemon.state.is_connected
            and app.controller.daemon.view is not None
            and app.controller.daemon.view.server.process_id != view.server.process_id
        ),
    )

    assert first.announced["process_id"] != view.server.process_id
    # A window that is open would start it once more.
    app.window.close()
    stop(int(first.announced["process_id"]))


@pytest.mark.skipif(sys.platform == "win32", reason="nothing holds a process there")
def test_a_daemon_that_is_too_busy_to_answer_is_asked_again_until_it_does(
    app: App, start_daemon: StartDaemon, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fresco_client.connection._GREETING_S", 0.3)
    daemon = start_daemon()
    app.connect(daemon)
    process = psutil.Process(int(daemon.announced["process_id"]))

    process.suspend()
    try:
        app.controller.opener.open(clip)
        app.wait("both to be told", lambda: len({one.title for one in app.problems}) == 2)
    finally:
        process.resume()

    app.wait("the clip to be reached", lambda: app.controller.opener.clip)
    app.wait("nothing to be wrong", lambda: app.window.views.problems.problem is None)
    app.wait("the connection", lambda: app.controller.daemon.state.is_connected)
    told = {one.title: one.message for one in app.problems}
    assert set(told) == {"Waiting for the daemon", "The clip waits for the daemon"}
    for message in told.values():
        assert "did not answer in time" in message
        assert "keeps trying by itself" in message
        assert "Deadline" not in message


def test_a_clip_that_is_taken_away_is_told_of_and_found_where_it_went(
    app: App, start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    app.connect(start_daemon())
    app.open(clip)
    app.write_prompt("ink")
    app.wait("its fingerprint", lambda: app.controller.project_store.project.clip_fingerprint)

    moved = tmp_path / "elsewhere.mp4"
    clip.rename(moved)
    app.wait("it to be missed", lambda: app.window.views.problems.problem)

    assert app.problems[-1].title == "The clip is gone"
    assert not app.window.views.inspector.restyle_button.isEnabled()
    app.controller.opener.relink(moved)
    app.wait("it to be usable again", app.window.views.inspector.restyle_button.isEnabled)
    assert app.window.views.problems.problem is None
    assert app.controller.project_store.project.clip == str(moved)


def test_a_clip_that_is_put_back_is_usable_again(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    app.connect(start_daemon())
    app.open(clip)
    app.write_prompt("ink")
    aside = clip.with_name("aside.mp4")

    clip.rename(aside)
    app.wait("it to be missed", lambda: app.window.views.problems.problem)
    aside.rename(clip)

    app.wait("it to be usable again", app.window.views.inspector.restyle_button.isEnabled)
    assert app.window.views.problems.problem is None


def test_a_result_is_shown_again_when_its_clip_was_located_by_hand(
    app: App, start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    started(app, start_daemon(), clip)
    app.wait_for_next(1)
    moved = tmp_path / "elsewhere.mp4"
    clip.rename(moved)
    app.wait("it to be missed", lambda: app.window.views.problems.problem)

    app.controller.opener.relink(moved)

    app.wait("the result to be shown", lambda: app.window.display.has_whole_result)
    app.wait("rerolls to be possible", app.window.commands.reroll.isEnabled)
    assert app.window.views.problems.problem is None


def _finished_and_taken_away(
    app: App, daemon: DaemonProcess, clip: Path
) -> tuple[DaemonProcess, bytes]:
    """A job is done, its window closed and its clip gone; the daemon, and what the clip held."""
    started(app, daemon, clip)
    app.wait_for_next(1)
    app.window.close()
    content = clip.read_bytes()
    clip.unlink()
    return daemon, content


def test_a_project_whose_clip_is_gone_shows_it_when_it_is_back(
    make_app: Callable[[], App], start_daemon: StartDaemon, clip: Path
) -> None:
    daemon, content = _finished_and_taken_away(make_app(), start_daemon(), clip)

    again = make_app()
    again.connect(daemon)
    again.wait("it to be missed", lambda: again.window.views.problems.problem)
    clip.write_bytes(content)

    again.wait("the clip to be shown", again.source_info)
    again.wait("the result to be shown", lambda: again.window.display.has_whole_result)
    assert again.window.views.problems.problem is None


def test_a_clip_that_is_written_anew_is_told_and_can_be_reloaded(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    from tests.engine.conftest import scene, write_clip

    app.connect(start_daemon())
    app.open(clip)
    app.write_prompt("a watercolour")
    problems = app.window.views.problems
    write_clip(clip.with_name("new.mp4"), scene(30, cut_at=9)).replace(clip)

    app.wait("it to be missed", lambda: problems.problem)
    assert problems.problem is not None
    assert problems.problem.title == "The clip is another one now"
    assert "reload it first" in app.controller.starter.why_not()
    app.window.problem_actions.act(problems.problem)

    app.wait("the new one to be shown", lambda: _frame_count(app) == 30)
    app.wait("the daemon to have looked at it", lambda: not app.controller.starter.why_not())
    assert problems.problem is None


def _frame_count(app: App) -> int:
    info = app.source_info()
    return info.frame_count if info else 0


def test_a_result_is_shown_though_the_daemon_answers_before_its_clip_is_found_missing(
    make_app: Callable[[], App],
    start_daemon: StartDaemon,
    clip: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    daemon, content = _finished_and_taken_away(make_app(), start_daemon(), clip)
    has_answered = threading.Event()

    def find_late(*_: object) -> None:
        assert has_answered.wait(60)

    monkeypatch.setattr("fresco_gui.clips.opener.find_moved", find_late)

    again = make_app()
    again.connect(daemon)
    has_answered.set()
    again.wait("it to be missed", lambda: again.window.views.problems.problem)
    assert not again.window.display.has_whole_result
    clip.write_bytes(content)

    again.wait("the clip to be shown", again.source_info)
    again.wait("the result to be shown", lambda: again.window.display.has_whole_result)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes a folder below a test's own a file system without room; gives what takes the room."""
    folders: list[Path] = []

    def make(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        command = ("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder))
        try:
            is_mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            is_mounted = False
        if not is_mounted:
            pytest.skip("file systems cannot be mounted here")
        folders.append(folder)
        filler = folder / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(1 << 12)):
                pass
        return filler

    yield make
    for folder in folders:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_keeps_the_result_at_the_daemon_until_there_is_room(
    app: App, start_daemon: StartDaemon, clip: Path, full_disk: Callable[[str], Path]
) -> None:
    filler = full_disk("results")
    started(app, start_daemon(), clip)
    app.wait("the failure to be told", lambda: app.window.views.problems.problem)
    assert "No space left" in app.window.views.problems.message.text()
    assert "nothing is lost" in app.window.views.problems.message.text()

    filler.unlink()
    app.window.views.problems.act.click()

    assert app.wait_for_result().stat().st_size > 0
    assert app.window.views.problems.problem is None


def test_a_project_that_cannot_be_saved_is_told_of_once_and_saved_later(
    app: App, start_daemon: StartDaemon, clip: Path, full_disk: Callable[[str], Path]
) -> None:
    filler = full_disk("state")
    app.connect(start_daemon())
    app.open(clip)
    app.write_prompt("ink")
    app.wait("the failure to be told", lambda: app.problems)
    app.write_prompt("ink and water")
    app.controller.project_store.save()
    assert [one.title for one in app.problems] == ["The project cannot be saved"]

    filler.unlink()
    app.window.views.problems.act.click()

    assert app.window.views.problems.problem is None
    assert app.controller.project_store.path is not None
    assert "ink and water" in app.controller.project_store.path.read_text("utf-8")


def test_an_exception_in_a_slot_is_shown_and_logged_and_the_window_lives(
    app: App, start_daemon: StartDaemon, clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hook = app.window.hook
    before = sys.excepthook
    hook.install()
    try:
        with caplog.at_level(logging.ERROR):
            QTimer.singleShot(0, lambda: 1 // 0)
            app.wait("the fault to be shown", lambda: app.window.views.problems.problem)
    finally:
        hook.remove()
        sys.excepthook = before

    assert "ZeroDivisionError" in caplog.text
    app.window.views.problems.copy.click()
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert "ZeroDivisionError" in clipboard.text()
    app.connect(start_daemon())
    app.open(clip)
    assert app.window.isVisible()


def answering(app: App, button: str) -> list[str]:
    """Presses a button of the question that is asked on closing; gives the questions asked."""
    asked: list[str] = []

    def answer() -> None:
        box = app.window.findChild(QMessageBox, "closing")
        if box is None:
            QTimer.singleShot(50, answer)
            return
        asked.append(box.text())
        (wanted,) = [one for one in box.buttons() if one.text() == button]
        wanted.click()

    QTimer.singleShot(0, answer)
    return asked


def test_closing_with_a_job_asks_once_and_can_leave_it_running(
    make_app: Callable[[], App], start_daemon: StartDaemon, clip: Path
) -> None:
    app = make_app()
    daemon = start_daemon(*SLOW)
    started(app, daemon, clip)
    app.wait("the job to run", app.controller.jobs.open_jobs)

    asked = answering(app, "Leave running")
    assert app.window.close()

    assert asked == ["A job is running."]
    job_id = app.controller.project_store.project.made[0].job_id
    with daemon.session() as session:
        assert not session.job(job_id).state.is_ended

    again = make_app()
    again.connect(daemon)
    again.wait(
        "the clip to be there again",
        lambda: again.controller.project_store.project.clip == str(clip),
    )
    assert again.wait_for_result().stat().st_size > 0
    assert again.controller.project_store.project.made[0].job_id == job_id
    assert again.controller.project_store.project.values["prompt"] == "a watercolour"


def test_closing_with_a_job_can_cancel_it(app: App, start_daemon: StartDaemon, clip: Path) -> None:
    daemon = start_daemon(*SLOW)
    started(app, daemon, clip)
    app.wait("the job to run", app.controller.jobs.open_jobs)

    answering(app, "Cancel the job")
    assert app.window.close()

    with daemon.session() as session:
        assert (
            session.job(app.controller.project_store.project.made[0].job_id).state
            is JobState.CANCELLED
        )


def test_closing_can_be_thought_better_of(app: App, start_daemon: StartDaemon, clip: Path) -> None:
    started(app, start_daemon(*SLOW), clip)
    app.wait("the job to run", app.controller.jobs.open_jobs)

    answering(app, "Stay")
    assert not app.window.close()

    assert app.window.isVisible()
    assert app.wait_for_result()


def test_closing_while_an_export_is_written_asks_and_leaves_nothing_half_written(
    app: App, start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    started(app, start_daemon(), clip)
    app.wait_for_next(1)
    app.wait("exports to be possible", app.window.commands.export.isEnabled)
    folder = tmp_path / "exported"
    folder.mkdir()
    path = folder / "out.mov"
    options = ExportOptions(path=path, kind=ExportKind.PRORES, start=0, stop=40)

    app.window.export_actions.start(options)
    asked = answering(app, "Close")
    assert app.window.close()

    assert asked == ["An export is being written. Closing stops it."]
    assert list(folder.iterdir()) == ([path] if path.exists() else [])


def test_a_job_that_fails_says_why_and_what_to_do(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    app.connect(start_daemon())
    app.open(clip)
    app.write_prompt("unthinkable")
    app.restyle()

    app.wait("the failure to be told", lambda: app.window.views.problems.problem)

    assert "nobody can think of this" in app.window.views.problems.message.text()
    assert app.controller.project_store.project.made[0].job_id in app.problems[-1].report


def test_a_job_whose_result_is_here_is_not_asked_about_when_the_window_closes(
    app: App, start_daemon: StartDaemon, clip: Path
) -> None:
    started(app, start_daemon(), clip)
    follower = app.controller.shown_job.follower
    assert follower is not None
    open_then: list[list[Any]] = []
    follower.finished.connect(lambda _: open_then.append(app.controller.jobs.open_jobs()))

    app.wait_for_result()

    assert open_then == [[]]
    assert not app.controller.jobs.open_jobs()


def test_a_result_that_was_thrown_away_is_fetched_again(
    make_app: Callable[[], App], start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    app = make_app()
    daemon = start_daemon()
    started(app, daemon, clip)
    result = app.wait_for_result()
    app.window.close()
    shutil.rmtree(tmp_path / "results")

    again = make_app()
    again.connect(daemon)

    again.wait("the result to be back", result.exists)
    again.wait("it to be shown", lambda: again.window.display.has_whole_result)
