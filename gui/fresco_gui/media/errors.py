"""What can go wrong with media. Each text is a sentence that says what to do.

MediaError
├── ClipMissing       there is no such file or folder
├── ClipUnreadable    it is no video or picture, or it is damaged
└── ExportFailed      the output cannot be written
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av.error
from fresco_media.errors import ClipError, ClipNotFound


class MediaError(Exception):
    """Any error of clips, frames and exports; `path` is the file it is about."""

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(message)


class ClipMissing(MediaError):
    """There is no such file or folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            f"{_name(path)} is no longer where it was ({path.parent}). Put it back or relink it.",
        )


class ClipUnreadable(MediaError):
    """It cannot be read as a video or as a sequence of pictures."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, f"{_name(path)} cannot be shown: {reason}.")


class ExportFailed(MediaError):
    """The output cannot be written, or a frame for it cannot be had."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, f"{_name(path)} cannot be written: {reason}.")


def _name(path: Path) -> str:
    """A file's name; the root of a disk has none."""
    return path.name or str(path)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Report whatever goes wrong inside as a fault of the clip at `path`."""
    try:
        yield
    except (FileNotFoundError, ClipNotFound) as error:
        raise ClipMissing(path) from error
    except ClipError as error:
        raise ClipUnreadable(path, error.reason) from error
    except PermissionError as error:
        reason = "it may not be read; change its permissions or copy it elsewhere"
        raise ClipUnreadable(path, reason) from error
    except (av.error.FFmpegError, OSError, EOFError, ValueError) as error:
        reason = "it is no video, or it is damaged; check that it plays in a video player"
        raise ClipUnreadable(path, reason) from error
