"""Seconds per stage and an estimate of the time left, measured while a job runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from fresco_engine.types import Progress, Stage

Item = TypeVar("Item")
Result = TypeVar("Result")

_IN_BACKGROUND = frozenset({Stage.INTERPOLATING})
"""Stages that go on beside the others."""


class ProgressTracker:
    """Counts what each stage has done and what that took.

    Only the engine's own work is timed: while a consumer looks at an event the clock stands still.
    What an earlier run had done counts as done but says nothing about the time it takes; `reused`
    counts such keyframes and frames.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(Stage, 0.0)
        self.reused: Counter[str] = Counter()
        self._done = dict.fromkeys(Stage, 0.0)
        self._skipped = dict.fromkeys(Stage, 0.0)
        self._total = dict.fromkeys(Stage, 0.0)
        self._at_once = dict.fromkeys(Stage, 1)
        self._seconds_before = dict.fromkeys(Stage, 0.0)

    def expect(self, stage: Stage, total: float, *, at_once: int = 1) -> None:
        """Announce how many units a stage has; it begins with none done.

        `at_once` units are worked on at the same time.
        """
        self._total[stage] = total
        self._at_once[stage] = at_once
        self._done[stage] = self._skipped[stage] = 0.0
        self._seconds_before[stage] = self.seconds[stage]

    def revise(self, stage: Stage, left: float) -> None:
        """Announce how many units are left of a stage, where that has changed."""
        self._total[stage] = self._done[stage] + left

    def advance(self, stage: Stage, units: float = 1) -> Progress:
        """Count finished units and say how far the stage is."""
        self._done[stage] += units
        return Progress(
            stage=stage,
            done=self._done[stage],
            total=self._total[stage],
            remaining_s=self.remaining_s(),
        )

    def skip(self, stage: Stage, units: float = 1) -> Progress:
        """Count units that took no time to speak of, as an earlier run had finished them."""
        self._skipped[stage] += units
        return self.advance(stage, units)

    def spend(self, stage: Stage, seconds: float) -> None:
        """Add time that was measured elsewhere."""
        self.seconds[stage] += seconds

    def remaining_s(self) -> float | None:
        """Seconds left for the whole job; None until each of its stages has been measured.

        How much there is to do is known once the clip has been analysed. What goes on in the
        background and what does not take place at the same time.
        """
        if not any(self._total[stage] for stage in Stage if stage is not Stage.ANALYSING):
            return None
        left = {True: 0.0, False: 0.0}
        for stage, total in self._total.items():
            open_units = max(0.0, total - self._done[stage])
            if open_units == 0:
                continue
            measured = self._done[stage] - self._skipped[stage]
            if measured == 0:
                return None
            seconds = self.seconds[stage] - self._seconds_before[stage]
            left[stage in _IN_BACKGROUND] += (
                open_units * seconds / (measured * self._at_once[stage])
            )
        return max(left.values())

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
