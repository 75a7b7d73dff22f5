"""What a job is: its order, its states, what is known of it, and what happens to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any, Literal

from fresco_engine.types import Stage

Values = Mapping[str, Any]
"""Plain values as JSON knows them."""


class JobState(Enum):
    """States of a job; the value is what is stored and what a person reads."""

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
        return self in _RUNNING

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it, unless a failed one is resumed."""
        return self in (JobState.DONE, JobState.CANCELLED, JobState.FAILED)


_RUNNING = (
    JobState.ANALYSING,
    JobState.TRANSLATING,
    JobState.INTERPOLATING,
    JobState.ENCODING,
)

EventKind = Literal[
    "state",
    "analysed",
    "progress",
    "keyframe",
    "frame",
    "warned",
    "restarted",
    "finished",
    "failed",
]


@dataclass(frozen=True, kw_only=True)
class ModelOrder:
    """Which model; `None` is the bundled one. `loras` are files with their weights."""

    source: str | None = None
    control_source: str | None = None
    loras: tuple[tuple[str, float], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class JobOrder:
    """What a worker needs to know to do a job, and what a client may read again.

    `clip` is a path that was checked. `settings` are those of the engine (`as_dict`). `codec` is
    the engine's ("h264", "lossless") or "frames" for no file; `suffix` the file's ending.
    `request` is what the client sent, opaque here. `clip_info` describes the clip. `upload` is
    the digest of the upload the clip is, if it is one.
    """

    clip: str
    settings: Values
    model: ModelOrder = ModelOrder()
    frame_rate: str | None = None
    codec: str = "h264"
    suffix: str = ".mp4"
    device: str = ""
    title: str = ""
    upload: str | None = None
    parent_id: str | None = None
    clip_info: Values = field(default_factory=dict[str, Any])
    request: Values = field(default_factory=dict[str, Any])

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {
            "model": self.model.as_dict()
        }


def order_from_dict(values: Values) -> JobOrder:
    """The order `as_dict` was made from."""
    model = dict(values["model"])
    model["loras"] = tuple((str(path), float(weight)) for path, weight in model["loras"])
    return JobOrder(**{**values, "model": ModelOrder(**model)})


@dataclass(frozen=True, kw_only=True)
class StageDone:
    """How far a stage is."""

    stage: Stage
    done: float
    total: float


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a job failed; `message` is a sentence, `log_tail` what the worker said last."""

    reason: str
    message: str
    log_tail: str = ""
    can_resume: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came out: a file in the job's folder (`file_name` empty for frames), and the report."""

    file_name: str
    size_bytes: int
    sha256: str
    report: Values


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as it is stored. Times are seconds since the epoch.

    `plan` has the fields of the engine's `Analysed` without clip and settings: start, stop,
    shots, keyframes, working_size. `wanted` is what a client has asked for that has yet to
    happen: "", "cancel" or "pause". `restarts` counts how often everything made became void.
    """

    id: str
    state: JobState
    order: JobOrder
    created: float
    updated: float
    progress: tuple[StageDone, ...] = ()
    remaining_s: float | None = None
    plan: Values | None = None
    warnings: tuple[str, ...] = ()
    result: Result | None = None
    failure: Failure | None = None
    last_sequence: int = 0
    is_fetched: bool = False
    wanted: str = ""
    jobs_ahead: int = 0
    ready_keyframes: tuple[int, ...] = ()
    ready_frames: int = 0
    restarts: int = 0


@dataclass(frozen=True, kw_only=True)
class JobEvent:
    """Something that happened to a job; `values` depend on `kind`:

    state: state, reason. analysed: the plan. progress: stage, done, total, remaining_s.
    keyframe: index. frame: index, time ("5/24"), is_keyframe. warned: message.
    restarted: reason. finished: file_name, size_bytes, sha256, report. failed: reason, message,
    log_tail, can_resume.
    """

    job_id: str
    sequence: int
    time: float
    kind: EventKind
    values: Values

    @property
    def is_last(self) -> bool:
        """Whether the job has ended with this event."""
        is_cancelled = self.kind == "state" and self.values["state"] == JobState.CANCELLED.value
        return self.kind in ("finished", "failed") or is_cancelled


ChangeKind = Literal["reroll", "add", "remove", "replace"]


@dataclass(frozen=True, kw_only=True)
class KeyframeChange:
    """What to change about one keyframe; `None` leaves the prompt, and draws a new seed.

    `picture` is the file that "replace" puts in its place.
    """

    index: int
    kind: ChangeKind = "reroll"
    seed: int | None = None
    prompt: str | None = None
    picture: str = ""
