"""The daemon a command talks to: this machine's, started where needed, or one elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fresco_engine.errors import InvalidSettings, NotPermitted
from fresco_server.local.engine import InProcessEngine

from fresco_cli.faults import FAILED, CommandFailed
from fresco_cli.options import DaemonOptions
from fresco_cli.output import Output
from fresco_cli.words import moved_in

if TYPE_CHECKING:
    from fresco_client import Session, SessionLike

PROGRAM = (sys.executable, "-m", "fresco_cli")
"""What starts this very program."""
_STARTING = "Starting the Fresco daemon; it ends by itself when it is no longer needed."


class Connect(Protocol):
    """Opens a session with a daemon; `tell` is given a sentence when one has to be started."""

    def __call__(
        self, wanted: DaemonOptions, *, start: bool, tell: Callable[[str], None]
    ) -> SessionLike:
        """Raises: ClientError when there is none; InvalidSettings for options that do not fit."""
        ...


def connect(wanted: DaemonOptions, *, start: bool, tell: Callable[[str], None]) -> Session:
    """A session with the daemon that the options name."""
    from fresco_client import Session

    check_options(wanted)
    if wanted.daemon is None:

        def tell_state(state: str) -> None:
            if state == "starting":
                tell(_STARTING)

        return Session.open(wanted.data, start=start, command=PROGRAM, on_state=tell_state)
    assert wanted.token_file is not None
    return Session.connect(
        wanted.daemon, token=_token(wanted.token_file), certificate=wanted.tls_cert
    )


def check_options(wanted: DaemonOptions) -> None:
    """Raises: InvalidSettings when the options do not fit each other."""
    if wanted.daemon is None:
        for name, value in (("token-file", wanted.token_file), ("tls-cert", wanted.tls_cert)):
            if value is not None:
                raise InvalidSettings(name, "it belongs to a daemon elsewhere; add --daemon")
        return
    if wanted.data is not None:
        raise InvalidSettings("data", "it names a daemon of this machine; leave it or --daemon out")
    host, colon, port = wanted.daemon.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
        raise InvalidSettings(
            "daemon", f"{wanted.daemon!r} is not of the form HOST:PORT, for example server:7400"
        )
    if wanted.token_file is None:
        raise InvalidSettings(
            "token-file", "a daemon elsewhere asks for its token; name the file that holds it"
        )
    if wanted.tls_cert is not None and not wanted.tls_cert.is_file():
        raise InvalidSettings("tls-cert", f"there is no file {wanted.tls_cert}; check the path")


def _check_data(data: Path | None) -> None:
    """Raises: NotPermitted when nobody here may look into the data folder."""
    try:
        if data is not None:
            os.listdir(data)
            os.stat(os.path.join(data, os.curdir))
    except PermissionError as error:
        raise NotPermitted(data or "") from error
    except OSError:  # It is made when a daemon starts, or that one says why not.
        pass


def _token(path: Path) -> str:
    from fresco_server.errors import CannotStart
    from fresco_server.private import read_secret, why_unreadable

    try:
        token = read_secret(path, is_shared=True)
    except CannotStart as error:
        raise InvalidSettings("token-file", str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(
            "token-file", f"{path} cannot be read ({why_unreadable(error)})"
        ) from error
    if not token:
        raise InvalidSettings("token-file", f"{path} is empty; it is to hold the daemon's token")
    return token


@dataclass(frozen=True)
class Tools:
    """What the commands work with; tests bring their own."""

    engine: InProcessEngine
    connect: Connect = connect

    def session(self, wanted: DaemonOptions, channel: Output, *, start: bool = True) -> SessionLike:
        """A session with a daemon, which is started if need be, or is to run already."""
        _check_data(wanted.data)
        return self.connect(wanted, start=start, tell=channel.note)


@contextmanager
def or_locally() -> Iterator[None]:
    """If no daemon can be had, the user is told of the way without one."""
    from fresco_client import DaemonFailedToStart, DaemonNotInstalled, VersionMismatch

    try:
        yield
    except (DaemonFailedToStart, DaemonNotInstalled, VersionMismatch) as error:
        way = f"{moved_in(error)}\nTo work without a daemon, add --local."
        raise CommandFailed(type(error).__name__, way, FAILED) from error
