"""The life of a device's worker process: started when there is work, ended when there is none."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from fresco_server.jobs import starting
from fresco_server.jobs.messages import Broken, Message, ModelHeld, Order, Ready, Refused
from fresco_server.jobs.process import OnMessage, WorkerProcess
from fresco_server.jobs.starting import StartBackoff, cause

_LOGGER = logging.getLogger(__name__)
_STOP_PATIENCE_S = 1.2
"""A stop takes effect within two seconds: by then the worker has stopped by itself or is killed."""
_LONGEST_WAIT_S = 60.0


class WorkerLifecycle:
    """At most one process at a time. Used on its runner's thread, but for what others may read.

    `begin` starts one. After `idle_unload_s` without work the process ends, and with it all memory
    it holds is free.
    """

    def __init__(
        self,
        device_id: str,
        begin: Callable[[OnMessage], WorkerProcess],
        idle_unload_s: float,
        on_message: OnMessage,
    ) -> None:
        self.starts = StartBackoff()
        self.is_ready = False
        self.model: tuple[str | None] | None = None
        """The source of the model in memory, if there is one."""
        self._device_id = device_id
        self._begin = begin
        self._idle_unload_s = idle_unload_s
        self._on_message = on_message
        self._process: WorkerProcess | None = None
        self._refusal = ""
        self._kill_at: float | None = None
        self._idle_since = time.monotonic()

    @property
    def is_running(self) -> bool:
        """Whether there is a process, ready or not."""
        return self._process is not None

    @property
    def can_start_now(self) -> bool:
        """Whether there is a process, or no reason to wait with starting one."""
        return self.is_running or not self.starts.wait_s

    def is_mine(self, process: WorkerProcess) -> bool:
        """Whether it is the one that works now, not one that was let go."""
        return process is self._process

    def adopt(self, process: WorkerProcess) -> None:
        """Take over one that has started already."""
        self._process, self.is_ready = process, True

    def ensure(self) -> bool:
        """Start one if there is none and it is time for it; whether it is ready.

        Raises:
            WorkerLost: it cannot be started.
        """
        if self._process is None and not self.starts.wait_s:
            self.is_ready, self._refusal = False, ""
            self._process = self._begin(self._on_message)
            self._kill_at = time.monotonic() + starting.START_PATIENCE_S
        return self.is_ready

    def send(self, order: Order) -> None:
        """Give an order to one that is ready; to another one none."""
        if self._process is not None and self.is_ready:
            self._process.send(order)

    def on_message(self, message: Message) -> None:
        """Take in what it says of itself."""
        match message:
            case Ready():
                self.is_ready = True
                self.starts.succeeded()
                self.is_free()
            case Refused():
                self._refusal = message.failure.message
            case Broken():
                self._refusal = message.message
            case ModelHeld():
                self.model = (message.source,)
            case _:
                pass

    def is_free(self) -> None:
        """It has done what it was to do, and need not be killed for it."""
        self._kill_at = None
        self.has_worked()

    def has_worked(self) -> None:
        """Count the time without work from now on."""
        self._idle_since = time.monotonic()

    def must_stop(self) -> None:
        """Kill it soon if it does not stop by itself."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + _STOP_PATIENCE_S

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()

    def give_up(self) -> bool:
        """End it at once, as it does not stop; whether that was done.

        It is tried again later where others work in the same process.
        """
        if self._process is None or self._process.give_up():
            self._kill_at = None
            return True
        self._kill_at = time.monotonic() + _STOP_PATIENCE_S
        return False

    def close(self) -> None:
        """Let it end, and wait for that; all memory it holds is free."""
        process, self._process = self._process, None
        self.model, self.is_ready = None, False
        if process is not None:
            _LOGGER.info("%s: freeing the device's memory", self._device_id)
            process.close()

    def has_ended(self, process: WorkerProcess, code: int) -> str | None:
        """Know that it has ended by itself; why it did not even start, if that is so."""
        _LOGGER.info("%s: the worker ended with %d", self._device_id, code)
        has_started, self.is_ready = self.is_ready, False
        self._process = self.model = self._kill_at = None
        return None if has_started else self._refusal or cause(code)

    def wait_s(self, *, is_idle: bool) -> float:
        """Seconds until `on_time` is due."""
        now, waits = time.monotonic(), [_LONGEST_WAIT_S]
        if self._kill_at is not None:
            waits.append(self._kill_at - now)
        if self._process is None and self.starts.wait_s:
            waits.append(self.starts.wait_s)
        if self.is_ready and is_idle:
            waits.append(self._idle_since + self._idle_unload_s - now)
        return max(0.0, min(waits))

    def on_time(self, *, is_idle: bool) -> None:
        """Kill one that does not stop; end one that has had nothing to do for long."""
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at and self._process is not None:
            if self.give_up():
                _LOGGER.info("%s: the worker does not stop; killing it", self._device_id)
        elif self.is_ready and is_idle and now >= self._idle_since + self._idle_unload_s:
            self.close()
