"""A job of a session without a daemon, and where what it makes goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import fresco_client as client
from fresco_engine import types
from fresco_media.writing.originals import NO_ORIGINALS, Originals

if TYPE_CHECKING:
    from fresco_media.types import Image


@dataclass(frozen=True, kw_only=True)
class LocalDelivery:
    """Where the results of a session's job go as they are made, so that none lies there twice."""

    output: Path
    is_overwriting: bool = False
    keyframes: Path | None = None
    """A folder for the keyframes, as pictures; None: they are not kept."""
    originals: Originals = NO_ORIGINALS


@dataclass
class LocalJob:
    """A job of this session: what a client sees of it, and the work."""

    job: client.Job
    start: Callable[[], Iterator[types.Event]]
    """Begins the work, which goes on as its events are asked for."""
    folder: Path | None
    """Where what it makes is kept; None for one that delivers it."""
    events: list[client.Event] = field(default_factory=list[client.Event])
    """What has been told, for who asks again; of a job that delivers nothing is kept."""

    @property
    def result(self) -> Path:
        """The file that is fetched."""
        assert self.folder is not None
        output = self.job.output or client.OutputOptions()
        return self.folder / f"result.{output.container or 'mp4'}"

    def picture(self, kind: client.FrameKind, index: int) -> Path:
        """A picture that is fetched."""
        assert self.folder is not None
        return self.folder / kind / f"{index:06d}.png"

    @property
    def is_frames(self) -> bool:
        """Whether frames are wanted in place of a file."""
        return self.job.output is not None and self.job.output.kind == "frames"

    def noted(self, event: client.Event) -> client.Event:
        """The event, of which the job tells from now on."""
        self.job = replace(client.job_after(self.job, event), update_time=event.time)
        if self.folder is not None:
            self.events.append(event)
        return event

    def begin_anew(self) -> None:
        """Forgets what has been told: it was given up before its end."""
        self.events.clear()
        self.job = replace(self.job, last_sequence=0)

    def keep_picture(self, event: types.Event) -> None:
        """Keeps a picture that can be fetched; those of a video are in its file."""
        if self.folder is None:
            return
        if isinstance(event, types.KeyframeMade):
            _write(self.picture("keyframe", event.index), event.image)
        if isinstance(event, types.FrameMade) and self.is_frames:
            _write(self.picture("result", event.frame.index), event.frame.image)


def _write(path: Path, image: Image) -> None:
    from fresco_media.stills.images import write_image

    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, image)
