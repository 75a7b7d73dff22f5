"""What the daemon's end of a cluster and the workers on its devices say to each other.

The workers have the same Fresco, which is made sure of first, so these travel as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from fresco_client.values import Failure
from fresco_engine.checkpoint import File
from fresco_engine.parts import Part

from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.job import JobOrder


@dataclass(frozen=True, kw_only=True)
class Installed:
    """What is installed on a machine: in words, and a digest of what pictures are made by."""

    version: str
    code: str


@dataclass(frozen=True, kw_only=True)
class WorkerFacts:
    """A worker that has started: what is installed there, its device, its process."""

    installed: Installed
    device: DeviceInfo
    process_id: int


@dataclass(frozen=True)
class SourceFile:
    """A file that is read: where it is at the daemon, and what tells it from others.

    `size_bytes` is how much of it the job knows: a recording grows. `stamps` are those of
    the daemon's system, see `stamps_of`, `sample` is of `blocks` blocks of its content.
    """

    path: str
    size_bytes: int
    stamps: tuple[int, int, int]
    sample: str
    blocks: int


@dataclass(frozen=True)
class SourceFiles:
    """All files of a clip, a mask or a picture, which `name` stands for in the job's order."""

    name: str
    files: tuple[SourceFile, ...]


@dataclass(frozen=True)
class ModelFile:
    """A file of a model, which has to be at the same place with the same content."""

    path: str
    field: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Everything beside its checkpoint that a job reads."""

    sources: tuple[SourceFiles, ...] = ()
    models: tuple[ModelFile, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PartOrder:
    """A part to make; None is the plan. `files` are what it needs of the job's checkpoint."""

    token: str
    order: JobOrder
    needs: Needs
    part: Part | None
    files: tuple[File, ...] = ()


# What a worker answers while it makes a part


@dataclass(frozen=True)
class Looked:
    """Frames that were looked at for the plan, and all."""

    done: float
    total: float


@dataclass(frozen=True)
class Stepped:
    """Denoising steps that were done."""

    steps: int


@dataclass(frozen=True)
class Stored:
    """Files that were stored in the part's checkpoint, in this order."""

    files: tuple[File, ...]


@dataclass(frozen=True)
class PartWarned:
    """Something that whoever watches the job is to know."""

    message: str


@dataclass(frozen=True)
class PartEnded:
    """The part is made, was stopped, or has failed; there is nothing after this.

    Where it `lacks_files` one of them is not there any more as it was when the machine was asked.
    """

    is_made: bool = False
    failure: Failure | None = None
    lacks_files: bool = False


Answer = Looked | Stepped | Stored | PartWarned | PartEnded


@dataclass(frozen=True)
class LookAnswer:
    """Steps of a look that are done and all; the last one has the pictures, or why there are none.

    `picture` and `matte` are PNG files; `lacks_files` is as for a part.
    """

    done: int = 0
    total: int = 0
    picture: bytes | None = None
    matte: bytes | None = None
    failure: Failure | None = None
    lacks_files: bool = False
