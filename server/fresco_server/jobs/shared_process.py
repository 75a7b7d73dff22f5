"""One worker process for several runners, each of which uses it as if it were its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from fresco_client.events import Failed, Finished

from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.messages import (
    CancelLook,
    DevicesChanged,
    Ended,
    JobMoved,
    JobStopped,
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
    Ready,
    RunJob,
    StopJob,
)
from fresco_server.jobs.process import OnMessage, WorkerProcess

_HANGS_S = 20.0
"""For how long a process that is not hung may leave a question unanswered, on a busy machine."""

OnDevices = Callable[[tuple[DeviceInfo, ...] | None], None]


class SharedProcess:
    """Starts a process for the first line that is opened, and ends it with the last.

    What the process says of a job, a look or a model goes to the line by which it was ordered;
    that it is ready or has ended, to all. `on_devices` is told of its devices: none where it has
    ended by itself, and None where it was ended as nobody uses it. It is given `first_orders`
    before all others.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        on_devices: OnDevices,
        first_orders: Callable[[], Sequence[Order]] = tuple,
    ) -> None:
        self._name = name
        self._command = command
        self._folder = folder
        self._on_devices = on_devices
        self._first_orders = first_orders
        self._lock = threading.RLock()
        self._process: WorkerProcess | None = None
        self._is_ready: Ready | None = None
        self._asked: float | None = None
        self._lines: list[SharedLine] = []
        self._owners: dict[tuple[str, str | None], SharedLine] = {}

    def open(self, on_message: OnMessage) -> SharedLine:
        """A line to the process, which is started if there is none.

        Raises:
            WorkerLost: it cannot be started.
        """
        with self._lock:
            if self._process is None:
                self._is_ready = self._asked = None
                self._process = WorkerProcess(
                    self._name, self._command, self._folder, self._on_message
                )
                for order in self._first_orders():
                    self._process.send(order)
            line = SharedLine(self, self._process, on_message)
            self._lines.append(line)
            if self._is_ready is not None:
                on_message(line, self._is_ready)
            return line

    def send(self, line: SharedLine, order: Order) -> None:
        """Give an order, whose answers go to `line`."""
        with self._lock:
            key = _key_of(order)
            # Of what has ended meanwhile nobody will tell that it has ended.
            if key is not None and not isinstance(order, StopJob | CancelLook):
                self._owners[key] = line
        line.process.send(order)

    def tell(self, order: Order) -> None:
        """Give an order that has no answer, if there is a process."""
        with self._lock:
            process = self._process
        if process is not None:
            process.send(order)

    def leave(self, line: SharedLine) -> None:
        """A line is used no more."""
        with self._lock:
            self._lines = [other for other in self._lines if other is not line]
            self._owners = {key: own for key, own in self._owners.items() if own is not line}
            is_last = not self._lines and self._process is line.process
            if is_last:
                self._process = None
        if is_last:
            line.process.close()
            with self._lock:
                if self._process is None:
                    self._on_devices(None)

    def give_up(self, line: SharedLine) -> bool:
        """End the process, in which the work of a line does not stop; whether that was done.

        While others work there it is ended only if it is hung: it does not answer either.
        """
        with self._lock:
            others = [owner for owner in self._owners.values() if owner is not line]
            is_shared = self._process is line.process and bool(others)
            now = time.monotonic()
            if is_shared and self._asked is None:
                self._asked = now
                line.process.send(PingProcess())
            if is_shared and self._asked is not None and now < self._asked + _HANGS_S:
                return False
        line.process.kill()
        return True

    def _on_message(self, process: WorkerProcess, message: Message | Ended) -> None:
        with self._lock:
            if isinstance(message, DevicesChanged):
                # What an earlier one says late is of no interest.
                if process is self._process:
                    self._on_devices(message.devices)
                return
            if isinstance(message, ProcessAnswered):
                self._asked = None
                return
            if isinstance(message, Ready):
                self._is_ready = message
            lines = [line for line in self._lines if line.process is process]
            owned = _key_of(message)
            if owned is not None:
                is_last = _is_last(message)
                owner = self._owners.pop(owned, None) if is_last else self._owners.get(owned)
                lines = [line for line in lines if line is owner]
            if isinstance(message, Ended):
                self._has_ended(process)
            for line in lines:
                line.on_message(line, message)

    def _has_ended(self, process: WorkerProcess) -> None:
        if self._process is process:
            self._process = None
            self._on_devices(())
        self._lines = [line for line in self._lines if line.process is not process]


class SharedLine(WorkerProcess):
    """A shared process as one of its users has it."""

    def __init__(
        self, shared: SharedProcess, process: WorkerProcess, on_message: OnMessage
    ) -> None:
        self.process = process
        self.on_message = on_message
        self._shared = shared

    @property
    def pid(self) -> int:
        """The process's number."""
        return self.process.pid

    @property
    def log_tail(self) -> str:
        """The last lines of its log."""
        return self.process.log_tail

    def send(self, order: Order) -> None:
        """Give an order."""
        self._shared.send(self, order)

    def kill(self) -> None:
        """End the process at once, for all its users."""
        self.process.kill()

    def give_up(self) -> bool:
        """As `SharedProcess.give_up`."""
        return self._shared.give_up(self)

    def close(self, patience_s: float = 2.0) -> None:
        """Use it no more; the last one to do so ends the process."""
        self._shared.leave(self)


def _is_last(message: Message | Ended) -> bool:
    """Whether nothing more is said of a job, a look or a model after this."""
    match message:
        case JobMoved(event=event):
            return isinstance(event, Finished | Failed)
        case JobStopped() | LookMade() | LookFailed() | ModelLoaded() | LoadFailed():
            return True
        case _:
            return False


def _key_of(message: Order | Message | Ended) -> tuple[str, str | None] | None:
    """What tells whose order, or answer, it is."""
    match message:
        case RunJob() | StopJob() | JobMoved() | JobStopped():
            return "job", message.job
        case MakeLook() | CancelLook() | LookMoved() | LookMade() | LookFailed():
            return "look", message.look
        case LoadModel() | ModelLoaded() | LoadFailed():
            return "model", message.source
        case _:
            return None
