"""Files that this program keeps for itself: what was put in the place of one is never followed.

A folder of its own can be written by whoever has its user's rights, also while the program works
in it. So nothing there is taken for what its name promises: a link would lead reading, writing
and removing elsewhere, a pipe would hold the reader for ever, and JSON may be nested beyond
parsing. Each is a fault with a sentence.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from fresco_media.files.disk import Displaced, partial_name, write_whole
from fresco_media.files.opening import NotAFile, check_kind, limited

SMALL = 4096
"""Bytes of a note such as a mark."""
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
# Opening a pipe to read from it would wait for whoever writes.
_READ = os.O_RDONLY | _FLAGS | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _FLAGS
_HAS_DESCRIPTORS = {os.open, os.unlink, os.rename, os.link, os.stat} <= os.supports_dir_fd
_COPY_BYTES = 1 << 20
_NOT_LINKS = (
    {"follow_symlinks": False} if os.link in getattr(os, "supports_follow_symlinks", ()) else {}
)
_LINK_TAGS = {
    getattr(stat, "IO_REPARSE_TAG_SYMLINK", None),
    getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", None),
} - {None}


class Damaged(OSError):
    """A file holds something else than was once written there; `strerror` is a sentence."""


def is_real_folder(path: Path) -> bool:
    """Whether there is a folder itself, not a link to one."""
    facts = _facts(path)
    return facts is not None and stat.S_ISDIR(facts.st_mode) and not _is_link(facts)


def is_real_file(path: Path) -> bool:
    """Whether there is an ordinary file itself, not a link to one."""
    facts = _facts(path)
    return facts is not None and stat.S_ISREG(facts.st_mode) and not _is_link(facts)


def is_own(facts: os.stat_result) -> bool:
    """Whether what `facts` tells of belongs to this user; where nobody can tell it does."""
    return not hasattr(os, "geteuid") or facts.st_uid == os.geteuid()


def parsed(data: bytes, path: Path) -> dict[str, Any]:
    """The object that `data`, the content of `path`, is as JSON.

    Raises:
        Damaged: it is none, or is nested beyond parsing.
    """
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Damaged(errno.EINVAL, "it is damaged and cannot be read", str(path)) from error
    if not isinstance(values, dict):
        raise Damaged(errno.EINVAL, "it is damaged: it holds something else", str(path))
    return values


class OwnFolder:
    """A folder of this program's own, which is no link, and the files in it and one level below.

    Names are such as "plan.json" or "frames/000001.png". Where the system can, every step is taken
    from the folder that was opened before, so that none can become a link on the way. What was
    `taken` has to stay the very same folder. Everything raises

        NotAFile    a file is a link, pipe, device or folder
        Displaced   the folder, or one in it, is a link or no folder, or is not the one taken
        OSError     it is not there, or may not be used
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity: tuple[int, int] | None = None

    def taken(self) -> OwnFolder:
        """The folder itself, from now on known by what it is and not by its name alone."""
        with self._opened(self.path, None) as descriptor:
            found = os.lstat(self.path) if descriptor is None else os.fstat(descriptor)
        self._identity = found.st_dev, found.st_ino
        return self

    def make(self, name: str) -> None:
        """Make a folder in it, unless it is there."""
        with self._at(name) as (place, folder):
            with suppress(FileExistsError):
                os.mkdir(place, 0o777, dir_fd=folder)
            with self._opened(place, folder):
                pass

    def names(self, name: str = "") -> list[str]:
        """What lies in it, or in a folder in it, in no order."""
        with self._at(f"{name}/x" if name else "x") as (place, folder):
            return os.listdir(os.path.dirname(place) if folder is None else folder)

    def has(self, name: str, *, is_alone: bool = False) -> bool:
        """Whether an ordinary file is there; `is_alone` if it has to have no second name."""
        try:
            return self.facts(name).st_nlink == 1 or not is_alone
        except OSError:
            return False

    def facts(self, name: str) -> os.stat_result:
        """What the system knows of an ordinary file."""
        with self._at(name) as (place, folder):
            found = os.stat(place, dir_fd=folder, follow_symlinks=False)
        self._check(name, found)
        return found

    def open(self, name: str, *, is_written: bool = False) -> BinaryIO:
        """A file, opened for reading, or for changing it in place."""
        flags = _READ | os.O_RDWR if is_written else _READ
        with self._at(name) as (place, folder):
            found = os.stat(place, dir_fd=folder, follow_symlinks=False)
            self._check(name, found)
            descriptor = os.open(place, flags, dir_fd=folder)
        try:
            found = os.fstat(descriptor)
            self._check(name, found)
            if is_written and found.st_nlink > 1:
                raise NotAFile(
                    errno.EMLINK,
                    "it is somebody else's file under a second name",
                    str(self.path / name),
                )
            # Whoever changes a file wants to know what the disk has taken.
            if is_written:
                return os.fdopen(descriptor, "r+b", buffering=0)
            return os.fdopen(descriptor, "rb")
        except BaseException:
            os.close(descriptor)
            raise

    def read(self, name: str, most_bytes: int = SMALL, *, is_owner_checked: bool = False) -> bytes:
        """All bytes of a file; raises `TooLarge` as well."""
        with self.open(name) as file:
            facts = os.fstat(file.fileno())
            if is_owner_checked and not is_own(facts):
                raise PermissionError(errno.EACCES, "it belongs to another user", name)
            return limited(file, most_bytes, self.path / name)

    def read_json(
        self, name: str, most_bytes: int = SMALL, *, is_owner_checked: bool = False
    ) -> dict[str, Any]:
        """The object in a JSON file; raises `TooLarge` and `Damaged` as well."""
        data = self.read(name, most_bytes, is_owner_checked=is_owner_checked)
        return parsed(data, self.path / name)

    def write(
        self,
        name: str,
        data: bytes | Iterable[bytes],
        *,
        is_private: bool = False,
        is_durable: bool = False,
    ) -> None:
        """Write a file whole or not at all; raises what `write_whole` does."""
        with self._at(name) as (_, folder):
            write_whole(
                self.path / name,
                data,
                is_private=is_private,
                is_durable=is_durable,
                folder=folder,
            )

    def remove(self, name: str) -> None:
        """Remove a file, or a link itself, if it is there."""
        with suppress(FileNotFoundError), self._at(name) as (place, folder):
            os.unlink(place, dir_fd=folder)

    def rename(self, name: str, new: str) -> None:
        """Give a file in it another name, in its place whatever had that."""
        with self._at(name) as (place, folder), self._at(new) as (other, other_folder):
            os.replace(place, other, src_dir_fd=folder, dst_dir_fd=other_folder)

    def share(self, name: str, source: OwnFolder, source_name: str) -> bool:
        """Whether `name` now is the file `source_name` of `source` under a second name.

        Not all disks can do that.
        """
        temporary = str(partial_name(Path(name)))
        try:
            with source._at(source_name) as (place, folder), self._at(temporary) as (other, below):
                os.link(place, other, src_dir_fd=folder, dst_dir_fd=below, **_NOT_LINKS)
            # Looked at under the new name, as the old one may lead elsewhere by now.
            if not self.has(temporary):
                return False
            self.rename(temporary, name)
        except OSError:
            return False
        finally:
            with suppress(OSError):  # Renaming one name of a file to another leaves both.
                self.remove(temporary)
        return True

    def take_over(self, name: str, source: OwnFolder, source_name: str) -> None:
        """`name` becomes the file `source_name` of `source`, or a copy of it."""
        if self.share(name, source, source_name):
            return
        with source.open(source_name) as file:
            self.write(name, iter(lambda: file.read(_COPY_BYTES), b""))

    @contextmanager
    def _at(self, name: str) -> Iterator[tuple[str, int | None]]:
        """How the system is to be given `name`: a name, and the open folder it is in."""
        *above, leaf = PurePath(name).parts
        with self._opened(self.path, None) as base:
            self._check_identity(base)
            if not above:
                yield (leaf if base is not None else str(self.path / leaf)), base
                return
            inner = above[0] if base is not None else self.path / above[0]
            with self._opened(inner, base) as folder:
                yield (leaf if folder is not None else str(self.path / name)), folder

    @contextmanager
    def _opened(self, path: Path | str, folder: int | None) -> Iterator[int | None]:
        if not _HAS_DESCRIPTORS:
            if os.path.lexists(path) and not is_real_folder(Path(path)):
                raise _displaced(path)
            yield None
            return
        try:
            descriptor = os.open(path, _FOLDER, dir_fd=folder)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR):
                raise _displaced(path if folder is None else self.path / path) from error
            raise
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _check_identity(self, base: int | None) -> None:
        if self._identity is None:
            return
        found = os.lstat(self.path) if base is None else os.fstat(base)
        if (found.st_dev, found.st_ino) != self._identity:
            raise Displaced(
                errno.ESTALE,
                "it was moved or replaced while it was worked in; put it back as it was",
                str(self.path),
            )

    def _check(self, name: str, found: os.stat_result) -> None:
        if _is_link(found):
            raise NotAFile(errno.ELOOP, "it is a link, not a file", str(self.path / name))
        check_kind(self.path / name, found)


def _displaced(path: Path | str) -> Displaced:
    return Displaced(
        errno.ENOTDIR,
        f"{Path(path).name} is {what_is(Path(path))} and not the folder that was made there; move "
        "it away, and put back what was there",
        str(path),
    )


def what_is(path: Path) -> str:
    """What lies at `path` that should be something else."""
    facts = _facts(path)
    if facts is None:
        return "gone"
    if _is_link(facts):
        return "a link" if path.exists() else "a link that leads nowhere"
    if stat.S_ISDIR(facts.st_mode):
        return "a folder"
    return "a file" if stat.S_ISREG(facts.st_mode) else "a device or pipe"


def _facts(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _is_link(facts: os.stat_result) -> bool:
    is_junction = getattr(facts, "st_reparse_tag", None) in _LINK_TAGS
    return stat.S_ISLNK(facts.st_mode) or is_junction
