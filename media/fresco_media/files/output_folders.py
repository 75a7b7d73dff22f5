"""Folders that a run fills with files of its own: tried before the work, and one run at a time."""

from __future__ import annotations

import errno
import logging
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fresco_media.errors import OutputNotWritable
from fresco_media.files.disk import NEW, output_fault, partial_name

_LOGGER = logging.getLogger(__name__)
_TAKEN = (errno.EWOULDBLOCK, errno.EACCES)


class FolderTaken(Exception):
    """Another process works in the folder."""


def lock_folder(folder: Path) -> int | None:
    """Open the folder and lock it, where the disk can; None where the system cannot.

    Raises:
        FolderTaken: another process has it.
        OSError: it cannot be opened.
    """
    if sys.platform == "win32":
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try_lock(descriptor)
    except FolderTaken:
        os.close(descriptor)
        raise
    return descriptor


def try_lock(descriptor: int) -> bool:
    """Lock what is open, until it is closed; whether the system and the disk can.

    Raises:
        FolderTaken: another process has it.
    """
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            raise FolderTaken from None
        _LOGGER.debug("there is no lock on this disk (%s)", error)
        return False
    return True


def prepare_folders(*folders: Path | None) -> None:
    """Make folders, with those above them, and see that files can be written there now.

    Raises:
        OutputNotWritable: one is a file, may not be written to, has no room for the names of
            files, or another run is at work in it.
        DiskFull: there is no room for one.
    """
    with alone_with(*folders):
        pass


@contextmanager
def alone_with(*folders: Path | None) -> Iterator[None]:
    """Inside, no other run writes into these folders; raises what `prepare_folders` does.

    A folder may be given twice.
    """
    with ExitStack() as held:
        known: set[tuple[int, int]] = set()
        for folder in filter(None, folders):
            _prepare(folder)
            facts = folder.stat()
            if (facts.st_dev, facts.st_ino) not in known:
                known.add((facts.st_dev, facts.st_ino))
                _lock(folder, held)
        yield


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "not permitted")
        # Permissions are not all that can be in the way of a file.
        trial = partial_name(folder / "trial", secrets.token_hex(16))
        os.close(os.open(trial, NEW, 0o600))
        trial.unlink()
    except (FileExistsError, NotADirectoryError) as error:
        what = "this is a file" if folder.exists() else "a folder above it is a file"
        raise OutputNotWritable(folder, f"{what}; name a folder") from error
    except PermissionError as error:
        raise OutputNotWritable(
            folder, "this folder may not be written to; choose another folder"
        ) from error
    except OSError as error:
        if error.errno == errno.EROFS:
            raise OutputNotWritable(
                folder, "its disk can only be read; choose another folder"
            ) from error
        raise output_fault(folder, error) from error


def _lock(folder: Path, held: ExitStack) -> None:
    try:
        descriptor = lock_folder(folder)
    except FolderTaken:
        raise OutputNotWritable(
            folder,
            "another run writes into this folder now; choose another folder, or wait until that "
            "one has ended",
        ) from None
    except OSError as error:  # It may be written to, but not be looked into.
        raise OutputNotWritable(
            folder, f"this folder cannot be opened ({error.strerror}); choose another folder"
        ) from error
    if descriptor is not None:
        held.callback(os.close, descriptor)
