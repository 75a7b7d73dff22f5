"""Opening the list of jobs whatever became of it: what is damaged is moved aside, not lost."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from pathlib import Path

from fresco_engine.errors import DiskFull
from fresco_media.files.disk import free_bytes
from fresco_media.files.own import is_own, is_real_file

from fresco_server.errors import CannotStart
from fresco_server.jobs.database import Database, DatabaseDamaged, is_full

_LOGGER = logging.getLogger(__name__)
_PARTS = ("", "-wal", "-shm", "-journal")


def open_database(path: Path) -> Database:
    """The database at `path`; a damaged one is renamed and a new one made in its place.

    Raises:
        CannotStart: it is no file, cannot be written, is of another version or held by another
            program.
        DiskFull: there is no room for it.
    """
    _check_files(path)
    try:
        return _open(path)
    except DatabaseDamaged as damage:
        move_aside(path, str(damage))
    return _open(path)


def move_aside(path: Path, damage: str) -> None:
    """Give the database, and what belongs to it, a name that says when it was found damaged.

    Raises:
        CannotStart: it cannot be renamed.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside, number = path.with_name(f"{path.name}.damaged-{stamp}"), 1
    while os.path.lexists(aside):
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    # The log last of all: without it the rest is no database, and with it alone there is none.
    for part in _PARTS:
        try:
            path.with_name(f"{path.name}{part}").rename(f"{aside}{part}")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CannotStart(
                f"{path} is damaged and cannot be moved aside ({error.strerror}); rename it and "
                "start again"
            ) from error
    _LOGGER.warning(
        "%s was damaged (%s) and is kept as %s; the list of jobs is made anew from their folders",
        *(path, damage, aside.name),
    )


def _check_files(path: Path) -> None:
    """SQLite would follow a link, and wait for a pipe."""
    for part in _PARTS:
        file = path.with_name(f"{path.name}{part}")
        if os.path.lexists(file) and not is_real_file(file):
            raise CannotStart(f"{file} is not a file of the daemon's; move it away, start again")
        _make_writable(file)


def _make_writable(file: Path) -> None:
    try:
        facts = os.lstat(file)
        if facts.st_mode & 0o600 != 0o600 and is_own(facts):
            file.chmod(0o600)
            _LOGGER.warning("%s could not be written to; now it can", file)
    except OSError:
        # Whoever opens it says why it cannot be.
        return


def _open(path: Path) -> Database:
    try:
        return Database(path)
    except sqlite3.OperationalError as error:
        if is_full(error):
            raise DiskFull(path, free_bytes(path.parent)) from error
        raise CannotStart(
            f"{path} cannot be opened ({error}); make it writable for you, or choose another "
            "folder by --data"
        ) from error
