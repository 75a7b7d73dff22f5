"""What a full or read-only disk means to the user; no codec is loaded for it."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fresco_media.errors import DiskFull, OutputNotWritable


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """What the operating system finds wrong inside is reported as a fault of the file `path`."""
    try:
        yield
    except OSError as error:
        raise output_fault(path, error) from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and rename it: it is there whole or not at all.

    Raises:
        DiskFull, OutputNotWritable: it cannot be stored; an older file stays as it was.
    """
    temporary = partial_name(path)
    with storing(path):
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def partial_name(path: Path, token: str | None = None) -> Path:
    """The name of a file or folder while it is being written, in the folder it will be in.

    It is short, as names of all the bytes a file system allows are legal. `token` tells apart
    those who write at once; without one every file has one such name, so that what a killed
    process left is taken up by the next.
    """
    token = token or hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
    return path.with_name(f".fresco-{token}.partial")


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
        return DiskFull(path, free_bytes(path.parent))
    if isinstance(error, FileNotFoundError):
        return OutputNotWritable(path, "its folder does not exist; create it or choose another")
    if isinstance(error, PermissionError) or code == errno.EROFS:
        return OutputNotWritable(path, "its folder may not be written to; choose another folder")
    return OutputNotWritable(
        path, f"writing failed ({getattr(error, 'strerror', None) or error}); try another folder"
    )


def free_bytes(folder: Path) -> int:
    """Room left on the disk of `folder`, or 0 where nobody can tell."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
