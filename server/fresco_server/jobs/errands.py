"""What a worker is told: its jobs, and what it does beside them, looks and loading models."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path

from fresco_server.errors import EngineRefused, ServerError, WorkerLost
from fresco_server.jobs.job import Job, Values
from fresco_server.jobs.looks import Look, LookPicture, LookStep

_LOAD_PATIENCE_S = 600.0


class Errands:
    """The errands of one worker; used on its runner's thread only.

    `send` hands an order to the worker if it is ready; all are sent by `send_all` once it is.
    """

    def __init__(self, send: Callable[[Values], None]) -> None:
        self._send = send
        self._looks: dict[str, Look] = {}
        self._loads: list[Load] = []

    @property
    def are_done(self) -> bool:
        """Whether there are none."""
        return not self._looks and not self._loads

    def add_look(self, look: Look) -> None:
        """Work on a look, unless it has been given up already."""
        if not look.has_ended:
            self._looks[look.id] = look
            self._send(_look_order(look))

    def withdraw(self, look: Look) -> None:
        """Work on a look no longer."""
        if self._looks.pop(look.id, None) is not None:
            self._send({"do": "cancel_look", "look": look.id})

    def add_load(self, load: Load) -> None:
        """Load a model."""
        self._loads.append(load)
        self._send(load.order)

    def send_all(self) -> None:
        """Give everything to a worker that has just started."""
        for look in self._looks.values():
            self._send(_look_order(look))
        for load in self._loads:
            self._send(load.order)

    def fail(self, error: ServerError) -> None:
        """Tell everybody who waits that nothing comes of it."""
        for look in self._looks.values():
            look.put(error)
        for load in self._loads:
            load.end(error)
        self._looks.clear()
        self._loads.clear()

    def hear(self, message: Values) -> bool:
        """Take in what the worker says; whether it was about an errand."""
        say: str = message["say"]
        if say.startswith("look_"):
            self._hear_of_look(message)
        elif say in ("loaded", "load_failed"):
            error = _refusal(message) if say == "load_failed" else None
            for load in [load for load in self._loads if load.source == message["source"]]:
                self._loads.remove(load)
                load.end(error)
        else:
            return False
        return True

    def _hear_of_look(self, message: Values) -> None:
        look = self._looks.get(message["look"])
        if look is None:
            # It was withdrawn while its picture was written.
            if message["say"] == "look_done":
                Path(message["file"]).unlink(missing_ok=True)
        elif message["say"] == "look_step":
            look.put(LookStep(message["done"], message["total"]))
        else:
            del self._looks[look.id]
            is_done = message["say"] == "look_done"
            look.put(LookPicture(look.picture) if is_done else _refusal(message))


class Load:
    """A request to load a model (None is the bundled one), and the thread that waits for it."""

    def __init__(self, source: str | None) -> None:
        self.source = source
        self._answer: queue.SimpleQueue[ServerError | None] = queue.SimpleQueue()

    @property
    def order(self) -> Values:
        """What the worker is told."""
        return {"do": "load", "source": self.source}

    def end(self, error: ServerError | None) -> None:
        """Let the waiting thread go on."""
        self._answer.put(error)

    def wait(self) -> None:
        """Raises: ServerError when it could not be loaded."""
        try:
            error = self._answer.get(timeout=_LOAD_PATIENCE_S)
        except queue.Empty:
            raise WorkerLost("the model is still not loaded; look at the log") from None
        if error is not None:
            raise error


def work_order(job: Job) -> Values:
    """What the worker is told of a job, beside its folder."""
    order = job.order
    return {
        "clip": order.clip,
        "frame_rate": order.frame_rate,
        "settings": order.settings,
        "model": order.model.as_dict(),
        "codec": order.codec,
        "suffix": order.suffix,
        "restarts": job.restarts,
    }


def _look_order(look: Look) -> Values:
    order = look.order
    return {
        "do": "look",
        "look": look.id,
        "clip": order.clip,
        "frame_rate": order.frame_rate,
        "index": order.index,
        "settings": order.settings,
        "model": order.model.as_dict(),
        "file": str(look.picture),
    }


def _refusal(message: Values) -> ServerError:
    return EngineRefused(message["message"], reason=message["reason"])
