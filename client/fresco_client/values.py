"""Clips, pictures and jobs as plain values.

Times are aware datetimes in UTC, rates and positions exact fractions, durations `*_s` seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from fractions import Fraction
from typing import Literal

from fresco_settings import UPLOAD_PREFIX

from fresco_client.settings import ModelChoice, RestyleSettings

PictureEncoding = Literal["jpeg", "png"]
FrameKind = Literal["keyframe", "result"]
OutputKind = Literal["h264", "lossless", "frames"]
Container = Literal["mp4", "mov", "mkv"]


@dataclass(frozen=True, kw_only=True)
class ClipSource:
    """Where a clip is: a path on the daemon's machine or an upload, never both."""

    path: str | None = None
    upload_sha256: str | None = None
    frame_rate: Fraction | None = None
    """Frames per second of an image sequence; 24 if None."""

    @property
    def as_setting(self) -> str:
        """As a setting names it, such as the subject's mask: its path, or its upload."""
        return self.path or f"{UPLOAD_PREFIX}{self.upload_sha256}"


@dataclass(frozen=True, kw_only=True)
class ClipInfo:
    """What is known of a clip before its frames are decoded."""

    width: int
    """Pixels as a viewer shows it: rotation is applied."""
    height: int
    frame_count: int
    frame_rate: Fraction | None
    """Frames per second; the average for a clip of variable rate."""
    duration: Fraction | None
    """Seconds."""
    has_audio: bool
    is_variable_rate: bool
    is_sequence: bool
    first_number: int
    """Number in the name of an image sequence's first picture; 0 for a video file."""
    bit_depth: int
    has_alpha: bool
    codec: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PictureOptions:
    """How pictures are wanted."""

    encoding: PictureEncoding | None = None
    """JPEG if None."""
    long_side: int = 0
    """Pixels, 16 to 8192; larger pictures are made smaller. 0: the clip's own size."""
    has_alpha: bool = False
    """Whether PNGs of a transparent clip are straight RGBA, with its alpha; else lie over black."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An encoded picture."""

    encoding: PictureEncoding
    width: int
    height: int
    data: bytes


@dataclass(frozen=True, kw_only=True)
class LookedPicture(Picture):
    """A frame restyled, in a picture of at most the size that was wished."""

    region: Picture | None = None
    """Of the same size, white where the frame may be changed; None for everywhere."""


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """How the result is wanted."""

    kind: OutputKind | None = None
    """H.264 if None."""
    container: Container | None = None
    """MP4 if None; without meaning for frames."""


class JobState(Enum):
    """States of a job; values are words a person reads."""

    QUEUED = "queued"
    ANALYSING = "analysing"
    TRANSLATING = "translating keyframes"
    INTERPOLATING = "interpolating"
    ENCODING = "encoding"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_running(self) -> bool:
        """Whether a device works on it."""
        return self.name in Stage.__members__

    @property
    def is_ended(self) -> bool:
        """Whether nothing more happens unless a failed job is resumed."""
        return self in {JobState.DONE, JobState.CANCELLED, JobState.FAILED}


class Stage(Enum):
    """Stages of a running job; values are words a person reads."""

    ANALYSING = "analysing"
    TRANSLATING = "translating keyframes"
    INTERPOLATING = "interpolating"
    ENCODING = "encoding"


@dataclass(frozen=True, kw_only=True)
class StageProgress:
    """How far a stage is: `done` of `total` units, which are frames or denoising steps."""

    stage: Stage
    done: float
    total: float

    @property
    def share(self) -> float:
        """0 to 1."""
        return min(max(self.done / self.total, 0.0), 1.0) if self.total > 0 else 0.0


_SHARES = {
    Stage.ANALYSING: 0.03,
    Stage.TRANSLATING: 0.57,
    Stage.INTERPOLATING: 0.37,
    Stage.ENCODING: 0.03,
}
"""Of a job's time, roughly. Frames are made while later keyframes are translated."""


def share_done(state: JobState | None, progress: Iterable[StageProgress]) -> float:
    """How much of a whole job is done, 0 to 1, by its state and what its stages have done."""
    if state is JobState.DONE:
        return 1.0
    return min(sum(_SHARES[one.stage] * one.share for one in progress), 1.0)


@dataclass(frozen=True, kw_only=True)
class FrameRange:
    """Source frames from `start` to one before `stop`."""

    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is going to be done, known once the clip has been analysed."""

    start: int
    stop: int
    shots: tuple[FrameRange, ...]
    keyframes: tuple[int, ...]
    """Source frame indices, ascending."""
    working_width: int
    """Pixels of the pictures the model works on, padding included."""
    working_height: int


@dataclass(frozen=True, kw_only=True)
class ResultInfo:
    """A result that can be fetched."""

    file_name: str
    """Without folders; empty for a job whose output are frames."""
    size_bytes: int
    sha256: str
    report_json: str
    """The engine's report: settings, model, device, seconds per stage, metrics."""
    is_fetched: bool = False


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a job failed."""

    reason: str
    """Kind of error for programs, such as DISK_FULL."""
    message: str
    """A sentence for the user."""
    log_tail: str = ""
    """What the worker said last."""
    can_resume: bool = False
    field: str = ""
    """The declared name of the setting to look at, such as "size"; or empty."""
    remedy: str = ""
    """The code of what may put it right (`fresco_settings.Remedy`), or of a newer one; or empty."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as the daemon describes it."""

    id: str
    state: JobState = JobState.QUEUED
    create_time: datetime | None = None
    update_time: datetime | None = None
    title: str = ""
    clip: ClipSource | None = None
    clip_info: ClipInfo | None = None
    settings: RestyleSettings | None = None
    model: ModelChoice | None = None
    output: OutputOptions | None = None
    device: str = ""
    """The wanted device; empty for any."""
    parent_id: str = ""
    """The job it was made from by a reroll, or empty."""
    progress: tuple[StageProgress, ...] = ()
    """Stages that have begun, in order."""
    remaining_s: float | None = None
    """Seconds the whole job may still take; None while that is not known."""
    jobs_ahead: int = 0
    plan: Plan | None = None
    ready_keyframes: tuple[int, ...] = ()
    """Source frame indices that can be fetched."""
    ready_frames: int = 0
    """How many frames of the plan's range, from its first on, can be fetched."""
    warnings: tuple[str, ...] = ()
    result: ResultInfo | None = None
    failure: Failure | None = None
    last_sequence: int = 0
    disk_bytes: int = 0

    @property
    def share(self) -> float:
        """How much of the whole job is done, 0 to 1."""
        return share_done(self.state, self.progress)

    @property
    def time_left_s(self) -> float | None:
        """Seconds that are left; None unless it is at work and that is known."""
        return self.remaining_s if self._is_active else None

    @property
    def is_estimating(self) -> bool:
        """Whether it is at work and nobody can tell yet for how long."""
        return self._is_active and bool(self.progress) and self.remaining_s is None

    @property
    def _is_active(self) -> bool:
        return not self.state.is_ended and self.state is not JobState.PAUSED

    @property
    def made_of(self) -> tuple[int, int] | None:
        """What is made of all there will be: keyframes or frames, in the states that make them."""
        if self.state is JobState.TRANSLATING and self.plan is not None:
            return len(self.ready_keyframes), len(self.plan.keyframes)
        if self.state is JobState.INTERPOLATING:
            for one in self.progress:
                if one.stage is Stage.INTERPOLATING:
                    return round(one.done), round(one.total)
        return None
