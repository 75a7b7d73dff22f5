"""One daemon for one data folder, also if somebody removes the lock file meanwhile."""

from __future__ import annotations

import errno
import logging
import os
import stat
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fresco_server.errors import CannotStart

_LOGGER = logging.getLogger(__name__)
ALREADY_RUNNING = 3
"""Exit code of a daemon that finds another one at work in its data folder."""
_TAKEN = (errno.EWOULDBLOCK, errno.EACCES)


class DataLock:
    """The right to work in the data folder `data`, held until `release`.

    The folder itself is locked, where the system can, and a file in it, as earlier versions do.
    Neither outlives the process.

    Raises:
        CannotStart: another daemon has it, or it cannot be had.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._folder = _lock_folder(data)
        try:
            self._file, self._facts = _lock_file(data)
            self._folder_facts = _identity(data)
        except BaseException:
            self._close_folder()
            raise

    def check(self) -> None:
        """See whether it still is the same folder; a lock file that was removed is made again.

        Raises:
            CannotStart: the folder is gone or another one, or another daemon has the lock.
        """
        if _identity(self._data) != self._held():
            raise CannotStart(
                f"{self._data} was moved, removed or replaced while the daemon worked in it; put "
                "it back, or start a daemon where it is now"
            )
        if _identity(self._data / "daemon.lock") == self._facts:
            return
        _LOGGER.warning("the lock file was removed or replaced; taking it again")
        self._file.release()
        self._file, self._facts = _lock_file(self._data)

    def _held(self) -> tuple[int, int] | None:
        """The folder as it is where it is now, held open: some disks number files ever anew."""
        if self._folder is None:
            return self._folder_facts
        facts = os.fstat(self._folder)
        return facts.st_dev, facts.st_ino

    def release(self) -> None:
        """Let others have it."""
        self._file.release()
        self._close_folder()

    def _close_folder(self) -> None:
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None


@contextmanager
def locked(data: Path) -> Iterator[DataLock]:
    """Inside, this process alone works in the folder.

    Raises:
        CannotStart: another one does, or nobody can tell.
    """
    lock = DataLock(data)
    try:
        yield lock
    finally:
        lock.release()


def _lock_folder(data: Path) -> int | None:
    """Open the folder and lock it, where the disk can; None where the system cannot."""
    if sys.platform == "win32":
        return None
    import fcntl

    descriptor = os.open(data, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            os.close(descriptor)
            raise _taken(data) from None
        _LOGGER.debug("%s: the folder cannot be locked (%s)", data, error)
    return descriptor


def _lock_file(data: Path) -> tuple[FileLock, tuple[int, int] | None]:
    path = data / "daemon.lock"
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise CannotStart(f"{path} is no file of the daemon's; remove it and start again")
    lock = FileLock(path)
    try:
        # Where a disk has no locks newer versions of the library make do, and warn of it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lock.acquire(timeout=0)
    except Timeout:
        raise _taken(data) from None
    except NotImplementedError:
        raise CannotStart(
            f"{data}: its disk has no locks, so two daemons could spoil each other's work; choose "
            "a folder on a disk of this machine by --data"
        ) from None
    except OSError as error:
        raise CannotStart(
            f"{data}: cannot be written to ({error.strerror}); choose another folder by --data"
        ) from error
    return lock, _identity(path)


def _taken(data: Path) -> CannotStart:
    return CannotStart(
        f"another daemon works in {data}; use that one, or choose another folder by --data",
        exit_code=ALREADY_RUNNING,
    )


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from every other one; None if it is not there."""
    try:
        facts = os.lstat(path)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
