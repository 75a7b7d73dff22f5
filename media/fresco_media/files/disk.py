"""What a full or read-only disk means to the user; no codec is loaded for it."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from fresco_settings.rename import rename_new, why_kept

from fresco_media.errors import DiskFull, OutputNotWritable

NEW = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
)
"""How a file is opened that must not be there yet."""
_TAKEN = "this name was taken during the work"
_PARTIAL = re.compile(r"\.fresco-[0-9a-f]{12}\.partial")


class Displaced(OSError):
    """A folder of ours is no longer what was made there; `strerror` is a sentence."""


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """What the operating system finds wrong inside is reported as a fault of the file `path`."""
    try:
        yield
    except OSError as error:
        raise output_fault(path, error) from error


def write_whole(
    path: Path,
    data: bytes | Iterable[bytes],
    *,
    is_private: bool = False,
    is_durable: bool = False,
    is_new: bool = False,
    folder: int | None = None,
) -> None:
    """Write a file under a temporary name and rename it: it is there whole or not at all.

    One that `is_new` replaces nothing, see `give_name`. One that `is_private` only this user may
    read; one that `is_durable` is whole also when the power fails. `folder` is the folder of
    `path`, where that is held open. What is in the place of the temporary name, and without
    `is_new` in that of the other, such as a link or a pipe, is replaced and never written through.

    Raises:
        DiskFull, OutputNotWritable: it cannot be stored; an older file stays as it was.
    """
    temporary, target = (
        str(name) if folder is None else name.name for name in (partial_name(path), path)
    )
    with storing(path):
        # What a killed process left, or somebody else put there.
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        try:
            descriptor = os.open(temporary, NEW, 0o600 if is_private else 0o666, dir_fd=folder)
            with os.fdopen(descriptor, "wb") as file:
                file.writelines((data,) if isinstance(data, bytes) else data)
                if is_durable:
                    file.flush()
                    os.fsync(file.fileno())
            if is_new:
                give_name(Path(temporary), Path(target))
            else:
                os.replace(temporary, target, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise


def give_name(temporary: Path, path: Path) -> None:
    """Give a file that is whole the name of a result, which nothing had when the work began.

    Raises:
        OutputNotWritable: somebody took it during the work; the file is kept beside it.
        OSError: it cannot be renamed.
    """
    try:
        rename_new(temporary, path)
    except FileExistsError:
        raise kept_beside(temporary, path) from None


def check_replaceable(path: Path) -> None:
    """Insist on a result being able, and allowed, to take the place of what has this name.

    Raises:
        OutputNotWritable: it is not, see `why_kept`.
    """
    why = why_kept(path)
    if why:
        raise OutputNotWritable(path, f"{why}; choose another name")


def kept_beside(
    temporary: Path, path: Path, *, suffix: str | None = None, is_protected: bool = False
) -> OutputNotWritable:
    """What to say of a name that cannot be had, once the file or folder has a free one like it.

    It was taken meanwhile, or has, where that `is_protected`, what may not be replaced.
    """
    why = "what has this name may not be replaced" if is_protected else _TAKEN
    ending = path.suffix if suffix is None else suffix
    for number in count(2):
        spare = path.with_name(f"{short_stem(path)} ({number}){ending}")
        with suppress(FileExistsError):
            if temporary.is_dir():
                spare.mkdir()  # An empty folder is what a folder may replace.
                temporary.replace(spare)
            else:
                rename_new(temporary, spare)
            return OutputNotWritable(path, f"{why}; the result is whole, as {spare.name}")
    raise AssertionError("numbers have no end")


def partial_name(path: Path, token: str | None = None) -> Path:
    """The name of a file or folder while it is being written, in the folder it will be in.

    It is short, as names of all the bytes a file system allows are legal. `token` tells apart
    those who write at once; without one every file has one such name, so that what a killed
    process left is taken up by the next.
    """
    token = token or hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
    return path.with_name(f".fresco-{token}.partial")


def is_partial_name(name: str) -> bool:
    """Whether a name is one that `partial_name` gives to a file without a token."""
    return _PARTIAL.fullmatch(name) is not None


def short_stem(path: Path, longest: int = 200) -> str:
    """The stem of a name as the beginning of another one, which has to end in something more.

    It has at most `longest` bytes, as names are limited in bytes (255 on most systems).
    """
    plain = path.stem.encode("utf-8", "replace").decode().replace("%", "_")
    return plain.encode()[:longest].decode(errors="ignore")


def output_fault(path: Path, error: Exception) -> DiskFull | OutputNotWritable:
    """What `error`, met while `path` was written, means to the user."""
    code = getattr(error, "errno", None)
    if code == errno.ENOSPC:
        return DiskFull(path, free_bytes(path))
    if code == errno.ENAMETOOLONG:
        return OutputNotWritable(path, "this name is too long; choose a shorter one")
    if code == errno.EFBIG:
        return OutputNotWritable(
            path, "files may not grow so large here; raise that limit, or write to another disk"
        )
    if isinstance(error, Displaced):
        return OutputNotWritable(path, str(error.strerror))
    if isinstance(error, FileNotFoundError):
        return OutputNotWritable(path, "its folder does not exist; create it or choose another")
    if isinstance(error, PermissionError) or code == errno.EROFS:
        return OutputNotWritable(path, "its folder may not be written to; choose another folder")
    return OutputNotWritable(
        path, f"writing failed ({getattr(error, 'strerror', None) or error}); try another folder"
    )


def free_bytes(path: Path) -> int:
    """Room left on the disk where `path` is or would be, or 0 where nobody can tell.

    A folder may be the top of a disk of its own, so its parent's would be another one.
    """
    for place in (path, *path.absolute().parents):
        try:
            return shutil.disk_usage(place).free
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            break
    return 0
