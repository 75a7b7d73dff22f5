"""A worker process as the daemon sees it: orders go in, messages come out, it may die at any time.

Orders and messages are JSON, one object a line, on the process's standard input and output; its
standard error are log lines. When the daemon dies the input ends, and the worker with it.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from fresco_server.errors import WorkerLost
from fresco_server.jobs.codec import CANNOT_BE, from_line, to_line
from fresco_server.jobs.messages import Ended, Message, Order

_LOGGER = logging.getLogger(__name__)
_TAIL_LINES = 30
_LINE_LENGTH = 500
# Threads that wait for each other by spinning halve the speed of a machine that has something else
# to do as well; after a short spin they are to sleep.
_ENVIRONMENT = {"GOMP_SPINCOUNT": "20000", "PYTHONIOENCODING": "utf-8"}

OnMessage = Callable[["WorkerProcess", Message | Ended], None]


class WorkerProcess:
    """A process started by `command`, see `ServerSettings.worker`, in the folder `folder`.

    The folder holds nothing but pictures, so that neither a module nor a model is found there by
    a name that was meant for another place.

    `on_message` is called for every message and once, the last time, with `Ended`, on a thread of
    the process's own.

    Raises:
        WorkerLost: it cannot be started.
    """

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, on_message: OnMessage
    ) -> None:
        self.name = name
        self._on_message = on_message
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._sending = threading.Lock()
        self._process = _begun(command, folder)
        self._log = self._start(self._read_log)
        self._start(self._read_messages)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def log_tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self._tail)

    def send(self, order: Order) -> None:
        """Give an order; one that is dead gets none, and `Ended` tells of it."""
        line = to_line(order)
        assert self._process.stdin is not None
        with self._sending, suppress(OSError, ValueError):
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._process.kill()

    def give_up(self) -> bool:
        """End it at once, as it does not stop; whether that can be."""
        self.kill()
        return True

    def close(self, patience_s: float = 2.0) -> None:
        """Let it end by itself, or else kill it."""
        self._end_input()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()

    def _end_input(self) -> None:
        assert self._process.stdin is not None
        with self._sending, suppress(OSError):
            self._process.stdin.close()

    def _start(self, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, name=f"{self.name}-{work.__name__}", daemon=True)
        thread.start()
        return thread

    def _read_messages(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                message = _parsed(line)
                if message is not None:
                    self._on_message(self, message)
        code = self._process.wait()
        self._end_input()
        self._log.join(1.0)
        self._on_message(self, Ended(code=code))

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                text = line.decode("utf-8", "replace").rstrip()[:_LINE_LENGTH]
                self._tail.append(text)
                _LOGGER.info("%s: %s", self.name, text)


def _begun(command: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return subprocess.Popen(
            list(command),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **_ENVIRONMENT},
        )
    except OSError as error:
        raise WorkerLost(
            f"the worker process cannot be started ({error.strerror or error})"
        ) from error


def _parsed(line: bytes) -> Message | None:
    """A message; a line torn by the death of its writer is none."""
    try:
        return from_line(Message, line)
    except CANNOT_BE:
        _LOGGER.debug("no message: %r", line[:_LINE_LENGTH])
        return None
