"""Work that may take a while, done one after the other beside the window."""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from fresco_client import ClientError
from fresco_client.words import unexpected
from PyQt6.QtCore import QThread, pyqtSignal

from fresco_davinci.errors import HostGone, ResolveError
from fresco_davinci.remedies import in_resolve

_log = logging.getLogger(__name__)
_LAST_MS = 20_000
Task = Callable[[], Any]
Done = Callable[[Any], None]


class Background(QThread):
    """Runs tasks in order. What a task gives, or why it failed, comes back on the window's thread.

    Signals:
        succeeded: what is to be done with the result, and the result.
        failed: a sentence, and whether Resolve is gone.
    """

    succeeded = pyqtSignal(object, object)
    failed = pyqtSignal(str, bool)

    def __init__(self) -> None:
        super().__init__()
        self._tasks: SimpleQueue[tuple[Task, Done] | None] = SimpleQueue()
        self._waiting = 0
        self.succeeded.connect(self._hand_over)
        self.failed.connect(self._count_failure)

    @property
    def is_busy(self) -> bool:
        """Whether a task runs or waits."""
        return self._waiting > 0

    def add(self, task: Task, done: Done) -> None:
        """Run a task when those before it are done, then `done` with its result."""
        self._waiting += 1
        self._tasks.put((task, done))

    def stop(self) -> None:
        """End after the tasks that wait, and wait for that, unless Resolve hangs."""
        self._tasks.put(None)
        self.wait(_LAST_MS)

    def run(self) -> None:
        """The thread."""
        while (item := self._tasks.get()) is not None:
            task, done = item
            try:
                self.succeeded.emit(done, task())
            except (ResolveError, ClientError) as error:
                self.failed.emit(in_resolve(error), isinstance(error, HostGone))
            # A window that stops working helps nobody.
            except Exception as error:  # noqa: BLE001
                _log.exception("a task of the window failed")
                self.failed.emit(unexpected(error), False)

    def _hand_over(self, done: Done, result: Any) -> None:
        self._waiting -= 1
        done(result)

    def _count_failure(self, sentence: str, is_gone: bool) -> None:
        self._waiting -= 1
