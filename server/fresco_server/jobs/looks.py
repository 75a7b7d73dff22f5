"""Looks: one frame restyled now, ahead of all jobs, for whoever waits for it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fresco_media.files.own import OwnFolder

from fresco_server.errors import ServerError, Superseded
from fresco_server.jobs.job import ModelOrder, Values

_BUNDLED = ModelOrder()


@dataclass(frozen=True, kw_only=True)
class LookOrder:
    """What a worker needs to know for a look; as in `JobOrder`, for the frame `index`.

    With `shows_control` the picture is that of what binds instead of the frame restyled.
    """

    clip: str
    index: int
    settings: Values
    model: ModelOrder = _BUNDLED
    frame_rate: str | None = None
    device: str = ""
    client_id: str = ""
    shows_control: bool = False


@dataclass(frozen=True)
class LookStepDone:
    """Denoising steps done, of all."""

    done: int
    total: int


@dataclass(frozen=True)
class LookPictureMade:
    """The restyled frame: a PNG at source size, there until the look is closed.

    What is not opaque in it is where the frame stays the clip's own. How opaque a transparent
    clip's frame is lies beside it, in `matte_file`.
    """

    path: Path


def matte_file(picture: Path) -> Path:
    """Where it lies how opaque the clip's frame is that a look's picture was made of, as grey."""
    return picture.with_name(f"{picture.stem}-matte.png")


@dataclass(frozen=True, eq=False)
class QueuedLook:
    """A look under way. The runner puts parts in, one reader takes them out."""

    id: str
    order: LookOrder
    picture: Path
    withdraw: Callable[[QueuedLook], None]
    _parts: queue.SimpleQueue[LookStepDone | LookPictureMade | ServerError] = field(
        default_factory=queue.SimpleQueue[Any]
    )
    _ended: threading.Event = field(default_factory=threading.Event)

    def parts(self) -> Iterator[LookStepDone | LookPictureMade]:
        """Steps, and the picture last.

        Raises:
            ServerError: why there will be no picture.
        """
        while True:
            part = self._parts.get()
            if isinstance(part, ServerError):
                raise part
            yield part
            if isinstance(part, LookPictureMade):
                return

    def put(self, part: LookStepDone | LookPictureMade | ServerError) -> None:
        """Hand a part to the reader; after the last one nothing comes."""
        if self._ended.is_set():
            return
        if not isinstance(part, LookStepDone):
            self._ended.set()
        self._parts.put(part)

    @property
    def has_ended(self) -> bool:
        """Whether the last part has been put in."""
        return self._ended.is_set()

    def supersede(self) -> None:
        """End it in favour of a newer one."""
        self.put(Superseded("a newer look took this one's place"))
        self.withdraw(self)

    def cancel(self) -> None:
        """End it; from any thread."""
        self.put(Superseded("the look was cancelled"))
        self.withdraw(self)

    def close(self) -> None:
        """Give up what it holds; the picture goes."""
        if not self.has_ended:
            self.cancel()
        for path in (self.picture, matte_file(self.picture)):
            with suppress(OSError):
                OwnFolder(path.parent).remove(path.name)
