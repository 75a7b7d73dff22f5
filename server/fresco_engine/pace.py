"""Seconds per stage and an estimate of the time left, measured while a job runs."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from fresco_engine.types import Progress, Stage

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pace:
    """Counts what each stage has done and what that took.

    Only the engine's own work is timed: while a consumer looks at an event the clock stands still.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(Stage, 0.0)
        self._done = dict.fromkeys(Stage, 0.0)
        self._total = dict.fromkeys(Stage, 0.0)

    def expect(self, stage: Stage, total: float) -> None:
        """Announce how many units a stage has."""
        self._total[stage] = total

    def advance(self, stage: Stage, units: float = 1) -> Progress:
        """Count finished units and say how far the stage is."""
        self._done[stage] += units
        return Progress(
            stage=stage,
            done=self._done[stage],
            total=self._total[stage],
            remaining_s=self.remaining_s(),
        )

    def remaining_s(self) -> float | None:
        """Seconds left for all announced stages; None until each of them has been measured."""
        left = 0.0
        for stage, total in self._total.items():
            open_units = max(0.0, total - self._done[stage])
            if open_units == 0:
                continue
            if self._done[stage] == 0:
                return None
            left += open_units * self.seconds[stage] / self._done[stage]
        return left

    def timed(
        self, stage: Stage, work: Generator[Item, None, Result]
    ) -> Generator[Item, None, Result]:
        """Pass on what `work` yields and returns, adding the time it takes to `stage`."""
        while True:
            started = time.perf_counter()
            try:
                item = next(work)
            except StopIteration as end:
                return end.value
            finally:
                self.seconds[stage] += time.perf_counter() - started
            yield item

    @contextmanager
    def measured(self, stage: Stage) -> Iterator[None]:
        """Add the time the block takes to `stage`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - started

    def report(self) -> dict[str, float]:
        """Seconds by stage name, stages that took no time left out."""
        return {stage.value: round(s, 3) for stage, s in self.seconds.items() if s > 0}


def drained(work: Generator[object, None, Result]) -> Result:
    """What `work` returns, its items ignored."""
    iterator: Iterator[object] = work
    while True:
        try:
            next(iterator)
        except StopIteration as end:
            return end.value
