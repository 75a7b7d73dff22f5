"""What happens to a job, each with its sequence number and the time it happened (UTC)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from fractions import Fraction

from fresco_client.values import (
    Failure,
    Job,
    JobState,
    Picture,
    Plan,
    ResultInfo,
    StageProgress,
)

EPOCH = datetime.fromtimestamp(0, timezone.utc)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a job."""

    sequence: int = 0
    """1 for a job's first event, then one more for each; 0 until it is recorded."""
    time: datetime = EPOCH
    """When it was recorded; `EPOCH` until then."""

    @property
    def is_last(self) -> bool:
        """Whether the job has ended with this event."""
        match self:
            case Finished() | Failed() | StateChanged(state=JobState.CANCELLED):
                return True
            case _:
                return False


@dataclass(frozen=True, kw_only=True)
class StateChanged(Event):
    """The job has another state; `CANCELLED` is a last event."""

    state: JobState
    reason: str = ""
    """Why, where that is not plain; may be empty."""


@dataclass(frozen=True, kw_only=True)
class Analysed(Event):
    """The clip has been analysed."""

    plan: Plan


@dataclass(frozen=True, kw_only=True)
class ProgressMade(Event):
    """A stage has moved on."""

    progress: StageProgress
    remaining_s: float | None = None
    """Seconds the whole job may still take; None while that is not known."""


@dataclass(frozen=True, kw_only=True)
class KeyframeReady(Event):
    """A translated keyframe can be fetched."""

    index: int
    """Source frame index."""
    picture: Picture | None = None
    """None if none was asked for, or this client was too slow for it: fetch it."""


@dataclass(frozen=True, kw_only=True)
class FrameReady(Event):
    """A frame of the result can be fetched; they come in order, each once."""

    index: int
    """Source frame index."""
    clip_time: Fraction | None
    """Seconds from the clip's start."""
    is_keyframe: bool
    picture: Picture | None = None
    """None if none was asked for, or this client was too slow for it: fetch it."""


@dataclass(frozen=True, kw_only=True)
class Warned(Event):
    """Something the user should know that does not stop the job."""

    message: str


@dataclass(frozen=True, kw_only=True)
class Restarted(Event):
    """The work began again with other settings; keyframes and frames before this are void."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Finished(Event):
    """The job is done: the last event."""

    result: ResultInfo


@dataclass(frozen=True, kw_only=True)
class Failed(Event):
    """The job has failed: the last event, unless the job is resumed."""

    failure: Failure


def job_after(job: Job, event: Event) -> Job:
    """A job as it is once this has happened to it; unchanged by what it had heard of before."""
    if event.sequence <= job.last_sequence:
        return job
    return replace(job, last_sequence=event.sequence, **_changes(job, event))


def _changes(job: Job, event: Event) -> dict[str, object]:
    match event:
        case StateChanged():
            return {"state": event.state, "failure": None}
        case Analysed():
            return {"plan": event.plan}
        case ProgressMade():
            others = (one for one in job.progress if one.stage is not event.progress.stage)
            return {"progress": (*others, event.progress), "remaining_s": event.remaining_s}
        case KeyframeReady():
            return {"ready_keyframes": tuple(sorted({*job.ready_keyframes, event.index}))}
        case FrameReady():
            start = job.plan.start if job.plan else 0
            return {"ready_frames": event.index + 1 - start}
        case Warned():
            return {"warnings": (*job.warnings, event.message)}
        case Restarted():
            made_anew = {"progress": (), "ready_keyframes": (), "ready_frames": 0}
            return {**made_anew, "remaining_s": None, "warnings": (*job.warnings, event.reason)}
        case Finished():
            return {"state": JobState.DONE, "result": event.result}
        case Failed():
            return {"state": JobState.FAILED, "failure": event.failure}
        case _:
            return {}
