"""Work on a thread of its own, fed and emptied by the thread that asked for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

Given = TypeVar("Given")
Given_co = TypeVar("Given_co", covariant=True)
Made = TypeVar("Made")
Check = Callable[[], None]


class Inbox(Iterator[Given_co], Protocol[Given_co]):
    """What was submitted, in order, until there will be nothing more."""

    def is_ready(self) -> bool:
        """Whether the next item, or that there is none, is known now."""
        ...


Work = Callable[[Inbox[Given], Check], Generator[Made, None, None]]


class PipelineStageClosed(Exception):
    """The stage is being closed; raised inside of its work to end it."""


@dataclass(frozen=True)
class Timed(Generic[Made]):
    """Something that was made, and the seconds that took."""

    item: Made
    seconds: float


class PipelineStage(Generic[Given, Made]):
    """Runs `work` beside the caller: it turns what is submitted into what comes out, in order.

    It is also given a function to call now and then, which ends it if the stage is being closed.

    A context manager: leaving it stops the work before its next item and waits for its end. No
    more than `inbox` submitted and `outbox` finished items are kept: a full outbox makes the work
    wait, a full inbox the caller, who gets what is finished meanwhile. An error of the work is
    raised to the caller after everything finished before it.
    """

    def __init__(self, work: Work[Given, Made], *, inbox: int, outbox: int) -> None:
        self._work = work
        self._limits = (inbox, outbox)
        self._inbox: deque[Given] = deque()
        self._outbox: deque[Timed[Made]] = deque()
        self._changed = threading.Condition()
        self._is_closing = self._is_complete = self._has_ended = False
        self._error: BaseException | None = None
        self._waited = 0.0
        self._thread = threading.Thread(target=self._run, name="fresco-pipeline-stage", daemon=True)

    def __enter__(self) -> PipelineStage[Given, Made]:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()
        self._inbox.clear()
        self._outbox.clear()
        self._error = None

    def ready(self) -> Iterator[Timed[Made]]:
        """What is finished by now; nothing is waited for."""
        while True:
            with self._changed:
                if not self._outbox:
                    self._raise_error()
                    return
                made = self._taken()
            yield made

    def submit(self, item: Given) -> Iterator[Timed[Made]]:
        """Hand over `item`; where there is no room, yields what is finished until there is."""
        while True:
            with self._changed:
                self._changed.wait_for(self._can_take_or_give)
                if len(self._inbox) < self._limits[0] and not self._has_ended:
                    self._inbox.append(item)
                    self._changed.notify_all()
                    return
                if not self._outbox:
                    self._raise_error()
                    return
                made = self._taken()
            yield made

    def finish(self) -> Iterator[Timed[Made]]:
        """Nothing more will be submitted; yields the rest as it is finished."""
        with self._changed:
            self._is_complete = True
            self._changed.notify_all()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._outbox or self._has_ended)
                if not self._outbox:
                    self._raise_error()
                    return
                made = self._taken()
            yield made

    def _can_take_or_give(self) -> bool:
        has_room = len(self._inbox) < self._limits[0]
        return has_room or bool(self._outbox) or self._has_ended

    def _taken(self) -> Timed[Made]:
        made = self._outbox.popleft()
        self._changed.notify_all()
        return made

    def _raise_error(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _check(self) -> None:
        if self._is_closing:
            raise PipelineStageClosed

    def _run(self) -> None:
        try:
            with closing(self._work(_Given(self), self._check)) as made:
                self._collect(made)
        except PipelineStageClosed:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread
            self._error = error
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()

    def _collect(self, made: Iterator[Made]) -> None:
        while True:
            started, self._waited = time.perf_counter(), 0.0
            try:
                item = next(made)
            except StopIteration:
                return
            seconds = time.perf_counter() - started - self._waited
            with self._changed:
                self._changed.wait_for(
                    lambda: self._is_closing or len(self._outbox) < self._limits[1]
                )
                self._check()
                self._outbox.append(Timed(item, seconds))
                self._changed.notify_all()

    def next_given(self) -> Given:
        """The next of what was submitted.

        Raises:
            StopIteration: there will be nothing more.
            PipelineStageClosed: the stage is being closed.
        """
        started = time.perf_counter()
        with self._changed:
            self._changed.wait_for(self.has_given)
            self._check()
            if not self._inbox:
                raise StopIteration
            item = self._inbox.popleft()
            self._changed.notify_all()
        self._waited += time.perf_counter() - started
        return item

    def has_given(self) -> bool:
        """Whether `next_given` need not wait."""
        return bool(self._inbox) or self._is_complete or self._is_closing


class _Given(Generic[Given]):
    """A stage as its work sees it."""

    def __init__(self, stage: PipelineStage[Given, Any]) -> None:
        self._stage = stage

    def __iter__(self) -> Iterator[Given]:
        return self

    def __next__(self) -> Given:
        return self._stage.next_given()

    def is_ready(self) -> bool:
        """Whether the next item, or that there is none, is known now."""
        return self._stage.has_given()
