"""Opening files by what they are: only regular ones, and in a confined process only its own.

Names come from strangers. A pipe would hold whoever opens it for ever, a device has no end, and
between looking at a name and opening it a folder in its path may have become a link elsewhere.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

from fresco_media.errors import ClipNotFound, ClipUnreadable

_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# Opening a pipe to read from it would wait for whoever writes.
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | _NO_LINK
_CAN_WALK = os.open in os.supports_dir_fd and bool(_NO_LINK)
_DESCRIPTORS = Path("/proc/self/fd")
_KERNEL_FOLDERS = ("/proc", "/sys")
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotAFile(OSError):
    """What was to be read is something else than a regular file; `strerror` is a sentence."""


class OutsideFolders(PermissionError):
    """A confined process was to read outside its folders; `strerror` is a sentence."""


class TooLarge(OSError):
    """A file has more bytes than anybody has use for; `strerror` is a sentence."""


class _Confinement:
    """Folders below which this process may read, links resolved; `None` stands for everywhere."""

    folders: tuple[Path, ...] | None = None


def confine(folders: Iterable[Path] | None) -> None:
    """From now on this process opens, by what is in this module, only what is below `folders`.

    `None` lifts it. Links in names are followed as long as they end below one of the folders.
    """
    real = None if folders is None else tuple(Path(os.path.realpath(item)) for item in folders)
    _Confinement.folders = real


@contextmanager
def confined(folders: Iterable[Path] | None) -> Iterator[None]:
    """As `confine`, while inside."""
    before = _Confinement.folders
    confine(folders)
    try:
        yield
    finally:
        _Confinement.folders = before


def is_confined() -> bool:
    """Whether this process may read only below some folders."""
    return _Confinement.folders is not None


def regular_file(path: Path | str) -> os.stat_result:
    """What the system knows of the regular file at `path`; nothing is opened.

    Raises:
        ClipNotFound: nothing is there.
        ClipUnreadable: it is a folder, pipe, device, socket, or a file the kernel makes up.
    """
    try:
        found = os.stat(path)
        check_kind(path, found)
    except NotAFile as error:
        raise ClipUnreadable(path, str(error.strerror)) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ClipNotFound(path, "there is no such file; check the path") from error
    except (OSError, ValueError) as error:
        raise ClipUnreadable(path, "it may not be read; check its permissions") from error
    return found


def open_file(path: Path | str) -> BinaryIO:
    """The regular file at `path`, opened for reading.

    Raises:
        NotAFile: it is a folder, pipe, device, socket, or a file the kernel makes up.
        OutsideFolders: the process is confined, and the file lies elsewhere.
        OSError: it is not there or may not be read.
    """
    check_kind(path, os.stat(path))
    descriptor = _opened(Path(path), _READ | _WITHOUT_WAITING)
    try:
        check_kind(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_file(path: Path | str, most_bytes: int) -> bytes:
    """All bytes of the regular file at `path`; raises as `open_file`, and `TooLarge`."""
    with open_file(path) as file:
        return limited(file, most_bytes, path)


def limited(file: BinaryIO, most_bytes: int, path: Path | str) -> bytes:
    """All bytes of the open regular file `file`, called `path`; raises `TooLarge`."""
    size = os.fstat(file.fileno()).st_size
    if size > most_bytes:
        raise TooLarge(
            errno.EFBIG, f"it has more than the {_bytes(most_bytes)} such a file may have", path
        )
    # No more than it had: it may grow while it is read.
    parts: list[bytes] = []
    while size and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def copy_file(source: Path | str, target: Path) -> None:
    """Copy the bytes of the regular file at `source` to `target`; raises as `open_file`.

    What is at `target` is replaced, and no link there is followed.
    """
    with open_file(source) as taken:
        target.unlink(missing_ok=True)
        with target.open("xb") as made:
            shutil.copyfileobj(taken, made)


def listed(folder: Path | str) -> list[Path]:
    """What lies in a folder, by name; raises as `open_file`."""
    folder = Path(folder)
    if not is_confined() or not _CAN_WALK or os.listdir not in os.supports_fd:
        return sorted(folder.iterdir())
    descriptor = _opened(folder, _READ | _WITHOUT_WAITING)
    try:
        return sorted(folder / name for name in os.listdir(descriptor))
    finally:
        os.close(descriptor)


@contextmanager
def settled(path: Path | str) -> Iterator[str]:
    """A name by which a library opens this very file, whatever becomes of its folder meanwhile.

    Only inside is the name valid. Raises as `open_file`.
    """
    with open_file(path) as file:
        if not is_confined():
            yield str(path)
        elif _DESCRIPTORS.is_dir():
            yield str(_DESCRIPTORS / str(file.fileno()))
        else:
            yield str(path)
            if not os.path.samestat(os.stat(path), os.fstat(file.fileno())):
                raise _outside(path)


def check_kind(path: Path | str, found: os.stat_result) -> None:
    """Raises: NotAFile when what the system has `found` at `path` is no regular file."""
    kind = next((name for is_it, name in _KINDS if is_it(found.st_mode)), "")
    if not kind and found.st_dev in _kernel_devices():
        kind = "made up by the system"
    if kind or not stat.S_ISREG(found.st_mode):
        raise NotAFile(errno.EINVAL, f"it is {kind or 'no file'}, not a file; choose a file", path)


@cache
def _kernel_devices() -> frozenset[int]:
    """Where files lie that the kernel makes up while they are read, some without an end."""
    devices: set[int] = set()
    for folder in _KERNEL_FOLDERS:
        # Where nothing is mounted there, it is a folder like any other.
        if os.path.ismount(folder):
            devices.add(os.stat(folder).st_dev)
    return frozenset(devices)


def _opened(path: Path, flags: int) -> int:
    folders = _Confinement.folders
    if folders is None:
        return os.open(path, flags)
    real = Path(os.path.realpath(path))
    if not any(real.is_relative_to(folder) for folder in folders):
        raise _outside(path)
    try:
        return _walked(real, flags) if _CAN_WALK else _compared(real, flags)
    except OSError as error:
        # What was no link a moment ago is one now.
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR):
            raise _outside(path) from error
        raise


def _walked(real: Path, flags: int) -> int:
    """Open a path without links folder by folder, so that none can become one on the way."""
    folder = os.open(real.anchor, _FOLDER)
    try:
        for part in real.parts[1:-1]:
            below = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        return os.open(real.parts[-1], flags | _NO_LINK, dir_fd=folder)
    finally:
        os.close(folder)


def _compared(real: Path, flags: int) -> int:
    """Open a path and look afterwards whether it still is without links."""
    descriptor = os.open(real, flags)
    is_same = os.path.samestat(os.fstat(descriptor), os.lstat(real))
    if is_same and Path(os.path.realpath(real)) == real:
        return descriptor
    os.close(descriptor)
    raise _outside(real)


def _outside(path: Path | str) -> OutsideFolders:
    return OutsideFolders(
        errno.EACCES,
        "it lies outside the folders that may be read here; upload it, or put it below one",
        str(path),
    )


def _bytes(count: int) -> str:
    return f"{count >> 20} MB" if count >= 1 << 20 else f"{count >> 10} KB"
