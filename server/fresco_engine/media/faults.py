"""Turns errors of codecs and of the operating system into the engine's own."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av.error

from fresco_engine.errors import ClipNotFound, ClipUnreadable, DiskFull, OutputNotWritable

NOT_A_VIDEO = (
    "it is not a video, or its beginning is damaged (an interrupted copy or recording does that); "
    "check that it plays in a video player, then copy or export it again"
)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever goes wrong inside is reported as a fault of the clip at `path`."""
    try:
        yield
    except FileNotFoundError as error:
        raise ClipNotFound(path, "there is no such file; check the path") from error
    except PermissionError as error:
        raise ClipUnreadable(
            path, "it may not be read; change its permissions or copy it elsewhere"
        ) from error
    except (av.error.FFmpegError, OSError, EOFError, ValueError) as error:
        raise ClipUnreadable(path, NOT_A_VIDEO) from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Whatever goes wrong inside is reported as a fault of the output at `path`."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise output_fault(path, error) from error


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
