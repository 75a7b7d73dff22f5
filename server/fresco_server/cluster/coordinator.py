"""The daemon's end of a cluster: many jobs at once, whose parts others make."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

from fresco_client.values import Failure
from fresco_engine.checkpoint import FolderCheckpoint
from fresco_engine.diffusion.model import Model
from fresco_engine.rendering import render
from fresco_engine.settings import settings_from_dict
from fresco_engine.types import Event

from fresco_server.cluster.dispatcher import Dispatcher
from fresco_server.cluster.errors import PartStopped
from fresco_server.cluster.files import needs_of, needs_of_look
from fresco_server.cluster.job_parts import JobParts
from fresco_server.cluster.orders import Installed, Needs
from fresco_server.errors import WorkerLost
from fresco_server.jobs.job import ModelOrder
from fresco_server.jobs.messages import (
    CancelLook,
    DevicesChanged,
    DrainNode,
    LoadFailed,
    LoadModel,
    LookFailed,
    LookMade,
    LookMoved,
    MakeLook,
    Message,
    ModelLoaded,
    Order,
    PingProcess,
    ProcessAnswered,
    RunJob,
    StopJob,
)
from fresco_server.jobs.starting import worker_lost
from fresco_server.worker.channel import Channel
from fresco_server.worker.digests import DigestStopped
from fresco_server.worker.faults import failure_of
from fresco_server.worker.job_run import JobRun, folders_beside, result_path, write_look
from fresco_server.worker.media import open_ordered

_LOGGER = logging.getLogger(__name__)
_CANCELLED = Failure(reason="WORKER_LOST", message="the look was cancelled")
"""What nobody waits for any more; it tells that there is nothing after it."""
_REPORT_S = 0.3
"""How often the daemon is told what the devices do."""


class Coordinator:
    """Does what the daemon orders, everything at the same time, each on a thread of its own."""

    def __init__(self, channel: Channel, worker: type, expected: Installed) -> None:
        self._channel = channel
        self._stopping: dict[str, threading.Event] = {}
        self._cancelled: dict[str, threading.Event] = {}
        self._has_changed = threading.Event()
        self._dispatcher = Dispatcher(worker, expected, self._has_changed.set)

    def start(self) -> None:
        """Find the devices, and tell the daemon of them from now on."""
        self._dispatcher.start()
        threading.Thread(target=self._report, name="devices", daemon=True).start()

    def serve(self) -> None:
        """Work until the daemon is gone."""
        while True:
            order = self._channel.next()
            if order is not None:
                self._do(order)

    def _do(self, order: Order) -> None:
        match order:
            case RunJob():
                stops = self._stopping[order.job] = threading.Event()
                self._begin(partial(self._run, order, stops))
            case StopJob(job=job):
                if job in self._stopping:
                    self._stopping[job].set()
            case MakeLook():
                is_cancelled = self._cancelled[order.look] = threading.Event()
                self._begin(partial(self._look, order, is_cancelled))
            case CancelLook(look=look):
                if look in self._cancelled:
                    self._cancelled[look].set()
            case LoadModel():
                self._begin(partial(self._load, order))
            case PingProcess():
                self._channel.send(ProcessAnswered())
            case DrainNode():
                self._dispatcher.drain(order.node, is_over=order.is_over)
            case _:
                pass

    def _begin(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="order", daemon=True).start()

    # Jobs

    def _run(self, order: RunJob, stops: threading.Event) -> None:
        run = JobRun(order, self._channel.send)
        try:
            run.follow(partial(self._events, stops), lambda: not stops.is_set())
        finally:
            if self._stopping.get(order.job) is stops:  # It may run anew.
                del self._stopping[order.job]
            _give_back_memory()

    def _events(self, stops: threading.Event, order: RunJob) -> Generator[Event, None, None]:
        clip = open_ordered(order.order)
        checkpoint = FolderCheckpoint(Path(order.folder), partial(folders_beside, order))
        try:
            needs = needs_of(order.order, clip, lambda: not stops.is_set())
        except DigestStopped:
            return
        parts = JobParts(order, needs, checkpoint, self._dispatcher)
        codec: Any = None if order.order.codec == "frames" else order.order.codec
        self._dispatcher.add(parts)
        watch = threading.Thread(target=lambda: (stops.wait(), parts.stop()), daemon=True)
        watch.start()
        try:
            yield from render(
                clip,
                None if codec is None else result_path(order),
                settings_from_dict(order.order.settings),
                _no_model,
                codec=codec,
                overwrite=True,
                checkpoint=checkpoint,
                remote=parts,
            )
        except PartStopped:
            return
        finally:
            self._dispatcher.remove(parts)
            stops.set()  # Nobody watches any longer.

    # Looks and models

    def _look(self, order: MakeLook, is_cancelled: threading.Event) -> None:
        try:
            for message in self._looked(order, is_cancelled):
                self._channel.send(message)
            if is_cancelled.is_set():
                self._channel.send(LookFailed(look=order.look, failure=_CANCELLED))
        # The process lives on, and the daemon is told, whatever it was.
        except Exception as error:  # noqa: BLE001
            is_lost = isinstance(error, WorkerLost)
            failure = worker_lost(str(error), "") if is_lost else failure_of(error)
            self._channel.send(LookFailed(look=order.look, failure=failure))
        finally:
            self._cancelled.pop(order.look, None)

    def _looked(self, order: MakeLook, is_cancelled: threading.Event) -> Iterator[Message]:
        def is_wanted() -> bool:
            return not is_cancelled.is_set()

        try:
            needs = needs_of_look(order.order, is_wanted)
        except DigestStopped:
            return
        answers = self._dispatcher.look(order.look, order.order, needs, is_wanted)
        with closing(answers):
            for answer in answers:
                if answer.failure is not None:
                    yield LookFailed(look=order.look, failure=answer.failure)
                elif answer.picture is not None:
                    write_look(Path(order.file), answer.picture, answer.matte)
                    yield LookMade(look=order.look, file=order.file)
                else:
                    yield LookMoved(look=order.look, done=answer.done, total=answer.total)

    def _load(self, order: LoadModel) -> None:
        source = order.source
        try:
            ended = self._dispatcher.load(ModelOrder(source=source), Needs())
        except WorkerLost as error:
            self._channel.send(LoadFailed(source=source, failure=worker_lost(str(error), "")))
            return
        if ended.failure is not None:
            self._channel.send(LoadFailed(source=source, failure=ended.failure))
        else:
            self._channel.send(ModelLoaded(source=source))

    # Devices

    def _report(self) -> None:
        told = None
        while True:
            devices = self._dispatcher.devices()
            if devices != told:
                told = devices
                self._channel.send(DevicesChanged(devices=devices))
            self._has_changed.wait()
            self._has_changed.clear()
            # Devices change often while they work on many small parts.
            threading.Event().wait(_REPORT_S)


def _give_back_memory() -> None:
    """Let the system have what the allocator keeps for threads that have ended.

    With threads for every job it would come to more than a megabyte for each.
    """
    with suppress(OSError, AttributeError):  # Only glibc has it.
        ctypes.CDLL(None).malloc_trim(0)


def _no_model() -> Model:
    raise AssertionError("the machine of the daemon itself loads no model for a cluster")
