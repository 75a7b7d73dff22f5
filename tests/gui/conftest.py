"""The window, offscreen, with real daemons."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

try:
    import PyQt6.QtWidgets  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError:
    # One test stays, which says why the others are not run.
    HERE = Path(__file__).parent
    collect_ignore = [
        str(path)
        for path in HERE.iterdir()
        if path.is_dir() or (path.name.startswith("test_") and path.name != "test_qt.py")
    ]

from fresco_client import JobState

from tests.integration.daemons import DaemonProcess, with_fake_worker

if TYPE_CHECKING:
    from fresco_gui.controller import Controller
    from fresco_gui.preferences.stored import DaemonChoice, Preferences
    from fresco_gui.problems.problem import Problem
    from fresco_gui.window import MainWindow
    from pytestqt.qtbot import QtBot

PATIENCE_MS = 180_000
SAMPLE = Path(__file__).parents[2] / "server/fresco_engine/sample/fresco-sample.mp4"


@dataclass
class App:
    """A window of the app and what a test asks of it."""

    window: MainWindow
    bot: QtBot
    problems: list[Problem]

    @property
    def controller(self) -> Controller:
        return self.window.controller

    def wait(self, what: str, is_so: Callable[[], Any], patience_ms: int = PATIENCE_MS) -> Any:
        """Let events happen until `is_so` gives something true, which is given back."""
        found: list[Any] = []

        def check() -> bool:
            found[:] = [is_so()]
            return bool(found[0])

        try:
            self.bot.waitUntil(check, timeout=patience_ms)
        except Exception as error:
            told = [f"{one.title}: {one.message}" for one in self.problems]
            raise AssertionError(f"waited in vain for {what}; problems: {told}") from error
        return found[0]

    def connect(self, daemon: DaemonProcess) -> None:
        """Have the window find a daemon."""
        self.window.start(None, choice_of(daemon))
        self.wait("the daemon to be connected", lambda: self.controller.daemon.state.is_connected)

    def open(self, clip: Path) -> None:
        """Open a clip as if it had been dropped."""
        self.window.open_actions.open_first([clip])
        self.wait("the daemon to have looked at the clip", lambda: self.controller.opener.clip)
        self.wait("the viewer to have the clip", self.source_info)

    def source_info(self) -> Any:
        source = self.window.display.source
        return source.info if source else None

    def write_prompt(self, text: str) -> None:
        """Type a prompt into its field."""
        field = self.window.views.inspector.form.field("prompt")
        assert field is not None
        field.set_value(text)
        self.wait("looks to be possible", self.window.views.inspector.look_button.isEnabled)

    def restyle(self) -> None:
        """Press the button, and wait until the job is handed over."""
        before = len(self.controller.project_store.project.made)
        self.wait("restyling to be possible", self.window.views.inspector.restyle_button.isEnabled)
        self.window.views.inspector.restyle_button.click()
        self.wait("the job", lambda: len(self.controller.project_store.project.made) > before)

    def wait_for_result(self) -> Path:
        """Wait until the newest job's result is here as a file."""
        made = self.wait(
            "the result",
            lambda: next(
                (one for one in self.controller.project_store.project.made[:1] if one.result), None
            ),
        )
        self.wait("the result to be shown", lambda: self.window.display.has_whole_result)
        return Path(made.result)

    def is_job(self, state: JobState) -> bool:
        """Whether the job that is shown has this state."""
        job = self.controller.shown_job.job()
        return job is not None and job.state is state

    def wait_for_next(self, count: int) -> Any:
        """The newest of `count` jobs, when it is done and its result shown."""
        self.wait("another job", lambda: len(self.controller.project_store.project.made) == count)
        self.wait_for_result()
        self.wait("it to be done", lambda: self.is_job(JobState.DONE))
        job = self.controller.shown_job.job()
        assert job is not None
        assert job.plan is not None
        return job

    def press(self, keys: str) -> None:
        """Trigger the action that has these keys."""
        from PyQt6.QtGui import QAction, QKeySequence

        actions = self.window.findChildren(QAction)
        (found,) = [one for one in actions if QKeySequence(keys) in one.shortcuts()]
        found.trigger()


class DialogGuard:
    """Closes a dialog that no test awaits (it would block the test for ever); keeps its words.

    It looks from a timer, which runs in the loop of a blocking dialog too.
    """

    def __init__(self) -> None:
        from PyQt6.QtCore import QTimer

        self.unawaited: list[str] = []
        self._answers: list[tuple[type[Any], Callable[[Any], object]]] = []
        self._answered: list[Any] = []
        self._timer = QTimer()
        self._timer.timeout.connect(self._look)
        self._timer.start(20)

    def await_dialog(self, kind: type[Any], act: Callable[[Any], object]) -> None:
        """Do this to the next dialog of a kind."""
        self._answers.append((kind, act))

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def _look(self) -> None:
        from PyQt6.QtWidgets import QApplication, QDialog

        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QDialog) or dialog in self._answered:
            return
        awaited = next((one for one in self._answers if isinstance(dialog, one[0])), None)
        if awaited is None:
            self.unawaited.append(f"{dialog.windowTitle()}: {getattr(dialog, 'text', str)()}")
            dialog.reject()
            return
        self._answers.remove(awaited)
        self._answered.append(dialog)
        awaited[1](dialog)


@pytest.fixture(scope="session")
def imported() -> None:
    """What the modules of all tests hold is not looked through again at every collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def garbage_collector(qapp: object, imported: None) -> Iterator[None]:
    """As in the app: no thread but the window's destroys what Python still holds of Qt."""
    from fresco_gui.garbage import GarbageCollector

    collector = GarbageCollector()
    yield
    collector.stop()


GUARD: list[DialogGuard] = []


@pytest.fixture(autouse=True)
def dialog_guard(request: pytest.FixtureRequest) -> Iterator[None]:
    """A dialog that a test does not await fails it, at once."""
    if "qapp" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("garbage_collector")
    guard = DialogGuard()
    GUARD.append(guard)
    yield
    GUARD.remove(guard)
    guard.stop()
    assert not guard.unawaited, f"dialogs that no test awaits: {guard.unawaited}"


def answer(kind: type[Any], act: Callable[[Any], object]) -> None:
    """Do this to the next dialog of a kind, which blocks whoever opens it."""
    GUARD[-1].await_dialog(kind, act)


def choice_of(daemon: DaemonProcess) -> DaemonChoice:
    """A daemon of a test; the window never starts one by itself."""
    from fresco_gui.preferences.stored import DaemonChoice

    return DaemonChoice(data=daemon.data, is_started=False)


def kill(process_id: int) -> None:
    """Kill a daemon that the window has started, with its workers."""
    import psutil

    process = psutil.Process(process_id)
    children = process.children(recursive=True)
    process.kill()
    psutil.wait_procs([process, *children], timeout=10)


def stop(process_id: int) -> None:
    """Stop one."""
    import psutil

    process = psutil.Process(process_id)
    children = process.children(recursive=True)
    process.terminate()
    psutil.wait_procs([process, *children], timeout=20)


@pytest.fixture
def daemons() -> Iterator[list[DaemonProcess]]:
    """Those that a test has started; ended after it."""
    started: list[DaemonProcess] = []
    yield started
    for daemon in started:
        daemon.stop_whatever()


@pytest.fixture
def start_daemon(tmp_path: Path, daemons: list[DaemonProcess]) -> Callable[..., DaemonProcess]:
    """Starts daemons whose workers make negatives; keywords are settings."""

    def start(*arguments: str, **settings: Any) -> DaemonProcess:
        chosen = {**with_fake_worker(arguments), **settings}
        if settings.get("worker", "") is None:
            del chosen["worker"]
        daemon = DaemonProcess(tmp_path / f"daemon-{len(daemons)}" / "data", chosen)
        daemons.append(daemon)
        return daemon.start()

    return start


@pytest.fixture
def preferences(tmp_path: Path) -> Preferences:
    """Those of a user who has never used the app, and wants no looks that nobody asked for."""
    from fresco_gui.preferences.stored import Preferences

    preferences = Preferences(tmp_path / "state")
    preferences.shows_looks = False  # Where a test wants the sheet it says so.
    return preferences


@pytest.fixture
def make_app(qtbot: QtBot, tmp_path: Path, preferences: Preferences) -> Iterator[Callable[[], App]]:
    """Opens windows; they share their user's state."""
    from fresco_gui import theme
    from fresco_gui.preferences.stored import Folders
    from fresco_gui.problems.problem import ErrorBoundary
    from fresco_gui.window import MainWindow
    from PyQt6.QtWidgets import QApplication

    application = QApplication.instance()
    assert isinstance(application, QApplication)
    theme.apply(application)
    folders = Folders(state=tmp_path / "state", results=tmp_path / "results")
    windows: list[MainWindow] = []

    def make() -> App:
        window = MainWindow(preferences, folders, ErrorBoundary())
        windows.append(window)
        problems: list[Problem] = []
        window.controller.services.reporter.problem.connect(
            lambda problem, _: problems.append(problem)
        )
        window.show()
        return App(window, qtbot, problems)

    yield make
    for window in windows:
        window.controller.jobs.model.show([])  # nothing is asked about what still runs
        window.close()
        window.deleteLater()


@pytest.fixture
def app(make_app: Callable[[], App]) -> App:
    """A window without a daemon yet."""
    return make_app()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty frames of 80 x 64."""
    from tests.engine.conftest import scene, write_clip

    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", scene(40))


@pytest.fixture
def ready(app: App, start_daemon: Callable[..., DaemonProcess], clip: Path) -> App:
    """A window with a clip, a daemon and a prompt."""
    app.connect(start_daemon())
    app.open(clip)
    app.write_prompt("ink")
    return app


@pytest.fixture
def done(ready: App) -> App:
    """A window with a finished job."""
    ready.restyle()
    ready.wait_for_result()
    ready.wait("the plan", lambda: ready.window.display.plan)
    ready.wait("the job to be done", lambda: ready.is_job(JobState.DONE))
    ready.wait("rerolls to be possible", ready.window.commands.reroll.isEnabled)
    return ready
