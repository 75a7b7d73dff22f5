"""What the daemon and its worker processes say to each other: one of these in a line of JSON.

Orders go to a worker, messages come from it. `Ended` is no line: it stands for a worker's death.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.job import Event, Failed, Failure, ModelOrder, Values

# Orders


@dataclass(frozen=True, kw_only=True)
class RunJob:
    """Do a job in its `folder`; what is there already is not made again. Fields as `JobOrder`'s."""

    kind: ClassVar = "run"
    job: str
    folder: str
    clip: str
    frame_rate: str | None
    settings: Values
    model: ModelOrder
    codec: str
    suffix: str
    restarts: int


@dataclass(frozen=True, kw_only=True)
class StopJob:
    """Stop a job; what it has made stays."""

    kind: ClassVar = "stop"
    job: str


@dataclass(frozen=True, kw_only=True)
class MakeLook:
    """Restyle one frame and write it to `file`, a PNG. Fields as `LookOrder`'s."""

    kind: ClassVar = "look"
    look: str
    clip: str
    frame_rate: str | None
    index: int
    settings: Values
    model: ModelOrder
    file: str


@dataclass(frozen=True, kw_only=True)
class CancelLook:
    """Make a look no longer."""

    kind: ClassVar = "cancel_look"
    look: str


@dataclass(frozen=True, kw_only=True)
class LoadModel:
    """Load a model ahead of its first use; None is the bundled one."""

    kind: ClassVar = "load"
    source: str | None


@dataclass(frozen=True, kw_only=True)
class DescribeClip:
    """Say what is known of a clip, in a `ClipDescribed` with the number `ask`."""

    kind: ClassVar = "describe"
    ask: int
    clip: str
    frame_rate: str | None


@dataclass(frozen=True, kw_only=True)
class ListModels:
    """Say which models there are, also in `folders`, in a `ModelsListed` with the number `ask`."""

    kind: ClassVar = "models"
    ask: int
    folders: tuple[str, ...]


Order = RunJob | StopJob | MakeLook | CancelLook | LoadModel | DescribeClip | ListModels

# Messages


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The process has started; one that works on a device names those there are."""

    kind: ClassVar = "ready"
    devices: tuple[DeviceInfo, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Refused:
    """What the process was started for cannot be done."""

    kind: ClassVar = "refused"
    failure: Failure


@dataclass(frozen=True, kw_only=True)
class Broken:
    """The process cannot work here at all, and ends."""

    kind: ClassVar = "broken"
    message: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The process has ended; its exit code, minus the signal that killed it."""

    kind: ClassVar = "ended"
    code: int = 0


@dataclass(frozen=True, kw_only=True)
class ModelHeld:
    """This model is in memory now, and no other; None is the bundled one."""

    kind: ClassVar = "holds"
    source: str | None


@dataclass(frozen=True, kw_only=True)
class JobMoved:
    """Something has happened to a job."""

    kind: ClassVar = "job"
    job: str
    event: Event


@dataclass(frozen=True, kw_only=True)
class JobStopped:
    """A job was stopped as ordered."""

    kind: ClassVar = "stopped"
    job: str


@dataclass(frozen=True, kw_only=True)
class LookMoved:
    """Denoising steps done of a look, and all."""

    kind: ClassVar = "look_step"
    look: str
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class LookMade:
    """A look's picture is in its file."""

    kind: ClassVar = "look_done"
    look: str
    file: str


@dataclass(frozen=True, kw_only=True)
class LookFailed:
    """There will be no picture."""

    kind: ClassVar = "look_failed"
    look: str
    failure: Failure


@dataclass(frozen=True, kw_only=True)
class ModelLoaded:
    """A model was loaded as ordered."""

    kind: ClassVar = "loaded"
    source: str | None


@dataclass(frozen=True, kw_only=True)
class LoadFailed:
    """A model could not be loaded."""

    kind: ClassVar = "load_failed"
    source: str | None
    failure: Failure


@dataclass(frozen=True, kw_only=True)
class ClipDescribed:
    """What is known of a clip, as plain values."""

    kind: ClassVar = "described"
    ask: int
    info: Values


@dataclass(frozen=True, kw_only=True)
class ModelsListed:
    """The models there are, the bundled one first, as plain values."""

    kind: ClassVar = "listed"
    ask: int
    models: tuple[dict[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class QuestionRefused:
    """There is no answer."""

    kind: ClassVar = "not_answered"
    ask: int
    failure: Failure


@dataclass(frozen=True, kw_only=True)
class Pulling:
    """Bytes of a model that are here, and all; 0 while that is not known."""

    kind: ClassVar = "pulling"
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """The model is here."""

    kind: ClassVar = "pulled"
    done: int
    total: int


LookMessage = LookMoved | LookMade | LookFailed
LoadMessage = ModelLoaded | LoadFailed
MediaMessage = ClipDescribed | ModelsListed | QuestionRefused
PullMessage = Pulling | Pulled
JobMessage = JobMoved | JobStopped
Message = (
    Ready
    | Refused
    | Broken
    | ModelHeld
    | JobMessage
    | LookMessage
    | LoadMessage
    | MediaMessage
    | PullMessage
)


def failure_in(message: Message) -> Failure | None:
    """What has gone wrong, if a message tells of that."""
    match message:
        case JobMoved(event=Failed(failure=failure)):
            return failure
        case Refused() | LookFailed() | LoadFailed() | QuestionRefused():
            return message.failure
        case _:
            return None
