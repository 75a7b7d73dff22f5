"""The worker of one device: jobs one after the other, looks between the steps of whatever runs."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from fresco_engine.checkpoint import FolderCheckpoint
from fresco_engine.types import Event, Finished, Report
from fresco_media.disk import storing
from fresco_media.images import encode_image
from fresco_media.own import OwnFolder
from fresco_media.types import Image

from fresco_server.worker.channel import Channel, Order
from fresco_server.worker.faults import refusal
from fresco_server.worker.narration import Narration

_LOGGER = logging.getLogger(__name__)
RESULT = "result"
_MOST_FRAMES_TOLD = 5000


class Engine(Protocol):
    """What a worker needs of the engine."""

    def render(self, order: Order) -> Generator[Event, None, None]:
        """The events of a job, `Finished` last; its output goes to `result_path`."""
        ...

    def look(self, order: Order) -> Generator[tuple[int, int], None, Image]:
        """A look: yields denoising steps done and in all, and returns the picture."""
        ...

    def load(self, source: str | None) -> None:
        """Load a model ahead of its first use."""
        ...


class Worker:
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
        kind = order["do"]
        if kind == "run":
            self._run(order)
        elif kind == "look":
            self._look(order)
        elif kind == "load":
            self._load(order)

    def _attend(self) -> None:
        """Take in what was ordered meanwhile; a look is done at once, unless one is under way."""
        while (order := self._channel.next(0)) is not None:
            if order["do"] == "stop":
                self._stopping = order["job"]
            elif order["do"] == "cancel_look":
                self._cancelled.add(order["look"])
            else:
                self._waiting.append(order)

    def _do_waiting_looks(self) -> None:
        for order in [order for order in self._waiting if order["do"] == "look"]:
            self._waiting.remove(order)
            self._look(order)

    # Jobs

    def _run(self, order: Order) -> None:
        self._job = job = order["job"]
        _LOGGER.info("job %s: begins", job)
        try:
            self._follow(order)
        # The process lives on, and the daemon is told, whatever it was.
        except Exception as error:  # noqa: BLE001
            self._channel.say("failed", job=job, **refusal(error))
        finally:
            self._job = None
            self._stopping = None

    def _follow(self, order: Order) -> None:
        self._tell_of_restart(order)
        narration = Narration()
        with closing(self._engine.render(order)) as events:
            for event in events:
                if isinstance(event, Finished):
                    self._finish(order, event.report)
                    return
                for message in narration.messages(event):
                    self._channel.say(job=self._job, **message)
                self._attend()
                if self._stopping == self._job:
                    break
                self._do_waiting_looks()
        _LOGGER.info("job %s: stopped", self._job)
        self._channel.say("stopped", job=self._job)

    def _tell_of_restart(self, order: Order) -> None:
        """What a worker could not say that was killed when it had just begun anew."""
        checkpoint = FolderCheckpoint(Path(order["folder"]))
        if checkpoint.adjustments().size is not None and order["restarts"] == 0:
            reason = "the work began again at a smaller size"
            self._channel.say("restarted", job=self._job, reason=reason)

    def _finish(self, order: Order, report: Report) -> None:
        path = None if order["codec"] == "frames" else result_path(order)
        self._channel.say(
            "finished",
            job=self._job,
            file_name="" if path is None else path.name,
            size_bytes=0 if path is None else path.stat().st_size,
            sha256="" if path is None else _digest(path),
            report=_plain(_bounded(report).as_dict()),
        )

    # Looks and models

    def _look(self, order: Order) -> None:
        look = order["look"]
        try:
            self._make_look(order)
        # As for a job: the process lives on.
        except Exception as error:  # noqa: BLE001
            self._channel.say("look_failed", look=look, **refusal(error))
        finally:
            self._cancelled.discard(look)

    def _make_look(self, order: Order) -> None:
        look = order["look"]
        if look in self._cancelled:
            return
        steps = self._engine.look(order)
        while True:
            try:
                done, total = next(steps)
            except StopIteration as end:
                path = Path(order["file"])
                with storing(path):
                    OwnFolder(path.parent).write(path.name, encode_image(end.value, ".png"))
                self._channel.say("look_done", look=look, file=order["file"])
                return
            self._channel.say("look_step", look=look, done=done, total=total)
            self._attend()
            if look in self._cancelled or (self._job is not None and self._stopping == self._job):
                steps.close()
                return

    def _load(self, order: Order) -> None:
        source = order["source"]
        try:
            self._engine.load(source)
        # As for a job: the process lives on.
        except Exception as error:  # noqa: BLE001
            self._channel.say("load_failed", source=source, **refusal(error))
        else:
            self._channel.say("loaded", source=source)


def result_path(order: Mapping[str, Any]) -> Path:
    """Where a job's result goes."""
    return Path(order["folder"]) / f"{RESULT}{order['suffix']}"


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _bounded(report: Report) -> Report:
    """A report that fits into a message: of a long clip, without the figures of every frame."""
    if len(report.interpolation.get("frames", ())) <= _MOST_FRAMES_TOLD:
        return report
    return replace(report, interpolation={**report.interpolation, "frames": {}})


def _plain(values: Any) -> Any:
    """Values as JSON can hold them."""
    if isinstance(values, Mapping):
        return {str(name): _plain(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [_plain(value) for value in values]
    return values if isinstance(values, (str, int, float, bool, type(None))) else str(values)
