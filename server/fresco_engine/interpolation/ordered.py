"""Work on several stretches at once whose results come in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")
Begin = Callable[[Callable[[], bool]], Iterator[Item]]
"""Begins a stretch; its items follow. What it is given says whether nobody wants them any more."""

_PATIENCE_S = 0.1


def in_order(
    stretches: Iterable[Begin[Item]], at_once: int, held: int
) -> Generator[Item, None, None]:
    """The items of all stretches one after the other, `at_once` stretches being worked on.

    At most `held` items of each wait for their turn. Closing the generator closes the stretches
    and waits for them; what a stretch raises is raised here in its turn.
    """
    running: deque[_Runner[Item]] = deque()
    waiting = iter(stretches)
    try:
        while True:
            while len(running) < at_once and (begin := next(waiting, None)) is not None:
                running.append(_Runner(begin, held))
            if not running:
                return
            yield from running[0].items()
            running.popleft()
    finally:
        for runner in running:
            runner.stop()
        for runner in running:
            runner.join()


class _Runner(Generic[Item]):
    """One stretch on a thread of its own."""

    def __init__(self, begin: Begin[Item], held: int) -> None:
        self._begin = begin
        self._queue: Queue[Item | _End] = Queue(held)
        self._is_stopped = Event()
        self._thread = Thread(target=self._run, name="fresco-stretch", daemon=True)
        self._thread.start()

    def items(self) -> Iterator[Item]:
        """What the stretch yields; raises what it raises."""
        while True:
            item = self._queue.get()
            if not isinstance(item, _End):
                yield item
                continue
            self._thread.join()
            if item.error is not None:
                raise item.error
            return

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
        self.error = error
