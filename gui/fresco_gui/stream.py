"""Work that blocks, done on threads of its own, its results handed to the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from PyQt6.QtCore import QObject, QThread, pyqtSignal, pyqtSlot

_log = logging.getLogger(__name__)

Produce = Callable[[], Iterator[object]]
"""Opens a stream; called and iterated on the worker's thread."""


class StreamWorker(QThread):
    """Iterates a stream on its own thread and emits what comes.

    Signals:
        received(object): an item.
        failed(object): the exception that ended the stream, unless it was stopped.
        completed(): the stream came to its end by itself.
    """

    received = pyqtSignal(object)
    failed = pyqtSignal(object)
    completed = pyqtSignal()

    def __init__(self, produce: Produce, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._produce = produce
        self._stream: Iterator[object] | None = None
        self.is_stopped = False
        """Kept here, for Qt forgets a request for interruption when the thread has ended."""

    def run(self) -> None:
        """Do the work; called by Qt on the new thread."""
        try:
            self._stream = self._produce()
            if self.is_stopped:
                self._close()
                return
            for item in self._stream:
                if self.is_stopped:
                    return
                self.received.emit(item)
        except Exception as error:  # noqa: BLE001 - handed on, whatever it is
            if not self.is_stopped:
                self.failed.emit(error)
            return
        finally:
            self._stream = None
        if not self.is_stopped:
            self.completed.emit()

    def stop(self) -> None:
        """End the stream; nothing is emitted from now on. Does not wait for the thread."""
        self.is_stopped = True
        self.requestInterruption()
        self._close()

    def _close(self) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            try:
                close()
            except ValueError:  # a generator at work, which looks at the request by itself
                _log.debug("a stream is busy and ends a little later")


class Workers(QObject):
    """Keeps the workers that run, so that none is destroyed while its thread is alive."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: set[StreamWorker] = set()

    def stream(
        self,
        produce: Produce,
        on_item: Callable[[object], None],
        on_failed: Callable[[Exception], None] | None = None,
        on_completed: Callable[[], None] | None = None,
    ) -> StreamWorker:
        """Start a stream; the callbacks run on the GUI thread."""
        worker = StreamWorker(produce)
        receiver = _Receiver(worker, on_item, on_failed, on_completed, self)
        self._running.add(worker)
        worker.received.connect(receiver.on_received)
        worker.failed.connect(receiver.on_failed)
        worker.completed.connect(receiver.on_completed)
        worker.finished.connect(receiver.on_finished)
        worker.start()
        return worker

    def call(
        self,
        work: Callable[[], object],
        on_done: Callable[[object], None],
        on_failed: Callable[[Exception], None] | None = None,
    ) -> StreamWorker:
        """Start a single call; `on_done` gets what it returns, on the GUI thread."""
        return self.stream(lambda: iter([work()]), on_done, on_failed)

    def forget(self, worker: StreamWorker) -> None:
        """The worker's thread has ended."""
        self._running.discard(worker)

    def stop_all(self) -> None:
        """Ask all to end, for closing the window."""
        for worker in list(self._running):
            worker.stop()

    def wait_all(self, timeout_ms: int) -> bool:
        """Wait for all threads; whether all have ended in time."""
        ended = [worker.wait(timeout_ms) for worker in list(self._running)]
        return all(ended)


class _Receiver(QObject):
    """Lives on the GUI thread, so that Qt brings the worker's signals there."""

    def __init__(
        self,
        worker: StreamWorker,
        on_item: Callable[[object], None],
        on_failed: Callable[[Exception], None] | None,
        on_completed: Callable[[], None] | None,
        workers: Workers,
    ) -> None:
        super().__init__(workers)
        self._worker = worker
        self._on_item = on_item
        self._on_failed = on_failed
        self._on_completed = on_completed
        self._workers = workers

    @pyqtSlot(object)
    def on_received(self, item: object) -> None:
        """An item has come; one that was on its way when the worker was stopped is dropped."""
        if not self._worker.is_stopped:
            self._on_item(item)

    @pyqtSlot(object)
    def on_failed(self, error: object) -> None:
        """The stream has failed."""
        if self._worker.is_stopped or not isinstance(error, Exception):
            return
        if self._on_failed is None:
            _log.warning("a call in the background failed: %s", error)
        else:
            self._on_failed(error)

    @pyqtSlot()
    def on_completed(self) -> None:
        """The stream is at its end."""
        if self._on_completed is not None and not self._worker.is_stopped:
            self._on_completed()

    @pyqtSlot()
    def on_finished(self) -> None:
        """The thread is at its end."""
        self._workers.forget(self._worker)
        self.deleteLater()
