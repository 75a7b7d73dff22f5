"""Folders known to be the daemon's: marked when they are made, removed only if they bear the mark.

A mark is a small file with the random id of the data folder. What bears none, another data
folder's, or lies behind a link was put there by somebody else and is never touched.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from fresco_media.files.own import OwnFolder, is_real_folder

_LOGGER = logging.getLogger(__name__)
MARKER_FILE = ".fresco"
DOOMED = ".deleted-"
_ID = re.compile(r"[0-9a-f]{16}")
_DEEPEST = 64
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_Disk = tuple[int, str]
HAS_DESCRIPTORS = {os.open, os.unlink, os.rmdir, os.rename} <= os.supports_dir_fd and (
    os.scandir in os.supports_fd
)
"""Whether folders can be held open, so that nobody swaps them between a check and what follows."""


@dataclass(frozen=True)
class FolderMarker:
    """What a folder's mark says: the data folder it belongs to, and the name it was given."""

    data_id: str
    name: str


def new_id() -> str:
    """A data folder's id."""
    return secrets.token_hex(8)


def marker_of(folder: Path) -> FolderMarker | None:
    """The mark of a folder, if it has a sound one."""
    try:
        mark = FolderMarker(**OwnFolder(folder).read_json(MARKER_FILE, is_owner_checked=True))
    except (OSError, TypeError):
        return None
    is_sound = isinstance(mark.name, str) and isinstance(mark.data_id, str)
    return mark if is_sound and _ID.fullmatch(mark.data_id) else None


def write_marker(folder: Path, mark: FolderMarker) -> None:
    """Mark a folder.

    Raises:
        DiskFull, OutputNotWritable: it cannot be written.
    """
    data = json.dumps(asdict(mark)).encode()
    OwnFolder(folder).write(MARKER_FILE, data, is_private=True, is_durable=True)


def bears(folder: Path, data_id: str) -> bool:
    """Whether a folder was made in the data folder `data_id` under the name it has, or is doomed.

    A copy that somebody made of one has another name.
    """
    mark = marker_of(folder)
    if mark is None or mark.data_id != data_id or not is_real_folder(folder):
        return False
    return folder.name == mark.name or folder.name.startswith(DOOMED)


def remove_with_marker(folder: Path, data_id: str) -> bool:
    """Remove a folder that bears our mark; it is gone from its place at once. Whether it was ours.

    Links in it are removed and not followed, other disks in it are left alone.
    """
    if not bears(folder, data_id):
        return False
    doomed = folder
    if not folder.name.startswith(DOOMED):
        doomed = folder.with_name(f"{DOOMED}{secrets.token_hex(8)}")
        folder.rename(doomed)
    try:
        if HAS_DESCRIPTORS:
            _remove_by_descriptor(doomed, data_id)
        else:
            _remove_by_path(doomed)
    except OSError as error:
        _LOGGER.warning("%s: not all of it can be removed (%s)", doomed, error.strerror)
    return True


def _remove_by_descriptor(doomed: Path, data_id: str) -> None:
    with _opened(doomed.parent) as parent, _opened(doomed.name, parent) as folder:
        # Swapped between the check and the opening, it would be another one.
        mark = marker_of(doomed)
        if mark is None or mark.data_id != data_id or not _is_same(doomed, folder):
            return
        _empty(folder, _disk(folder), lambda name: name != MARKER_FILE, _DEEPEST)
        # The mark goes last: a removal that was broken off is finished at the next start.
        if set(os.listdir(folder)) != {MARKER_FILE}:
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        os.unlink(MARKER_FILE, dir_fd=folder)
        os.rmdir(doomed.name, dir_fd=parent)


def _is_same(path: Path, descriptor: int) -> bool:
    here, there = os.lstat(path), os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _remove_by_path(doomed: Path) -> None:
    for path in doomed.iterdir():
        if path.name == MARKER_FILE:
            continue
        if is_real_folder(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if {path.name for path in doomed.iterdir()} != {MARKER_FILE}:
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
    (doomed / MARKER_FILE).unlink()
    doomed.rmdir()


def remove_inside(folder: Path, data_id: str, is_doomed: Callable[[str], bool]) -> None:
    """Remove what lies anywhere in a folder of ours under a name that `is_doomed`."""
    if not bears(folder, data_id):
        return
    if HAS_DESCRIPTORS:
        with suppress(OSError), _opened(folder) as opened:
            _empty(opened, _disk(opened), is_doomed, _DEEPEST, keeps_others=True)
        return
    for path in folder.rglob("*"):
        if is_doomed(path.name) and is_real_folder(path):
            shutil.rmtree(path, ignore_errors=True)
        elif is_doomed(path.name):
            path.unlink(missing_ok=True)


@contextmanager
def _opened(folder: Path | str, parent: int | None = None) -> Iterator[int]:
    descriptor = os.open(folder, _FOLDER_FLAGS, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _empty(
    folder: int,
    disk: _Disk,
    is_doomed: Callable[[str], bool],
    depth: int,
    *,
    keeps_others: bool = False,
) -> None:
    """Remove what `is_doomed` from an open folder; with `keeps_others` look into the other ones."""
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        with suppress(OSError):
            if not entry.is_dir(follow_symlinks=False):
                if is_doomed(entry.name):
                    os.unlink(entry.name, dir_fd=folder)
            elif depth and (is_doomed(entry.name) or keeps_others):
                with _opened(entry.name, folder) as inner:
                    if _disk(inner) != disk:
                        continue
                    goes = is_doomed(entry.name)
                    below = _everything if goes else is_doomed
                    _empty(inner, disk, below, depth - 1, keeps_others=not goes)
                if goes:
                    os.rmdir(entry.name, dir_fd=folder)


def _disk(folder: int) -> _Disk:
    """What tells the disk of an open folder, and how it was mounted, from all others."""
    mount = ""
    # A folder that is mounted a second time, inside of ours, has the same device.
    with suppress(OSError), open(f"/proc/self/fdinfo/{folder}") as facts:
        mount = next((line for line in facts if line.startswith("mnt_id:")), "")
    return os.fstat(folder).st_dev, mount


def _everything(name: str) -> bool:
    return True
