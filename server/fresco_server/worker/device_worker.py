"""The worker of one device: jobs one after the other, looks between the steps of whatever runs."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator
from pathlib import Path
from typing import Protocol

from fresco_engine import types as engine
from fresco_engine.types import LookedFrame
from fresco_media.stills.png import encode_png

from fresco_server.jobs.looks import LookOrder
from fresco_server.jobs.messages import (
    CancelLook,
    LoadFailed,
    LoadModel,
    LookFailed,
    LookMade,
    LookMoved,
    MakeLook,
    ModelLoaded,
    Order,
    RunJob,
    StopJob,
)
from fresco_server.worker.channel import Channel
from fresco_server.worker.faults import failure_of
from fresco_server.worker.job_run import JobRun, write_look

_LOGGER = logging.getLogger(__name__)


class Engine(Protocol):
    """What a worker needs of the engine."""

    def render(self, run: RunJob) -> Generator[engine.Event, None, None]:
        """The events of a job, `Finished` last; its output goes to `result_path`."""
        ...

    def look(self, order: LookOrder) -> Generator[tuple[int, int], None, LookedFrame]:
        """A look: yields denoising steps done and in all, and returns the picture."""
        ...

    def load(self, source: str | None) -> None:
        """Load a model ahead of its first use."""
        ...


class DeviceWorker:
    """Does what the daemon orders, one thing at a time."""

    def __init__(self, channel: Channel, engine: Engine) -> None:
        self._channel = channel
        self._engine = engine
        self._waiting: deque[Order] = deque()
        self._stopping: str | None = None
        self._cancelled: set[str] = set()
        self._job: str | None = None

    def serve(self) -> None:
        """Work until the daemon is gone."""
        while True:
            order = self._waiting.popleft() if self._waiting else self._channel.next()
            if order is not None:
                self._do(order)

    def _do(self, order: Order) -> None:
        match order:
            case RunJob():
                self._run(order)
            case MakeLook():
                self._look(order)
            case LoadModel():
                self._load(order)
            case _:
                pass  # To be stopped is what does not run any more.

    def _attend(self) -> None:
        """Take in what was ordered meanwhile; a look is done at once, unless one is under way."""
        while (order := self._channel.next(0)) is not None:
            match order:
                case StopJob():
                    self._stopping = order.job
                case CancelLook():
                    self._cancelled.add(order.look)
                case _:
                    self._waiting.append(order)

    def _do_waiting_looks(self) -> None:
        for order in [order for order in self._waiting if isinstance(order, MakeLook)]:
            self._waiting.remove(order)
            self._look(order)

    # Jobs

    def _run(self, order: RunJob) -> None:
        self._job = order.job
        try:
            JobRun(order, self._channel.send).follow(self._engine.render, self._goes_on)
        finally:
            self._job = None
            self._stopping = None

    def _goes_on(self) -> bool:
        """Whether the job is not to stop; looks are made meanwhile."""
        self._attend()
        if self._stopping == self._job:
            return False
        self._do_waiting_looks()
        return True

    # Looks and models

    def _look(self, order: MakeLook) -> None:
        try:
            self._make_look(order)
        # As for a job: the process lives on.
        except Exception as error:  # noqa: BLE001
            self._channel.send(LookFailed(look=order.look, failure=failure_of(error)))
        finally:
            self._cancelled.discard(order.look)

    def _make_look(self, order: MakeLook) -> None:
        look = order.look
        if look in self._cancelled:
            return
        steps = self._engine.look(order.order)
        while True:
            try:
                done, total = next(steps)
            except StopIteration as end:
                _write_look(Path(order.file), end.value)
                self._channel.send(LookMade(look=look, file=order.file))
                return
            self._channel.send(LookMoved(look=look, done=done, total=total))
            self._attend()
            if look in self._cancelled or (self._job is not None and self._stopping == self._job):
                steps.close()
                return

    def _load(self, order: LoadModel) -> None:
        source = order.source
        try:
            self._engine.load(source)
        # As for a job: the process lives on.
        except Exception as error:  # noqa: BLE001
            self._channel.send(LoadFailed(source=source, failure=failure_of(error)))
        else:
            self._channel.send(ModelLoaded(source=source))


def _write_look(path: Path, looked: LookedFrame) -> None:
    matte = None if looked.matte is None else encode_png(looked.matte)
    write_look(path, encode_png(looked.image, mask=looked.region), matte)
