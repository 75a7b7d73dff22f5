"""Where the frames of a clip come from: its media file, or a render of what Resolve shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from fresco_client import ClipInfo, ClipSource

from fresco_davinci.choices import Pixels
from fresco_davinci.clips import ClipRange
from fresco_davinci.errors import CannotRestyle


@dataclass(frozen=True, kw_only=True)
class FileSource:
    """Frames `first` to `first` + `count` - 1 of a media file, counted as Resolve counts."""

    clip: ClipSource
    first: int
    count: int
    frames: int | None
    """Of the whole file, as Resolve tells."""
    first_number: int = 0
    """Number in the name of the first picture Resolve knows, for numbered pictures."""

    def first_index(self, info: ClipInfo) -> int | None:
        """The first frame as the daemon counts; None if it counts this file otherwise.

        The daemon takes in all pictures of a sequence, also those that Resolve does not use.
        """
        if info.is_sequence:
            index = self.first_number - info.first_number + self.first
        elif info.is_variable_rate or (self.frames is not None and self.frames != info.frame_count):
            return None
        else:
            index = self.first
        return index if index >= 0 and index + self.count <= info.frame_count else None


@dataclass(frozen=True, kw_only=True)
class RenderSource:
    """The range has to be rendered."""

    reason: str
    """Words that follow "it"."""


def source_of(part: ClipRange, rate: Fraction, pixels: Pixels) -> FileSource | RenderSource:
    """Where the frames of a part come from; `rate` is the timeline's.

    Raises:
        CannotRestyle: the clip has no media, it is gone, or the file must be used but does not fit.
    """
    media = part.clip.media
    if media is None:
        raise CannotRestyle(
            part.clip.name,
            "has no media: it is a title, a generator or a Fusion composition. Make a compound "
            "clip of it (right-click, New Compound Clip), then restyle that.",
        )
    if media.path and not _is_there(media.path):
        raise CannotRestyle(
            part.clip.name,
            f"is offline: there is no {media.path}. Relink it in the media pool, then try again.",
        )
    never = _why_never_the_file(part, rate)
    why = never or _why_rather_not(part)
    if pixels == "render" or (pixels == "auto" and why):
        return RenderSource(reason=why or "is to be rendered")
    if never:
        raise CannotRestyle(
            part.clip.name,
            f"cannot be taken from its media file, as it {never}. Choose automatic or render as "
            "the source of frames.",
        )
    path, number = _opened_by(media.path)
    return FileSource(
        clip=ClipSource(path=path, frame_rate=media.rate if number is not None else None),
        first=part.offset,
        count=part.count,
        frames=media.frames,
        first_number=number or 0,
    )


def _why_never_the_file(part: ClipRange, rate: Fraction) -> str:
    """Why the frames that are shown are not those of the file, one after the other."""
    media = part.clip.media
    if media is None or not media.path:
        return "is made of several clips"
    if part.clip.is_retimed:
        return "is retimed"
    if media.rate != rate:
        # Which frame is shown when is up to Resolve then.
        return "has another frame rate than the timeline"
    return ""


def _why_rather_not(part: ClipRange) -> str:
    """Why they do not look like those of the file."""
    if part.clip.is_retimed is None:
        return "may be retimed, which this version of Resolve does not tell"
    return part.clip.oddities[0] if part.clip.oddities else ""


_SPAN = re.compile(r"\[(\d+)-(\d+)\](?=\.[^./\\]+$)")


def _opened_by(path: str) -> tuple[str, int | None]:
    """What the daemon opens: of numbered pictures the first, and its number; else the path."""
    found = _SPAN.search(path)
    if found is None:
        return path, None
    return f"{path[: found.start()]}{found[1]}{path[found.end() :]}", int(found[1])


def _is_there(path: str) -> bool:
    return Path(_opened_by(path)[0]).exists()
