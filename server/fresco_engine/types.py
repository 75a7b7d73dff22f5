"""Values that travel through the engine: clips, frames and events. No torch, no codecs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fresco_engine.settings import RestyleSettings

Image = NDArray[np.uint8]
"""A picture: (height, width, 3), RGB, 0-255, full range, the clip's own transfer curve."""


@dataclass(frozen=True, kw_only=True)
class ColourTags:
    """How a stream's colours are to be read: code points of ITU-T H.273; 2 means not stated."""

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    is_full_range: bool = False


@dataclass(frozen=True, kw_only=True)
class ClipInfo:
    """What is known of a clip before its frames are decoded.

    `width` and `height` are those a viewer shows: rotation is applied. `times` holds every
    frame's presentation time in ticks of `time_base`, ascending, so it is also the frame count.
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

    @property
    def frame_count(self) -> int:
        """How many frames the clip has."""
        return len(self.times)

    @property
    def duration_s(self) -> Fraction:
        """Seconds from the first frame's start to the last frame's end."""
        if not self.times:
            return Fraction(0)
        span = (self.times[-1] - self.times[0]) * self.time_base
        return span + 1 / self.frame_rate


@dataclass(frozen=True)
class Frame:
    """One decoded frame: its index in the source, its time in seconds and its picture."""

    index: int
    time_s: Fraction
    image: Image


class Stage(Enum):
    """Stages of a job in the order they begin; the value is what a person reads."""

    ANALYSING = "analysing"
    TRANSLATING = "translating keyframes"
    INTERPOLATING = "interpolating"
    ENCODING = "encoding"


@dataclass(frozen=True, kw_only=True)
class Analysed:
    """The plan of a job: shots as half-open frame ranges, keyframe indices, working size."""

    info: ClipInfo
    settings: RestyleSettings
    start: int
    stop: int
    shots: tuple[tuple[int, int], ...]
    keyframes: tuple[int, ...]
    working_size: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a stage is; `done` of `total` units, and the seconds the whole job may still take."""

    stage: Stage
    done: float
    total: float
    remaining_s: float | None = None


@dataclass(frozen=True)
class KeyframeReady:
    """A translated keyframe at source size."""

    index: int
    image: Image


@dataclass(frozen=True, kw_only=True)
class FrameQuality:
    """Figures of one interpolated frame.

    `error` (0-1) is the mean guide error, `worst_error` what a twentieth of the pixels exceeds.
    `drift` is how far the mean colour has moved from that of the keys, beyond what the source's
    own mean did, in units of Lab (2 can just be seen).
    """

    error: float
    worst_error: float
    drift: float


@dataclass(frozen=True)
class FrameReady:
    """A frame of the result at source size; frames come in order, each exactly once.

    `quality` is that of an interpolated frame.
    """

    frame: Frame
    is_keyframe: bool
    quality: FrameQuality | None = None


@dataclass(frozen=True)
class Warned:
    """Something the user should know that does not stop the job."""

    message: str


@dataclass(frozen=True)
class Restarted:
    """The job begins anew for the `reason`; everything announced before is void."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was done and what it cost; enough to do it again.

    `reused` counts the "keyframes" and "frames" that an earlier run had finished.
    """

    settings: dict[str, Any]
    model: str
    device: str
    clip: dict[str, Any]
    keyframes: tuple[int, ...]
    shots: tuple[tuple[int, int], ...]
    working_size: tuple[int, int]
    seconds: dict[str, float]
    peak_memory_bytes: int
    metrics: dict[str, float]
    warnings: tuple[str, ...] = ()
    version: str = ""
    outputs: dict[str, str] = field(default_factory=dict[str, str])
    reused: dict[str, int] = field(default_factory=dict[str, int])
    interpolation: dict[str, Any] = field(default_factory=dict[str, Any])

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Finished:
    """The last event of a job that went well."""

    report: Report


Event = Analysed | Progress | KeyframeReady | FrameReady | Warned | Restarted | Finished
