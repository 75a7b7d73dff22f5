"""What a job is: its order, its states, what is known of it, and what happens to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import Any, ClassVar, Literal, NamedTuple, get_args

from fresco_engine.types import Stage

from fresco_server.jobs.codec import INLINED

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


@dataclass(frozen=True, kw_only=True)
class ModelOrder:
    """Which model; `None` is the bundled one. `loras` are files with their weights."""

    source: str | None = None
    control_source: str | None = None
    loras: tuple[tuple[str, float], ...] = ()


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


@dataclass(frozen=True, kw_only=True)
class StageProgress:
    """How far a stage is."""

    stage: Stage
    done: float
    total: float


class FrameRange(NamedTuple):
    """Source frames from `start` to one before `stop`."""

    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is going to be done: frames are those of the source, the working size is in pixels."""

    start: int
    stop: int
    shots: tuple[FrameRange, ...]
    keyframes: tuple[int, ...]
    working_size: tuple[int, int]

    @property
    def working_width(self) -> int:
        """In pixels."""
        return self.working_size[0]

    @property
    def working_height(self) -> int:
        """In pixels."""
        return self.working_size[1]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a job failed; `message` is a sentence, `log_tail` what the worker said last.

    `field` is the setting to look at, `remedy` the code of what may put it right; or empty.
    """

    reason: str
    message: str
    log_tail: str = ""
    can_resume: bool = False
    field: str = ""
    remedy: str = ""


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

    `wanted` is what a client has asked for that has yet to happen: "", "cancel" or "pause".
    `restarts` counts how often everything made became void.
    """

    id: str
    state: JobState
    order: JobOrder
    created: float
    updated: float
    progress: tuple[StageProgress, ...] = ()
    remaining_s: float | None = None
    plan: Plan | None = None
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
class StateChanged:
    """The job has another state."""

    kind: ClassVar = "state"
    state: JobState
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Analysed:
    """The clip has been analysed."""

    kind: ClassVar = "analysed"
    plan: Plan = field(metadata=INLINED)


@dataclass(frozen=True, kw_only=True)
class ProgressMade:
    """A stage has moved on; `remaining_s` is what the whole job may still take."""

    kind: ClassVar = "progress"
    progress: StageProgress = field(metadata=INLINED)
    remaining_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class KeyframeReady:
    """A translated keyframe is there; `index` is that of its source frame."""

    kind: ClassVar = "keyframe"
    index: int


@dataclass(frozen=True, kw_only=True)
class FrameReady:
    """A frame of the result is there; `time` is in seconds from the clip's start."""

    kind: ClassVar = "frame"
    index: int
    time: Fraction
    is_keyframe: bool


@dataclass(frozen=True, kw_only=True)
class Warned:
    """Something the user should know that does not stop the job."""

    kind: ClassVar = "warned"
    message: str


@dataclass(frozen=True, kw_only=True)
class Restarted:
    """The work began again; what was made before is void."""

    kind: ClassVar = "restarted"
    reason: str


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The job is done."""

    kind: ClassVar = "finished"
    result: Result = field(metadata=INLINED)


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The job has failed."""

    kind: ClassVar = "failed"
    failure: Failure = field(metadata=INLINED)


Event = (
    StateChanged
    | Analysed
    | ProgressMade
    | KeyframeReady
    | FrameReady
    | Warned
    | Restarted
    | Finished
    | Failed
)
"""What can happen to a job. Told by the worker, stored under its `kind`, sent to clients."""

EVENT_TYPES: Mapping[str, type[Event]] = {kind.kind: kind for kind in get_args(Event)}


@dataclass(frozen=True, kw_only=True)
class JobEvent:
    """Something that happened to a job; `time` is in seconds since the epoch."""

    job_id: str
    sequence: int
    time: float
    event: Event

    @property
    def is_last(self) -> bool:
        """Whether the job has ended with this event."""
        match self.event:
            case Finished() | Failed() | StateChanged(state=JobState.CANCELLED):
                return True
            case _:
                return False


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
