"""Values that travel through the engine: its events. No torch, no codecs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
from fresco_media.types import ClipProperties, Frame, Image, Matte
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fresco_engine.propagation_settings import PropagateSettings
    from fresco_engine.settings import RestyleSettings


class Stage(Enum):
    """Stages of a job in the order they begin; the value is what a person reads."""

    ANALYSING = "analysing"
    TRANSLATING = "translating keyframes"
    INTERPOLATING = "interpolating"
    ENCODING = "encoding"


@dataclass(frozen=True, kw_only=True)
class ClipAnalysed:
    """The plan of a job: shots as half-open frame ranges, keyframe indices, working size.

    `settings` are those of the job: a translation's, or those painted keyframes are carried with.
    `ahead` are keyframes that are translated before those around them.
    """

    info: ClipProperties
    settings: RestyleSettings | PropagateSettings
    start: int
    stop: int
    shots: tuple[tuple[int, int], ...]
    keyframes: tuple[int, ...]
    working_size: tuple[int, int]
    ahead: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a stage is; `done` of `total` units, and the seconds the whole job may still take."""

    stage: Stage
    done: float
    total: float
    remaining_s: float | None = None


@dataclass(frozen=True)
class KeyframeMade:
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
class FrameMade:
    """A frame of the result at source size; frames come in order, each exactly once.

    `quality` is that of an interpolated frame; so is `error` (h, w) float32 in 0-1, the map of its
    guide error at the padded working size, where it was asked for.
    """

    frame: Frame
    is_keyframe: bool
    quality: FrameQuality | None = None
    error: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class RunWarned:
    """Something the user should know that does not stop the job."""

    message: str


@dataclass(frozen=True)
class RunRestarted:
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
class RunFinished:
    """The last event of a job that went well."""

    report: Report


Event = ClipAnalysed | Progress | KeyframeMade | FrameMade | RunWarned | RunRestarted | RunFinished


@dataclass(frozen=True)
class LookedFrame:
    """One frame restyled, (H, W, 3) at source size.

    `region` (H, W) is True where it may differ from the clip's frame, None for everywhere.
    `matte` (H, W), 0-255, says how opaque the clip's frame is, None if it is so everywhere.
    """

    image: Image
    region: NDArray[np.bool_] | None = None
    matte: Matte | None = None
