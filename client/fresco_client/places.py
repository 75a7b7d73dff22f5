"""Where a daemon's data is, and how it is found there."""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import platformdirs

from fresco_client.transport.base import Endpoint

_MOST_BYTES = 1 << 20
_DAEMONS_MARKS = (".fresco", "daemon.lock")
_APPEND = (
    os.O_RDWR
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """A daemon as it announced itself in its data folder."""

    process_id: int
    address: str
    """HOST:PORT."""
    token: str
    version: str
    is_secure: bool = False
    certificate: Path | None = None

    @property
    def endpoint(self) -> Endpoint:
        """How to speak to it."""
        return Endpoint(
            address=self.address,
            token=self.token,
            is_secure=self.is_secure,
            certificate=self.certificate,
        )


def data_folder(data: Path | str | None = None) -> Path:
    """The folder given, else that of the variable FRESCO_DATA, else the user's own."""
    chosen = data or os.environ.get("FRESCO_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_data_path("fresco", appauthor=False)


def discovery_file(data: Path) -> Path:
    """What a running daemon announces itself by; stale if it was killed."""
    return data / "daemon.json"


def program_file(data: Path) -> Path:
    """Where the command that starts a daemon is kept."""
    return data / "program.json"


def log_file(data: Path) -> Path:
    """The log of whatever daemon works in the folder."""
    return data / "daemon.log"


def output_file(data: Path) -> Path:
    """What a daemon that a client started prints: nothing, unless it cannot even begin its log."""
    return data / "daemon-output.log"


def open_output(data: Path) -> BinaryIO | None:
    """That file, to be written on and read; None where it may not be the daemon's own.

    The folder may be one that the daemon will refuse, and in the place of the file may stand a
    link, or another name of somebody's file.

    Raises:
        OSError: it cannot be written.
    """
    names = os.listdir(data)
    if names and not any(name in names for name in _DAEMONS_MARKS):
        return None
    path = output_file(data)
    if os.path.lexists(path) and not _is_only_ours(os.lstat(path)):
        return None
    descriptor = os.open(path, _APPEND, 0o600)
    if _is_only_ours(os.fstat(descriptor)):
        return os.fdopen(descriptor, "a+b")
    os.close(descriptor)
    return None


def _is_only_ours(facts: os.stat_result) -> bool:
    return _is_trusted(facts) and facts.st_nlink == 1


def read_discovery(data: Path) -> Daemon | None:
    """The daemon that announced itself, whether it still runs or not."""
    content = _read_object(discovery_file(data))
    try:
        certificate = content.get("certificate")
        daemon = Daemon(
            process_id=int(content["process_id"]),
            address=str(content["address"]),
            token=str(content["token"]),
            version=str(content.get("version", "")),
            is_secure=bool(content.get("is_secure", False)),
            certificate=Path(str(certificate)) if certificate else None,
        )
        _ = daemon.endpoint.host_and_port
    except (KeyError, TypeError, ValueError):
        return None
    return daemon


def read_program(data: Path) -> list[str] | None:
    """The command that starts a daemon, without its arguments, if one is kept."""
    command: object = _read_object(program_file(data)).get("command")
    if not isinstance(command, list) or not command:
        return None
    return [str(word) for word in cast(list[object], command)]


def _read_object(path: Path) -> dict[str, Any]:
    """A JSON object of a file; empty if there is none, or one that others may have written.

    Whoever writes it has a say in which program is started and who gets the user's clips.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not _is_trusted(os.fstat(descriptor)):
                return {}
            content = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return cast(dict[str, Any], content) if isinstance(content, dict) else {}


def _is_trusted(facts: os.stat_result) -> bool:
    """Whether a file is an ordinary one of this user's or root's, which not everybody may write."""
    if not stat.S_ISREG(facts.st_mode):
        return False
    if not hasattr(os, "geteuid"):
        return True
    return facts.st_uid in (os.geteuid(), 0) and not facts.st_mode & stat.S_IWOTH


def is_running(process_id: int) -> bool:
    """Whether there is a process of that number; False where that cannot be asked, on Windows."""
    if sys.platform == "win32":  # os.kill would end it there
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
