"""Values that travel from clips to results: pictures, frames and descriptions. No codecs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""A picture: (height, width, 3), RGB, 0-255, full range, opaque, SDR as screens show it."""

Matte = NDArray[np.uint8]
"""How opaque a picture is: (height, width), 0 where nothing of it is seen, to 255."""


@dataclass(frozen=True, kw_only=True)
class ColourTags:
    """How a stream's colours are to be read: code points of ITU-T H.273; 2 means not stated."""

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    is_full_range: bool = False


@dataclass(frozen=True)
class Join:
    """Where stamps of a file start over, as where two recordings were joined.

    From the byte `starts[stream index]` of the file on, `offset_s` is to be added to the stamps
    of a stream. `number` is that of the first packet of the pictures behind it.
    """

    starts: Mapping[int, int]
    offset_s: Fraction
    number: int


@dataclass(frozen=True, kw_only=True)
class ClipProperties:
    """What is known of a clip before its frames are decoded.

    `width` and `height` are those a viewer shows: rotation is applied. `times` holds every
    frame's presentation time in ticks of `time_base`, ascending, so it is also the frame count.
    `colour` are the tags of its pictures as they are handed out: converted ones are BT.709.
    `last_frame_s` is how long the last frame is shown where that is not what `frame_rate` says.
    `sound_start_s` is when the first sound is heard on the same clock, None without any. `joins`
    are where the file's stamps start over (`fresco_media.video.continuity`), while `times` go on.
    `is_followed` says that the file goes on behind the last frame with what is not of the clip,
    `starts_anywhere` that its clock was running before: when it begins says nothing.
    """

    path: Path
    width: int
    height: int
    frame_rate: Fraction
    time_base: Fraction
    times: tuple[int, ...]
    rotation: int = 0
    bit_depth: int = 8
    has_alpha: bool = False
    has_audio: bool = False
    is_variable_rate: bool = False
    is_sequence: bool = False
    sample_aspect: Fraction = Fraction(1)
    colour: ColourTags = ColourTags()
    codec: str = ""
    last_frame_s: Fraction | None = None
    sound_start_s: Fraction | None = None
    joins: tuple[Join, ...] = ()
    is_followed: bool = False
    starts_anywhere: bool = False

    @property
    def frame_count(self) -> int:
        """How many frames the clip has."""
        return len(self.times)

    @property
    def duration_s(self) -> Fraction:
        """Seconds from the first frame's start to the last frame's end."""
        if not self.times:
            return Fraction(0)
        return self.end_s - self.times[0] * self.time_base

    @property
    def end_s(self) -> Fraction:
        """When the last frame ends."""
        return self.times[-1] * self.time_base + (self.last_frame_s or 1 / self.frame_rate)


@dataclass(frozen=True)
class Frame:
    """One decoded frame: its index in the source, its time in seconds and its picture."""

    index: int
    time_s: Fraction
    image: Image
