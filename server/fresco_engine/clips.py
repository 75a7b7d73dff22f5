"""Clips as a script opens them; apart from the front door, which loads no codecs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from fresco_media.clip import Clip


def open_clip(path: Path | str, *, frame_rate: Fraction | None = None) -> Clip:
    """The clip at `path`: a video file, an animated picture, or pictures with numbers.

    `frame_rate` is that of an image sequence, 24 unless given.

    Raises:
        ClipError: there is no clip, or one that cannot be read.
    """
    return Clip.open(path, frame_rate=frame_rate)
