"""Finding the daemon of this machine, and starting it where none runs.

Any number of clients may do so at once: of the daemons they start, one gets the data folder and
the others end with exit code 3, upon which their clients wait for that one.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from fresco_client.errors import (
    CallFailed,
    DaemonFailedToStart,
    DaemonNotInstalled,
    DaemonSilent,
    DaemonUnreachable,
    FileFailed,
    NotAuthorised,
)
from fresco_client.handshake import greet
from fresco_client.places import (
    Daemon,
    data_folder,
    is_running,
    log_file,
    open_output,
    output_file,
    read_discovery,
    read_program,
)
from fresco_client.transport import TransportKind, open_transport

LaunchState = Literal["starting", "waiting", "ready"]

IDLE_MINUTES = 30
"""A daemon started here ends when nobody has needed it for so long."""

_PROBE_S = 5.0
_POLL_S = 0.1
_ANOTHER_HAS_THE_LOCK = 3
_START_AGAIN_S = 2.0
_TAIL_LINES = 20
_ROOM_BYTES = 1 << 20
"""Room on the disk without which a daemon can neither start nor say why in its log."""
# What a host sets for its own Python would break another one.
_HOSTS_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")


def find(
    data: Path | str | None = None, *, transport: TransportKind | None = None
) -> Daemon | None:
    """The daemon that runs for this data folder, if one answers.

    Raises:
        VersionMismatch: one answers, but does not speak our version.
    """
    daemon = read_discovery(data_folder(data))
    return daemon if daemon and _answers(daemon, transport) else None


def has_crashed(data: Path) -> bool:
    """Whether a daemon announced itself here and ended without taking that back."""
    daemon = read_discovery(data)
    return daemon is not None and not is_running(daemon.process_id)


def why_silent(data: Path) -> DaemonSilent | None:
    """What to say of a daemon that was not found: it lives and is silent; None for any other.

    A process of its number alone says little, as numbers are given out again: somebody has to
    listen at its address too.
    """
    daemon = read_discovery(data)
    if daemon is None or not is_running(daemon.process_id) or not _is_listened_at(daemon):
        return None
    return DaemonSilent(data, daemon.address, daemon.process_id, log_file(data))


def _is_listened_at(daemon: Daemon) -> bool:
    try:
        socket.create_connection(daemon.endpoint.host_and_port, _PROBE_S).close()
    except TimeoutError:  # It has a full queue of those who wait to be let in.
        return True
    except OSError:
        return False
    return True


def find_or_start(
    data: Path | str | None = None,
    command: Sequence[str] | None = None,
    timeout_s: float = 60,
    on_state: Callable[[LaunchState], None] | None = None,
    *,
    transport: TransportKind | None = None,
) -> Daemon:
    """The daemon that runs for this data folder; starts one if none does.

    `command` is what starts Fresco's command line; if None, the one kept in program.json, else
    `fresco` where the system looks for programs. `on_state` is told when the state changes; what it
    raises ends the waiting.

    Raises:
        DaemonNotInstalled: there is no such program.
        DaemonFailedToStart: it ended early, or does not answer after `timeout_s` seconds.
        DaemonSilent: one runs already and does not answer for so long.
        VersionMismatch: a daemon runs that does not speak our version.
    """
    folder = data_folder(data)
    tell = on_state or _tell_nobody
    daemon = find(folder, transport=transport)
    if daemon is None:
        tell("starting")
        with closing(_Start(folder, _command(folder, command))) as start:
            tell("waiting")
            daemon = _wait(start, time.monotonic() + timeout_s, transport)
    tell("ready")
    return daemon


def _tell_nobody(state: LaunchState) -> None:
    """Nobody wants to know."""


def _answers(daemon: Daemon, transport: TransportKind | None) -> bool:
    """Whether this very daemon is there, not another program on what was its port."""
    try:
        channel = open_transport(daemon.endpoint, transport)
    except FileFailed:  # its certificate is gone
        return False
    try:
        greet(channel, _PROBE_S)
    except (DaemonUnreachable, NotAuthorised, CallFailed):
        return False
    finally:
        channel.close()
    return True


def _wait(start: _Start, deadline: float, transport: TransportKind | None) -> Daemon:
    next_start = time.monotonic() + _START_AGAIN_S
    while True:
        daemon = find(start.data, transport=transport)
        if daemon is not None:
            return daemon
        code = start.exit_code()
        if code not in {None, _ANOTHER_HAS_THE_LOCK}:
            raise start.failure(f"ended with exit code {code} before it answered")
        if time.monotonic() >= deadline:
            raise why_silent(start.data) or start.failure("does not answer")
        # The one that had the lock may have been about to end.
        if code == _ANOTHER_HAS_THE_LOCK and time.monotonic() >= next_start:
            start.again()
            next_start = time.monotonic() + _START_AGAIN_S
        time.sleep(_POLL_S)


class _Start:
    """A daemon's process, from here only as long as it starts."""

    def __init__(self, data: Path, command: list[str]) -> None:
        self.data = data
        self._command = [
            *command,
            "serve",
            "--data",
            str(data),
            "--exit-when-idle",
            str(IDLE_MINUTES),
        ]
        try:
            data.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise FileFailed.from_os(data, error) from error
        self._output, self._log = self._opened()
        try:
            self.again()
        except BaseException:
            self.close()
            raise

    def again(self) -> None:
        """Start it, detached from this process, its output going to a file."""
        self._output_start = self._output.seek(0, os.SEEK_END)
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                cwd=self.data,
                env=_environment(),
                **_detached(),
            )
        except OSError as error:
            reason = f"{self._command[0]}: {error.strerror or error}"
            raise DaemonFailedToStart(f"cannot be started ({reason})", self._log, "") from error
        # Reaps it when it ends, be it hours later, so that it does not stay as a zombie.
        threading.Thread(target=self._process.wait, daemon=True, name="fresco-reaper").start()

    def _opened(self) -> tuple[BinaryIO, Path | None]:
        """What the daemon prints into, and where that is kept."""
        path = output_file(self.data)
        try:
            kept = open_output(self.data)
            if kept is not None:
                return kept, path
            return cast(BinaryIO, tempfile.TemporaryFile()), None
        except OSError as error:
            raise FileFailed(
                self.data,
                f"the daemon cannot keep its data here ({error.strerror or error}). Choose another "
                "data folder.",
            ) from error

    def close(self) -> None:
        """Let the process be."""
        self._output.close()

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def failure(self, problem: str) -> DaemonFailedToStart:
        """The error that says what the log says."""
        try:
            self._output.seek(self._output_start)
            text = self._output.read().decode("utf-8", errors="replace")
        except OSError:
            text = ""
        if not text and shutil.disk_usage(self.data).free < _ROOM_BYTES:
            problem += "; the disk is full, so free some room, then try again"
        return DaemonFailedToStart(problem, self._log, "\n".join(text.splitlines()[-_TAIL_LINES:]))


def _command(data: Path, command: Sequence[str] | None) -> list[str]:
    if command:
        return list(command)
    kept = read_program(data)
    if kept and shutil.which(kept[0]):
        return kept
    found = shutil.which("fresco")
    if found is None:
        raise DaemonNotInstalled(data)
    return [found]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _HOSTS_VARIABLES}


def _detached() -> dict[str, Any]:
    """Arguments of Popen by which a process outlives this one and its terminal."""
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": flags}
    return {"start_new_session": True}
