"""Work on several spans at once whose results come in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")
Begin = Callable[[Callable[[], bool]], Iterator[Item]]
"""Begins a span; its items follow. What it is given says whether nobody wants them any more."""

_PATIENCE_S = 0.05


def in_order(
    spans: Iterable[Begin[Item]],
    at_once: int,
    held: int = 0,
    is_ready: Callable[[], bool] = lambda: True,
) -> Generator[Item, None, None]:
    """The items of all spans one after the other, `at_once` spans being worked on.

    At most `held` items of each wait for their turn, any number if that is 0. While there is
    other work, the next span is asked for only when `is_ready`. Closing the generator closes
    the spans and waits for them; what a span raises is raised here in its turn.
    """
    running: deque[_Runner[Item]] = deque()
    waiting = iter(spans)
    try:
        while True:
            while len(running) < at_once and (not running or is_ready()):
                begin = next(waiting, None)
                if begin is None:
                    break
                running.append(_Runner(begin, held))
            if not running:
                return
            item = running[0].take()
            if isinstance(item, _End):
                running.popleft().join()
                item.check()
            elif item is not None:
                yield item
    finally:
        for runner in running:
            runner.stop()
        for runner in running:
            runner.join()


class _Runner(Generic[Item]):
    """One span on a thread of its own."""

    def __init__(self, begin: Begin[Item], held: int) -> None:
        self._begin = begin
        self._queue: Queue[Item | _End] = Queue(held)
        self._is_stopped = Event()
        self._thread = Thread(target=self._run, name="fresco-span", daemon=True)
        self._thread.start()

    def take(self) -> Item | _End | None:
        """What is next, after a moment's wait if need be; None if that was too short."""
        try:
            return self._queue.get(timeout=_PATIENCE_S)
        except Empty:
            return None

    def stop(self) -> None:
        """Ask the thread to end."""
        self._is_stopped.set()

    def join(self) -> None:
        """Wait until it has ended."""
        self._thread.join()

    def _run(self) -> None:
        end = _End(None)
        work = self._begin(self._is_stopped.is_set)
        try:
            for item in work:
                if not self._put(item):
                    break
        # Whatever it is, it is raised again where the items are asked for.
        except BaseException as error:  # noqa: BLE001
            end = _End(error)
        finally:
            close = getattr(work, "close", None)
            if close is not None:
                close()
        self._put(end)

    def _put(self, item: Item | _End) -> bool:
        """Whether the item was taken before the work was stopped."""
        while not self._is_stopped.is_set():
            try:
                self._queue.put(item, timeout=_PATIENCE_S)
            except Full:
                continue
            return True
        return False


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self._error = error

    def check(self) -> None:
        """Raise what the span has raised."""
        if self._error is not None:
            raise self._error
