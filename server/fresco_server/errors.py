"""Every error the daemon raises on purpose; each message is a sentence that says what to do.

ServerError                 `reason` is its kind for programs, such as JOB_NOT_FOUND
├── JobNotFound             no such job
├── JobExists               the id is taken by a job with another request
├── NotPossible             the job is not in a state in which this can be done
├── BadRequest              a value the daemon cannot work with; `field` names it
├── PositionOutOfRange      a position beyond what there is
├── PathForbidden           a path outside the roots
├── ArtefactNotFound        a picture or file that is not there, or not yet
├── ArtefactLost            a file that was there and is gone or damaged
├── UploadNotFound          no such upload
├── UploadIncomplete        bytes are missing
├── UploadDamaged           the bytes do not have the announced digest
├── DaemonLimitReached      more than the daemon takes: queue, streams, size, quota
│   └── StoreBusy           another program holds the file with the jobs
├── Superseded              a newer request took this one's place
├── ShuttingDown            the daemon is about to end
├── WorkerLost              the process that worked on it ended
├── EngineRefused           the engine says no; `reason` is its error's kind
├── ModelUnusable           a model file of a kind that is not loaded
├── DeviceUnknown           no such device
└── CannotStart             the daemon cannot start: locked data folder, address, certificate
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from fresco_settings import Remedy, said

if TYPE_CHECKING:
    from fresco_server.jobs.job import Failure


class ServerError(Exception):
    """Base of all daemon errors; `str(error)` is a sentence for the user."""

    kind: ClassVar[str] = ""
    """Its reason on the wire, where that is not its name."""
    field: str = ""
    remedy: str = ""

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason or self.kind or reason_of(type(self).__name__)


def reason_of(name: str) -> str:
    """A class name as a reason: `ClipNotFound` becomes CLIP_NOT_FOUND."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


class JobNotFound(ServerError):
    """There is no such job."""

    remedy = Remedy.LIST_JOBS.value

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job {job_id!r}; {said(Remedy.LIST_JOBS)}")
        self.job_id = job_id


class JobExists(ServerError):
    """The id is taken by a job with another request."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"there is a job {job_id!r} already, and it asks for something else; choose another id"
        )
        self.job_id = job_id


class NotPossible(ServerError):
    """The job is not in a state in which this can be done."""


class BadRequest(ServerError):
    """A value the daemon cannot work with."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class PositionOutOfRange(ServerError):
    """A position beyond what there is."""

    kind = "OUT_OF_RANGE"


class PathForbidden(ServerError):
    """A path outside the roots."""

    kind = "FORBIDDEN"


class ArtefactNotFound(ServerError):
    """A picture or file that is not there, or not yet."""


class ArtefactLost(ServerError):
    """A file that was there and is gone or damaged."""


class UploadNotFound(ServerError):
    """There is no such upload."""


class UploadIncomplete(ServerError):
    """Bytes are missing."""


class UploadDamaged(ServerError):
    """The bytes do not have the announced digest."""


class DaemonLimitReached(ServerError):
    """More than the daemon takes."""

    kind = "LIMIT_REACHED"


class StoreBusy(DaemonLimitReached):
    """Another program holds the file with the jobs."""

    kind = "STORE_BUSY"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"another program holds {path}, so nothing can be noted; close that program, then try "
            "again"
        )


class Superseded(ServerError):
    """A newer request took this one's place."""


class ShuttingDown(ServerError):
    """The daemon is about to end."""

    def __init__(self) -> None:
        super().__init__("the daemon is shutting down; try again when it has started")


class WorkerLost(ServerError):
    """The process that worked on it ended; `log_tail` holds the last lines it wrote."""

    def __init__(self, message: str, log_tail: str = "") -> None:
        super().__init__(message)
        self.log_tail = log_tail


class EngineRefused(ServerError):
    """The engine says no; `reason` is the kind of its error, the rest as it said it."""

    @classmethod
    def because_of(cls, failure: Failure) -> EngineRefused:
        """What another process told of an engine's error, as an error again."""
        error = cls(failure.message, reason=failure.reason)
        error.field, error.remedy = failure.field, failure.remedy
        return error


class ModelUnusable(ServerError):
    """A model file of a kind that is not loaded."""


class DeviceUnknown(ServerError):
    """There is no such device."""


class NodeUnknown(ServerError):
    """The cluster has no machine of that name."""


class CannotStart(ServerError):
    """The daemon cannot start; `exit_code` is what the process ends with."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
