"""Whether a folder may be the daemon's data folder: its own, or empty, and nobody else's."""

from __future__ import annotations

import errno
import logging
import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from fresco_media.files.own import is_own, is_real_file, is_real_folder, what_is

from fresco_server.errors import CannotStart
from fresco_server.jobs.marker_files import marker_of

_LOGGER = logging.getLogger(__name__)
DATABASE = "jobs.sqlite3"
FOLDERS = ("jobs", "uploads", "looks")
_DATABASE_FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal")
_TRACES = ("daemon.lock", "daemon.log", "token")
_FILES = re.compile(
    r"\.?(fresco|daemon\.(json|lock|log(\.[0-9])?)|daemon-output\.log|token|program\.json"
    r"|jobs\.sqlite3(-wal|-shm|-journal|\.damaged-.*)?)(\.partial|\.new)?"
    r"|\.fresco-[0-9a-f]{12}\.partial"
)
_HARMLESS = ("resolve", "lost+found", ".DS_Store", "desktop.ini", "Thumbs.db")
"""What the plugin for Resolve keeps here, and what systems put into any folder."""


def claim(data: Path) -> Path:
    """The real folder that `data` is, made where there is none; nothing in it is changed.

    Raises:
        CannotStart: it is not the daemon's and not empty, belongs to somebody else, or something
            in it is not what the daemon keeps there.
    """
    try:
        _make(data)
        folder = examine(data)
    except (OSError, RuntimeError, ValueError) as error:
        raise CannotStart(
            f"{data}: cannot be used as a data folder ({getattr(error, 'strerror', error)}); "
            "choose another by --data"
        ) from error
    _tighten(folder)
    return folder


def _make(data: Path) -> None:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        place = next(place for place in (data, *data.parents) if os.path.lexists(place))
        raise CannotStart(
            f"{place} is {what_is(place)} and not a folder, so it cannot hold the daemon's data; "
            "move it away, or choose another by --data"
        ) from error


def examine(data: Path) -> Path:
    """The real folder that `data` is, which is looked at only.

    Raises:
        CannotStart: as for `claim`.
        OSError: it cannot be looked at.
    """
    folder = data.resolve(strict=True)
    names = sorted(os.listdir(folder))
    _check_owner(folder, names)
    _check_kinds(folder, names)
    if marker_of(folder) is None and not is_established(folder):
        _check_empty(folder, names)
    return folder


def is_file_of_ours(name: str) -> bool:
    """Whether the daemon calls a file in its data folder so."""
    return _FILES.fullmatch(name) is not None


def is_established(folder: Path) -> bool:
    """Whether an earlier version of the daemon, which left no mark, has worked in a folder."""
    if _has_our_tables(folder / DATABASE):
        return True
    traces = sum(is_real_file(folder / name) for name in _TRACES)
    return traces == len(_TRACES) and is_real_folder(folder / "jobs")


def _has_our_tables(path: Path) -> bool:
    if not is_real_file(path):
        return False
    try:
        uri = f"{path.as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {"jobs", "events"} <= {row[0] for row in found}
    except sqlite3.Error:
        return False


def _check_owner(folder: Path, names: list[str]) -> None:
    """As for keys of ssh: only root and this user may have a hand in it."""
    for path in (folder, *(folder / name for name in names)):
        try:
            facts = os.lstat(path)
        except OSError:
            continue
        if not is_own(facts) and facts.st_uid != 0:
            raise CannotStart(
                f"{path} belongs to another user (number {facts.st_uid}), who could have the "
                "daemon do as they like; start it as that user, or choose another folder by --data"
            )


def _tighten(folder: Path) -> None:
    """See to it that nobody else may look into the folder.

    Raises:
        CannotStart: others may write there and the folder is not ours to change, or is on a disk
            that keeps no permissions or is read-only.
    """
    facts = os.stat(folder)
    if not hasattr(os, "geteuid") or not facts.st_mode & 0o077:
        return
    if not is_own(facts):
        if facts.st_mode & 0o022:
            raise CannotStart(
                f"{folder}: others may write there; 'chmod go-w' it as its owner, or choose "
                "another folder by --data"
            )
        return
    try:  # Some disks refuse, others take it and change nothing.
        folder.chmod(stat.S_IMODE(facts.st_mode) & ~0o077 | 0o700)
    except OSError as error:
        if error.errno == errno.EROFS:
            raise CannotStart(
                f"{folder}: its disk is read-only; choose a folder on another disk by --data"
            ) from error
    left = os.stat(folder).st_mode
    if left & 0o022:
        raise CannotStart(
            f"{folder}: its disk keeps no permissions, so everybody on this machine could have "
            "the daemon do as they like; choose a folder on another disk by --data"
        )
    if left & 0o077:
        _LOGGER.warning("%s: others can look into it, and its disk lets nobody change that", folder)
    else:
        _LOGGER.warning("%s: others could look into it; now only its user may", folder)


def _check_kinds(folder: Path, names: list[str]) -> None:
    """Nothing that the daemon reads or writes may lead elsewhere."""
    for name in names:
        path = folder / name
        if name in FOLDERS and not is_real_folder(path):
            raise CannotStart(
                f"{path} is {what_is(path)} and not a folder of the daemon's; move it away, or "
                "choose another folder by --data (a link to the whole data folder works)"
            )
        if is_file_of_ours(name) and not is_real_file(path):
            raise CannotStart(
                f"{path} is {what_is(path)} and not a file of the daemon's; move it away and start "
                "again, or choose another folder by --data"
            )


def _check_empty(folder: Path, names: list[str]) -> None:
    foreign = next(_foreign(folder, names), None)
    if foreign is not None:
        raise CannotStart(
            f"{folder} is not a data folder of Fresco's: {foreign} is in it; choose an empty or "
            "new folder by --data"
        )


def _foreign(folder: Path, names: list[str]) -> Iterator[str]:
    for name in names:
        if name in FOLDERS:
            yield from (f"{name}/{inner}" for inner in sorted(os.listdir(folder / name)))
        elif (name in _DATABASE_FILES and (folder / name).stat().st_size) or (
            not is_file_of_ours(name) and name not in _HARMLESS
        ):
            yield name
