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
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_LOGGER = logging.getLogger(__name__)
MARK = ".fresco"
DOOMED = ".deleted-"
_ID = re.compile(r"[0-9a-f]{16}")
_MOST_BYTES = 4096
_DEEPEST = 64
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_FILE_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
_Disk = tuple[int, str]
_LINK_TAGS = {
    getattr(stat, "IO_REPARSE_TAG_SYMLINK", None),
    getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", None),
} - {None}
HAS_DESCRIPTORS = {os.open, os.unlink, os.rmdir, os.rename} <= os.supports_dir_fd and (
    os.scandir in os.supports_fd
)
"""Whether folders can be held open, so that nobody swaps them between a check and what follows."""


@dataclass(frozen=True)
class Mark:
    """What a folder's mark says: the data folder it belongs to, and the name it was given."""

    data_id: str
    name: str


def new_id() -> str:
    """A data folder's id."""
    return secrets.token_hex(8)


def is_real_folder(path: Path) -> bool:
    """Whether there is a folder itself, not a link to one."""
    facts = _facts(path)
    return facts is not None and stat.S_ISDIR(facts.st_mode) and not _is_link(facts)


def is_real_file(path: Path) -> bool:
    """Whether there is an ordinary file itself, not a link to one."""
    facts = _facts(path)
    return facts is not None and stat.S_ISREG(facts.st_mode) and not _is_link(facts)


def _facts(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _is_link(facts: os.stat_result) -> bool:
    is_junction = getattr(facts, "st_reparse_tag", None) in _LINK_TAGS
    return stat.S_ISLNK(facts.st_mode) or is_junction


def is_own(facts: os.stat_result) -> bool:
    """Whether what `facts` tells of belongs to this user; where nobody can tell it does."""
    return not hasattr(os, "geteuid") or facts.st_uid == os.geteuid()


def read_small(path: Path, most_bytes: int = _MOST_BYTES) -> bytes | None:
    """The bytes of an ordinary file of this user's in a real folder; None if it is anything else.

    It is one and the same file that is checked and read.
    """
    if not is_real_folder(path.parent):
        return None
    try:
        descriptor = os.open(path, _FILE_FLAGS)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or not is_own(facts) or facts.st_size > most_bytes:
            return None
        return file.read(most_bytes)


def write_safely(path: Path, parts: Iterator[bytes]) -> None:
    """Write a file that only this user may read: whole or not at all, also when the power fails.

    Raises:
        OSError: it cannot be written; an older file stays as it was.
    """
    temporary = path.with_name(f".{path.name.lstrip('.')}.new")
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def mark_of(folder: Path) -> Mark | None:
    """The mark of a folder, if it has a sound one."""
    content = read_small(folder / MARK)
    try:
        values: Any = json.loads(content or b"null")
        mark = Mark(**values)
    except (ValueError, TypeError, RecursionError):
        return None
    is_sound = isinstance(mark.name, str) and isinstance(mark.data_id, str)
    return mark if is_sound and _ID.fullmatch(mark.data_id) else None


def put_mark(folder: Path, mark: Mark) -> None:
    """Mark a folder.

    Raises:
        OSError: it cannot be written.
    """
    write_safely(folder / MARK, iter([json.dumps(asdict(mark)).encode()]))


def bears(folder: Path, data_id: str) -> bool:
    """Whether a folder was made in the data folder `data_id` under the name it has, or is doomed.

    A copy that somebody made of one has another name.
    """
    mark = mark_of(folder)
    if mark is None or mark.data_id != data_id or not is_real_folder(folder):
        return False
    return folder.name == mark.name or folder.name.startswith(DOOMED)


def remove_marked(folder: Path, data_id: str) -> bool:
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
        mark = mark_of(doomed)
        if mark is None or mark.data_id != data_id or not _is_same(doomed, folder):
            return
        _empty(folder, _disk(folder), lambda name: name != MARK, _DEEPEST)
        # The mark goes last: a removal that was broken off is finished at the next start.
        if set(os.listdir(folder)) != {MARK}:
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        os.unlink(MARK, dir_fd=folder)
        os.rmdir(doomed.name, dir_fd=parent)


def _is_same(path: Path, descriptor: int) -> bool:
    here, there = os.lstat(path), os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _remove_by_path(doomed: Path) -> None:
    for path in doomed.iterdir():
        if path.name == MARK:
            continue
        if is_real_folder(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if {path.name for path in doomed.iterdir()} != {MARK}:
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
    (doomed / MARK).unlink()
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
