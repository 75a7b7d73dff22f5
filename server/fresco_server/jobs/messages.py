"""What the daemon and its worker processes say to each other: one of these in a line of JSON.

Orders go to a worker, messages come from it. `Ended` is no line: it stands for a worker's death.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fresco_client.events import Event, Failed
from fresco_client.values import Failure
from fresco_media.files.state import ClipState, FileState

from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.job import JobOrder, ModelOrder, Values
from fresco_server.jobs.looks import LookOrder

# Orders


@dataclass(frozen=True, kw_only=True)
class RunJob:
    """Do a job in its `folder`; what is there already is not made again."""

    job: str
    folder: str
    order: JobOrder
    restarts: int


@dataclass(frozen=True, kw_only=True)
class StopJob:
    """Stop a job; what it has made stays."""

    job: str


@dataclass(frozen=True, kw_only=True)
class MakeLook:
    """Restyle one frame and write it to `file`, a PNG, opaque where it may be changed."""

    look: str
    file: str
    order: LookOrder


@dataclass(frozen=True, kw_only=True)
class CancelLook:
    """Make a look no longer."""

    look: str


@dataclass(frozen=True, kw_only=True)
class LoadModel:
    """Load a model ahead of its first use; None is the bundled one."""

    source: str | None


@dataclass(frozen=True, kw_only=True)
class WantedMask:
    """The place of what is to be the mask of a clip's frames [start, stop) at a short side."""

    mask: str
    start: int
    stop: int | None
    size: int


@dataclass(frozen=True, kw_only=True)
class NamingFiles:
    """What names files beside the clip and its mask: a job's model and settings."""

    model: ModelOrder
    settings: Values


@dataclass(frozen=True, kw_only=True)
class DescribeClip:
    """Say what is known of a clip, in a `ClipDescribed` with the number `ask`.

    Where there is a mask, it has to be one of the clip.
    """

    ask: int
    clip: str
    frame_rate: str | None
    mask: WantedMask | None = None
    naming: NamingFiles | None = None


@dataclass(frozen=True, kw_only=True)
class CheckOrder:
    """Say that the files of `order` are what they were, by an `OrderChecked` of number `ask`."""

    ask: int
    order: JobOrder


@dataclass(frozen=True, kw_only=True)
class ListModels:
    """Say which models there are, also in `folders`, in a `ModelsListed` with the number `ask`."""

    ask: int
    folders: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DrainNode:
    """Give a machine of a cluster nothing new to do; or work again, if that `is_over`."""

    node: str
    is_over: bool


@dataclass(frozen=True, kw_only=True)
class PingProcess:
    """To the process of a cluster: say `ProcessAnswered`, so that it is not taken to be hung."""


Question = DescribeClip | CheckOrder | ListModels
Order = RunJob | StopJob | MakeLook | CancelLook | LoadModel | DrainNode | PingProcess | Question

# Messages


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The process has started; one that works on a device names those there are."""

    devices: tuple[DeviceInfo, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Refused:
    """What the process was started for cannot be done."""

    failure: Failure


@dataclass(frozen=True, kw_only=True)
class Broken:
    """The process cannot work here at all, and ends."""

    message: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The process has ended; its exit code, minus the signal that killed it."""

    code: int = 0


@dataclass(frozen=True, kw_only=True)
class ModelHeld:
    """This model is in memory now, and no other; None is the bundled one."""

    source: str | None


@dataclass(frozen=True, kw_only=True)
class DevicesChanged:
    """The devices of a cluster, or what they do, are others now."""

    devices: tuple[DeviceInfo, ...]


@dataclass(frozen=True, kw_only=True)
class ProcessAnswered:
    """The process of a cluster takes orders."""


@dataclass(frozen=True, kw_only=True)
class JobMoved:
    """Something has happened to a job."""

    job: str
    event: Event


@dataclass(frozen=True, kw_only=True)
class JobStopped:
    """A job was stopped as ordered."""

    job: str


@dataclass(frozen=True, kw_only=True)
class LookMoved:
    """Denoising steps done of a look, and all."""

    look: str
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class LookMade:
    """A look's picture is in its file."""

    look: str
    file: str


@dataclass(frozen=True, kw_only=True)
class LookFailed:
    """There will be no picture."""

    look: str
    failure: Failure


@dataclass(frozen=True, kw_only=True)
class ModelLoaded:
    """A model was loaded as ordered."""

    source: str | None


@dataclass(frozen=True, kw_only=True)
class LoadFailed:
    """A model could not be loaded."""

    source: str | None
    failure: Failure


@dataclass(frozen=True, kw_only=True)
class ClipDescribed:
    """What is known of a clip, as plain values, and what tells it and other files from others."""

    ask: int
    info: Values
    state: ClipState | None = None
    mask_state: ClipState | None = None
    file_states: tuple[FileState, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OrderChecked:
    """All files of a job are there still, and what they were."""

    ask: int


@dataclass(frozen=True, kw_only=True)
class ModelsListed:
    """The models there are, the bundled one first, as plain values."""

    ask: int
    models: tuple[dict[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class QuestionRefused:
    """There is no answer."""

    ask: int
    failure: Failure


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """Bytes of a model that are here, and all; 0 while that is not known."""

    done: int
    total: int
    is_finished: bool = False


LookMessage = LookMoved | LookMade | LookFailed
LoadMessage = ModelLoaded | LoadFailed
MediaMessage = ClipDescribed | OrderChecked | ModelsListed | QuestionRefused
JobMessage = JobMoved | JobStopped
Message = (
    Ready
    | Refused
    | Broken
    | ModelHeld
    | DevicesChanged
    | ProcessAnswered
    | JobMessage
    | LookMessage
    | LoadMessage
    | MediaMessage
    | Pulled
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
