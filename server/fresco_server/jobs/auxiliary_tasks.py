"""What a worker does beside its jobs: looks and loading models."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from pathlib import Path

from fresco_client.values import Failure

from fresco_server.errors import EngineRefused, ServerError, WorkerLost
from fresco_server.jobs.looks import LookPictureMade, LookStepDone, QueuedLook
from fresco_server.jobs.messages import (
    CancelLook,
    LoadFailed,
    LoadMessage,
    LoadModel,
    LookFailed,
    LookMade,
    LookMessage,
    LookMoved,
    MakeLook,
    ModelLoaded,
    Order,
)

_LOAD_PATIENCE_S = 600.0
_LOOK_S = 0.5
"""How often is asked whether anybody still waits."""


class AuxiliaryTasks:
    """The errands of one worker; used on its runner's thread only.

    `send` hands an order to the worker if it is ready; all are sent by `send_all` once it is.
    """

    def __init__(self, send: Callable[[Order], None]) -> None:
        self._send = send
        self._looks: dict[str, QueuedLook] = {}
        self._loads: list[ModelLoad] = []

    @property
    def are_done(self) -> bool:
        """Whether there are none."""
        return not self._looks and not self._loads

    def add_look(self, look: QueuedLook) -> None:
        """Work on a look, unless it has been given up already."""
        if not look.has_ended:
            self._looks[look.id] = look
            self._send(_look_order(look))

    def withdraw(self, look: QueuedLook) -> None:
        """Work on a look no longer."""
        if self._looks.pop(look.id, None) is not None:
            self._send(CancelLook(look=look.id))

    def add_load(self, load: ModelLoad) -> None:
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

    def on_message(self, message: LookMessage | LoadMessage) -> None:
        """Take in what the worker says."""
        match message:
            case LookMoved() | LookMade() | LookFailed():
                self._on_look_message(message)
            case ModelLoaded():
                self._end_loads(message.source, None)
            case LoadFailed():
                self._end_loads(message.source, _refusal(message.failure))

    def _end_loads(self, source: str | None, error: ServerError | None) -> None:
        for load in [load for load in self._loads if load.order.source == source]:
            self._loads.remove(load)
            load.end(error)

    def _on_look_message(self, message: LookMessage) -> None:
        look = self._looks.get(message.look)
        if look is None:
            # It was withdrawn while its picture was written.
            if isinstance(message, LookMade):
                Path(message.file).unlink(missing_ok=True)
            return
        if isinstance(message, LookMoved):
            look.put(LookStepDone(message.done, message.total))
            return
        del self._looks[look.id]
        is_made = isinstance(message, LookMade)
        look.put(LookPictureMade(look.picture) if is_made else _refusal(message.failure))


class ModelLoad:
    """A request to load a model (None is the bundled one), and the thread that waits for it."""

    def __init__(self, source: str | None) -> None:
        self.order = LoadModel(source=source)
        self._answer: queue.SimpleQueue[ServerError | None] = queue.SimpleQueue()

    def end(self, error: ServerError | None) -> None:
        """Let the waiting thread go on."""
        self._answer.put(error)

    def wait(self, is_wanted: Callable[[], bool]) -> None:
        """Wait until it is there, or nobody wants it any more; it is loaded all the same.

        Raises:
            ServerError: it could not be loaded.
        """
        ends = time.monotonic() + _LOAD_PATIENCE_S
        while True:
            try:
                error = self._answer.get(timeout=_LOOK_S)
            except queue.Empty:
                if time.monotonic() < ends and is_wanted():
                    continue
                raise WorkerLost("the model is still not loaded; look at the log") from None
            if error is not None:
                raise error
            return


def _look_order(look: QueuedLook) -> MakeLook:
    return MakeLook(look=look.id, file=str(look.picture), order=look.order)


def _refusal(failure: Failure) -> ServerError:
    return EngineRefused.because_of(failure)
