"""The daemon that the app works with."""

from __future__ import annotations

from dataclasses import replace

from fresco_client import Session
from PyQt6.QtCore import QObject, pyqtSignal

from fresco_gui.daemon.watcher import DaemonState, DaemonView, DaemonWatcher
from fresco_gui.preferences.stored import DaemonChoice
from fresco_gui.problems.problem import Problem
from fresco_gui.problems.reporter import DAEMON_AWAY
from fresco_gui.services import Services


class DaemonConnection(QObject):
    """Keeps the session with it and what is known of it.

    Signals:
        changed(DaemonState, str): how the daemon is, and why.
        seen(DaemonView): what it is and has.
        opened(): there is a new session.
    """

    changed = pyqtSignal(object, str)
    seen = pyqtSignal(object)
    opened = pyqtSignal()

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._connection: DaemonWatcher | None = None
        self._command: tuple[str, ...] = ()
        self.session: Session | None = None
        self.view: DaemonView | None = None
        self.state = DaemonState.STARTING

    def start(self, choice: DaemonChoice | None = None) -> None:
        """Look for the daemon, and start it if none runs, with the command that was given last."""
        self.close()
        if choice is not None:
            self._command = choice.command
        chosen = choice or replace(self._services.preferences.daemon, command=self._command)
        connection = DaemonWatcher(chosen, self)
        connection.state_changed.connect(self._on_state)
        connection.opened.connect(self._on_opened)
        connection.seen.connect(self._on_seen)
        self._connection = connection
        connection.start()

    def look_now(self) -> None:
        """Ask the daemon anew what it has."""
        if self._connection is not None:
            self._connection.look_now()

    def close(self) -> None:
        """Let go of it; its jobs go on."""
        if self._connection is not None:
            self._connection.stop()
            self._connection.wait(5000)

    def _on_state(self, state: DaemonState, why: str) -> None:
        self.state = state
        reporter = self._services.reporter
        if state.is_connected:
            reporter.over.emit(DAEMON_AWAY)
        elif why:
            is_passing = state is DaemonState.RECONNECTING
            title = self.tr("Waiting for the daemon") if is_passing else self.tr("No daemon")
            message = f"{why} {self.tr('Fresco keeps trying by itself.')}" if is_passing else why
            problem = Problem(title=title, message=message, reason=DAEMON_AWAY)
            reporter.report(problem, self.tr("Try again"))
        self.changed.emit(state, why)

    def _on_opened(self, session: object) -> None:
        assert isinstance(session, Session)
        self.session = session
        self.opened.emit()

    def _on_seen(self, view: DaemonView) -> None:
        self.view = view
        self.seen.emit(view)
