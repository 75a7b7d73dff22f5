"""One daemon for one data folder, also if somebody removes the lock file meanwhile."""

from __future__ import annotations

import logging
import os
import stat
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from fresco_engine.errors import OutputNotWritable
from fresco_media.files.output_folders import FolderTaken, lock_folder

from fresco_server.errors import CannotStart

_LOGGER = logging.getLogger(__name__)
ALREADY_RUNNING = 3
"""Exit code of a daemon that finds another one at work in its data folder."""
_POLL_S = 0.1


class DataLock:
    """The right to work in the data folder `data`, held until `release`.

    The folder itself is locked, where the system can, and a file in it, as earlier versions do.
    Neither outlives the process.

    Raises:
        CannotStart: another daemon has it, or it cannot be had.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        try:
            self._folder = lock_folder(data)
        except FolderTaken:
            raise _taken(data) from None
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


@contextmanager
def alone_in(folder: Path, patience_s: float = 30.0) -> Iterator[None]:
    """Inside, no other process that asks for it works in a job's folder.

    The worker of a daemon that was killed may still be at its last file there, under the temporary
    name that ours will use, so it is waited for.

    Raises:
        OutputNotWritable: another one still works there after `patience_s` seconds.
    """
    ends = time.monotonic() + patience_s
    while True:
        try:
            descriptor = lock_folder(folder)
            break
        except FolderTaken:
            if time.monotonic() >= ends:
                raise OutputNotWritable(
                    folder,
                    "another process still works in this folder; end the other Fresco that uses "
                    "it, then resume the job",
                ) from None
            time.sleep(_POLL_S)
        except OSError:  # What is wrong with the folder is said by who writes into it.
            descriptor = None
            break
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


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
