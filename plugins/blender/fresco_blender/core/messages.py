"""What the network's threads tell the main thread, through the worker's inbox."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fresco_client import Event, Job, Model, ResultInfo, ServerInfo

from .faults import PluginFault
from .request import RestyleRequest

DaemonState = Literal["away", "connecting", "starting", "ready", "failed"]


@dataclass(frozen=True)
class ConnectionChanged:
    """The connection to the daemon is another."""

    state: DaemonState
    server: ServerInfo | None = None
    models: tuple[Model, ...] = ()
    fault: PluginFault | None = None


@dataclass(frozen=True)
class JobDescribed:
    """A job as the daemon describes it."""

    job: Job

    @property
    def job_id(self) -> str:
        """The job it is about."""
        return self.job.id


@dataclass(frozen=True)
class JobEvent:
    """Something happened to a job that is followed."""

    job_id: str
    event: Event


@dataclass(frozen=True)
class JobConnection:
    """The connection to a followed job was lost, or is there again."""

    job_id: str
    is_connected: bool


@dataclass(frozen=True)
class JobProblem:
    """A job cannot be sent, followed or fetched."""

    job_id: str
    fault: PluginFault


@dataclass(frozen=True)
class RenderNeeded:
    """The file alone does not say which frame is seen when: the strip is to be rendered."""

    request: RestyleRequest

    @property
    def job_id(self) -> str:
        """The job it is about."""
        return self.request.job_id


@dataclass(frozen=True)
class RenderProgress:
    """So many frames of a strip have been rendered."""

    job_id: str
    done: int
    total: int


@dataclass(frozen=True)
class Rendered:
    """A strip has been rendered; its request can be sent."""

    request: RestyleRequest

    @property
    def job_id(self) -> str:
        """The job it is about."""
        return self.request.job_id


@dataclass(frozen=True)
class RequestChanged:
    """More is known of what a request is for than when it was made."""

    request: RestyleRequest

    @property
    def job_id(self) -> str:
        """The job it is about."""
        return self.request.job_id


@dataclass(frozen=True)
class KeyframeFile:
    """The picture of a keyframe is on disk."""

    job_id: str
    index: int
    path: Path


@dataclass(frozen=True)
class ResultFile:
    """The whole result is on disk."""

    job_id: str
    path: Path
    """The movie, or the first of the numbered pictures."""
    frame_count: int
    result: ResultInfo


@dataclass(frozen=True)
class LookProgressed:
    """How far a look is, 0 to 1."""

    share: float


@dataclass(frozen=True)
class LookFile:
    """A look is on disk."""

    request: RestyleRequest
    path: Path


@dataclass(frozen=True)
class LookFault:
    """A look failed."""

    fault: PluginFault


@dataclass(frozen=True)
class JobsListed:
    """The daemon's jobs, the newest first."""

    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class JobDeleted:
    """A job was deleted."""

    job_id: str


@dataclass(frozen=True)
class RequestFailed:
    """Something that was asked for by a button failed."""

    fault: PluginFault


WorkerMessage = (
    ConnectionChanged
    | JobDescribed
    | JobEvent
    | JobConnection
    | JobProblem
    | RenderNeeded
    | RequestChanged
    | RenderProgress
    | Rendered
    | KeyframeFile
    | ResultFile
    | LookProgressed
    | LookFile
    | LookFault
    | JobsListed
    | JobDeleted
    | RequestFailed
)
