"""Turns errors of codecs and of the operating system into the engine's own."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av.error

from fresco_media.errors import ClipNotFound, ClipUnreadable
from fresco_media.files.disk import free_bytes, output_fault
from fresco_media.files.opening import NotAFile, OutsideFolders, TooLarge

__all__ = ["NOT_A_VIDEO", "free_bytes", "output_fault", "reading", "writing"]

NOT_A_VIDEO = (
    "it is not a video, or its beginning is damaged (an interrupted copy or recording does that); "
    "check that it plays in a video player, then copy or export it again"
)

# What a disk says that is damaged, was pulled out or is behind a network that is down.
_DISK_IS_GONE = {
    *(errno.EIO, errno.ENXIO, errno.ENODEV, errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT),
    *(errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH, errno.ECONNRESET),
    *(errno.ECONNABORTED, errno.ECONNREFUSED),
}


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever goes wrong inside is reported as a fault of the clip at `path`."""
    try:
        yield
    except FileNotFoundError as error:
        raise ClipNotFound(path, "there is no such file; check the path") from error
    except (NotAFile, OutsideFolders, TooLarge) as error:
        raise ClipUnreadable(path, str(error.strerror)) from error
    except PermissionError as error:
        raise ClipUnreadable(
            path, "it may not be read; change its permissions or copy it elsewhere"
        ) from error
    except (av.error.FFmpegError, OSError, EOFError, ValueError) as error:
        if isinstance(error, OSError) and _is_of_disk(error):
            why = f"its disk cannot be read ({error.strerror})"
            raise ClipUnreadable(path, f"{why}; check that it is connected and sound") from error
        raise ClipUnreadable(path, NOT_A_VIDEO) from error


def _is_of_disk(error: OSError) -> bool:
    # FFmpeg says EIO of files that are cut off, too.
    is_cut_off = isinstance(error, av.error.FFmpegError) and error.errno == errno.EIO
    return error.errno in _DISK_IS_GONE and not is_cut_off


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Whatever goes wrong inside is reported as a fault of the output at `path`."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise output_fault(path, error) from error
