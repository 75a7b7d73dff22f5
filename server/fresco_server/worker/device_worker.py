"""The worker of one device: jobs one after the other, looks between the steps of whatever runs."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import deque
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from fresco_client.events import Event, Failed, Finished, Restarted
from fresco_client.values import ResultInfo
from fresco_engine import types as engine
from fresco_engine.checkpoint import FolderCheckpoint
from fresco_engine.types import LookedFrame, Report
from fresco_media.files.disk import storing
from fresco_media.files.own import OwnFolder
from fresco_media.stills.png import encode_png

from fresco_server.jobs.looks import LookOrder, matte_file
from fresco_server.jobs.messages import (
    CancelLook,
    JobMoved,
    JobStopped,
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
from fresco_server.lock import alone_in
from fresco_server.worker.channel import Channel
from fresco_server.worker.event_translator import EventTranslator
from fresco_server.worker.faults import failure_of

_LOGGER = logging.getLogger(__name__)
RESULT = "result"
_MOST_FRAMES_SENT = 5000


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
        self._job = job = order.job
        _LOGGER.info("job %s: begins", job)
        try:
            with alone_in(Path(order.folder)):
                self._follow(order)
        # The process lives on, and the daemon is told, whatever it was.
        except Exception as error:  # noqa: BLE001
            self._send_event(order, Failed(failure=failure_of(error)))
        finally:
            self._job = None
            self._stopping = None

    def _send_event(self, order: RunJob, event: Event) -> None:
        self._channel.send(JobMoved(job=order.job, event=event))

    def _follow(self, order: RunJob) -> None:
        self._send_restart(order)
        translator = EventTranslator()
        with closing(self._engine.render(order)) as events:
            for event in events:
                if isinstance(event, engine.RunFinished):
                    self._finish(order, event.report)
                    return
                for sent in translator.events(event):
                    self._send_event(order, sent)
                self._attend()
                if self._stopping == order.job:
                    break
                self._do_waiting_looks()
        _LOGGER.info("job %s: stopped", order.job)
        self._channel.send(JobStopped(job=order.job))

    def _send_restart(self, order: RunJob) -> None:
        """What a worker could not say that was killed when it had just begun anew."""
        checkpoint = FolderCheckpoint(Path(order.folder))
        if checkpoint.adjustments().size is not None and order.restarts == 0:
            reason = "the work began again at a smaller size"
            self._send_event(order, Restarted(reason=reason))

    def _finish(self, order: RunJob, report: Report) -> None:
        path = None if order.order.codec == "frames" else result_path(order)
        result = ResultInfo(
            file_name="" if path is None else path.name,
            size_bytes=0 if path is None else path.stat().st_size,
            sha256="" if path is None else _digest(path),
            report_json=json.dumps(_bounded(report).as_dict(), default=str),
        )
        self._send_event(order, Finished(result=result))

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
    folder = OwnFolder(path.parent)
    with storing(path):
        if looked.matte is not None:
            folder.write(matte_file(path).name, encode_png(looked.matte))
        folder.write(path.name, encode_png(looked.image, mask=looked.region))


def result_path(order: RunJob) -> Path:
    """Where a job's result goes."""
    return Path(order.folder) / f"{RESULT}{order.order.suffix}"


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _bounded(report: Report) -> Report:
    """A report that fits into a message: of a long clip, without the figures of every frame."""
    if len(report.interpolation.get("frames", ())) <= _MOST_FRAMES_SENT:
        return report
    return replace(report, interpolation={**report.interpolation, "frames": {}})
