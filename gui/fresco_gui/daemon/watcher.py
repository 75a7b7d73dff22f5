"""The daemon, found or started, and whether it is there: looked at on a thread of its own."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from fresco_client import (
    ClientError,
    DaemonFailedToStart,
    DaemonNotFound,
    DaemonNotInstalled,
    DaemonUnreachable,
    FileFailed,
    LaunchState,
    Model,
    NotAuthorised,
    ServerInfo,
    Session,
    SessionClosed,
    VersionMismatch,
    is_passing,
)
from PyQt6.QtCore import QObject, QThread, pyqtSignal

from fresco_gui.preferences.stored import DaemonChoice

_log = logging.getLogger(__name__)
_BEAT_S = 2.0
_BEATS_PER_LISTING = 5
_LONGEST_PAUSE_S = 15.0
_LONGEST_PAUSE_OF_BUSY_S = 4.0


class DaemonState(Enum):
    """What is known of the daemon."""

    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    RECONNECTING = "reconnecting"
    NOT_INSTALLED = "not installed"
    INCOMPATIBLE = "incompatible"
    REFUSED = "refused"
    STOPPED = "stopped"
    ERROR = "error"

    @property
    def is_connected(self) -> bool:
        """Whether calls can be made."""
        return self in {DaemonState.READY, DaemonState.BUSY}


@dataclass(frozen=True, kw_only=True)
class DaemonView:
    """What the daemon is and has, as last seen."""

    server: ServerInfo
    models: tuple[Model, ...]


class DaemonWatcher(QThread):
    """Keeps a session with the daemon and tells how it is.

    Signals:
        state_changed(DaemonState, str): the new state, and a sentence on why where there is one.
        opened(Session): a session is there; earlier ones are closed.
        seen(DaemonView): what the daemon is and has, every two seconds.
    """

    state_changed = pyqtSignal(object, str)
    opened = pyqtSignal(object)
    seen = pyqtSignal(object)

    def __init__(self, choice: DaemonChoice, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choice = choice
        self._wake = threading.Event()
        self._is_stopping = threading.Event()
        self._session: Session | None = None
        self._state: DaemonState | None = None
        self._why = ""
        self._models: tuple[Model, ...] = ()
        self._is_asked = False
        self._beats = 0

    def run(self) -> None:
        """Look after the daemon until stopped; called by Qt on the new thread."""
        pause_s = 1.0
        while not self._is_stopping.is_set():
            try:
                self._beat()
                pause_s = 1.0
                self._rest(_BEAT_S)
            except SessionClosed:
                self._drop()
            except ClientError as error:
                self._tell_error(error)
                self._rest(pause_s)
                longest_s = _LONGEST_PAUSE_OF_BUSY_S if is_passing(error) else _LONGEST_PAUSE_S
                pause_s = min(2 * pause_s, longest_s)
        self._drop()

    def look_now(self) -> None:
        """Do not wait for the next beat; models are listed again as well."""
        self._is_asked = True
        self._wake.set()

    def stop(self) -> None:
        """End; all calls of the session end as well. Does not wait for the thread."""
        self._is_stopping.set()
        self._wake.set()
        session = self._session
        if session is not None:
            session.close()

    def _beat(self) -> None:
        if self._session is None:
            self._tell(DaemonState.RECONNECTING if self._state else DaemonState.STARTING)
            self._session = self._open()
            if self._is_stopping.is_set():
                return
            view = self._look(self._session)
            # The session first, so that whoever sees what the daemon has can ask for it at once.
            self._tell(_state_of(view))
            self.opened.emit(self._session)
            self.seen.emit(view)
            return
        view = self._look(self._session)
        self.seen.emit(view)
        self._tell(_state_of(view))

    def _open(self) -> Session:
        choice = self._choice
        if not choice.address:
            return Session.open(
                choice.data,
                start=choice.is_started,
                command=choice.command or None,
                on_state=self._on_launch,
            )
        return Session.connect(
            choice.address, token=_token(choice.token_file), certificate=choice.certificate
        )

    def _on_launch(self, state: LaunchState) -> None:
        if state != "ready":
            self._tell(DaemonState.STARTING)
        if self._is_stopping.is_set():
            raise SessionClosed

    def _look(self, session: Session) -> DaemonView:
        try:
            server = session.server()
        except DaemonUnreachable:
            self._tell(DaemonState.RECONNECTING)
            # This call waits for the daemon, and starts it again if it has crashed.
            self._models = session.models()
            return DaemonView(server=session.server(), models=self._models)
        if self._is_asked or self._beats % _BEATS_PER_LISTING == 0:
            self._is_asked = False
            self._models = session.models()
        self._beats += 1
        return DaemonView(server=server, models=self._models)

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _rest(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def _tell_error(self, error: ClientError) -> None:
        _log.info("the daemon is not there: %s", error)
        self._tell(_state_of_error(error), error.message)

    def _tell(self, state: DaemonState, why: str = "") -> None:
        if (state, why) != (self._state, self._why):
            self._state, self._why = state, why
            self.state_changed.emit(state, why)


def _state_of(view: DaemonView) -> DaemonState:
    is_busy = any(device.state == "busy" for device in view.server.devices)
    return DaemonState.BUSY if is_busy else DaemonState.READY


def _token(path: Path | None) -> str:
    try:
        return path.read_text("utf-8").strip() if path else ""
    except OSError as error:
        assert path is not None
        raise FileFailed.from_os(path, error) from error


_STATES: tuple[tuple[type[ClientError], DaemonState], ...] = (
    (DaemonNotInstalled, DaemonState.NOT_INSTALLED),
    (DaemonNotFound, DaemonState.STOPPED),
    (DaemonFailedToStart, DaemonState.ERROR),
    (VersionMismatch, DaemonState.INCOMPATIBLE),
    (NotAuthorised, DaemonState.REFUSED),
)


def _state_of_error(error: ClientError) -> DaemonState:
    for kind, state in _STATES:
        if isinstance(error, kind):
            return state
    return DaemonState.RECONNECTING if is_passing(error) else DaemonState.ERROR
