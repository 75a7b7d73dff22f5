"""The daemon's life: take the data folder, work, serve, stop cleanly when told to."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import secrets
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

from fresco_engine import __version__
from fresco_engine.errors import FrescoError
from fresco_media.files.disk import output_fault, write_whole
from fresco_media.files.opening import confined
from fresco_media.files.own import OwnFolder
from fresco_media.files.text import PrintableFormatter

from fresco_server.errors import CannotStart, ServerError
from fresco_server.jobs.claim import DATABASE, claim, examine
from fresco_server.jobs.path_policy import readable_folders
from fresco_server.jobs.service import Jobs
from fresco_server.lock import DataLock, locked
from fresco_server.private import read_token
from fresco_server.program import note_program
from fresco_server.rpc.server import make_server
from fresco_server.settings import ServerSettings

_LOGGER = logging.getLogger(__name__)
_GRACE_S = 1.0
_LOG_BYTES = 4 << 20
_MOST_BYTES = 64 << 10


def serve(settings: ServerSettings) -> None:
    """Run a daemon until it is told to stop by a signal, or is idle for long enough.

    It answers at once; its devices are known some seconds later.

    While it runs `daemon.json` in the data folder says where it is to be found.

    Raises:
        CannotStart: another daemon has the data folder, the address cannot be used, or the
            devices are not there.
    """
    with _told(settings.data):
        # Worker processes run in another folder, and links may come to lead elsewhere.
        settings = replace(settings, data=claim(settings.data.absolute()))
        stop = threading.Event()
        with (
            locked(settings.data) as lock,
            _logging(settings.data),
            _stopped_by_signals(stop),
            confined(readable_folders(settings)),
        ):
            _LOGGER.info("Fresco %s starts, process %d", __version__, os.getpid())
            _serve(settings, lock, stop)
            _LOGGER.info("stopped")


def check_place(data: Path) -> None:
    """Insist on a folder in which a daemon would work, or on none yet.

    Raises:
        CannotStart: a daemon would refuse it.
        OSError: it cannot be looked at.
    """
    if data.exists():
        examine(data)


def damaged_lists(data: Path) -> list[Path]:
    """The damaged lists of jobs that are kept in a data folder, which is looked at only.

    Raises:
        CannotStart: a daemon would refuse the folder.
        OSError: it cannot be looked at.
    """
    return sorted(examine(data).glob(f"{DATABASE}.damaged-*"))


def _serve(settings: ServerSettings, lock: DataLock, stop: threading.Event) -> None:
    jobs = Jobs(settings)
    try:
        token = _token(settings)
        server = make_server(jobs, settings, token)
        jobs.start()
        server.start()
        with _announced(settings, server.address, token) as announcement:
            _wait(stop, jobs, lock, announcement, settings.idle_exit_s)
            _LOGGER.info("stopping")
            server.drain()
            # Everybody who still waits is told that the daemon ends, then nobody is heard.
            jobs.close()
            server.stop(_GRACE_S)
    finally:
        jobs.close()


@contextmanager
def _told(data: Path) -> Iterator[None]:
    """What the disk refuses while the daemon starts or works is a sentence, not a traceback."""
    try:
        yield
    except CannotStart:
        raise
    except (ServerError, FrescoError) as error:
        raise CannotStart(str(error)) from error
    except sqlite3.Error as error:
        raise CannotStart(f"{data}: the list of jobs cannot be used ({error})") from error
    except OSError as error:
        path = Path(os.fsdecode(error.filename)) if error.filename else data
        raise CannotStart(str(output_fault(path, error))) from error


class _LogFile(logging.handlers.RotatingFileHandler):
    """A log that goes without the lines for which the disk has no room."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say nothing: the work goes on, and who asks for it is told of the disk."""


@contextmanager
def _logging(data: Path) -> Iterator[None]:
    """Log lines go to a file of bounded size, and to a terminal if somebody looks at it."""
    handlers: list[logging.Handler] = [
        _LogFile(
            data / "daemon.log",
            maxBytes=_LOG_BYTES,
            backupCount=2,
            encoding="utf-8",
            errors="backslashreplace",
        )
    ]
    if sys.stderr.isatty():
        handlers.append(logging.StreamHandler())
    form = PrintableFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    for handler in handlers:
        handler.setFormatter(form)
        root.addHandler(handler)
    try:
        yield
    finally:
        root.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """The first SIGTERM, Ctrl-C or closed terminal stops in order, a second at once.

    All that counts is on disk.
    """

    def obey(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGTERM, signal.SIGINT]
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) == signal.SIG_DFL:
        # The terminal it was started in is closed; one that was told to outlive it does.
        numbers.append(hangup)
    before = {number: signal.signal(number, obey) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _token(settings: ServerSettings) -> str:
    """The token that calls must carry: the user's, or one of the data folder's own.

    The latter is kept, so that clients find their way back after a restart.
    """
    if settings.token_file is not None:
        return read_token(settings.token_file)
    path = settings.data / "token"
    try:
        return read_token(path)
    except CannotStart as fault:
        if path.exists():
            _LOGGER.warning("%s; there is a new one now", fault)
    _write_private(path, secrets.token_urlsafe(32))
    return read_token(path)


class _Announcement:
    """`daemon.json`, by which clients of this user find the daemon."""

    def __init__(self, settings: ServerSettings, address: str, token: str) -> None:
        certificate = settings.tls_certificate
        self._path = settings.data / "daemon.json"
        found = {
            "process_id": os.getpid(),
            "address": address,
            "token": token,
            "version": __version__,
            "is_secure": certificate is not None,
            "certificate": None if certificate is None else str(certificate.resolve()),
        }
        self._text = json.dumps(found, indent=2)
        _write_private(self._path, self._text)

    def check(self) -> None:
        """Make it again where somebody removed it: nobody else would find the daemon."""
        if os.path.lexists(self._path):
            return
        _LOGGER.warning("%s was removed; making it again", self._path.name)
        with suppress(FrescoError):  # A full disk may have room a little later.
            _write_private(self._path, self._text)

    def remove(self) -> None:
        """There is no daemon any more; another one's, if the folder is another one now, stays."""
        with suppress(OSError):
            own = OwnFolder(self._path.parent)
            if own.read_json(self._path.name, _MOST_BYTES).get("process_id") == os.getpid():
                own.remove(self._path.name)


@contextmanager
def _announced(settings: ServerSettings, address: str, token: str) -> Iterator[_Announcement]:
    """Inside, clients of this user find the daemon, and later know how to start one."""
    note_program(settings.data, (sys.executable, "-m", "fresco_cli"))
    announcement = _Announcement(settings, address, token)
    try:
        yield announcement
    finally:
        announcement.remove()


def _write_private(path: Path, text: str) -> None:
    write_whole(path, text.encode(), is_private=True, is_durable=True)


def _wait(
    stop: threading.Event,
    jobs: Jobs,
    lock: DataLock,
    announcement: _Announcement,
    idle_exit_s: float | None,
) -> None:
    while not stop.wait(0.5):
        lock.check()
        announcement.check()
        jobs.tidy()
        if jobs.failure is not None:
            raise jobs.failure
        if idle_exit_s is not None and jobs.idle_s > idle_exit_s:
            _LOGGER.info("nobody has needed the daemon for %.0f s", idle_exit_s)
            return
