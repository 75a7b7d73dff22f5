"""A clock that only a test moves, for modules whose `time` it takes the place of."""

from __future__ import annotations


class FakeClock:
    """Seconds that pass when somebody sleeps; `readings` counts how often it was looked at."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.readings = 0

    def monotonic(self) -> float:
        """The time."""
        self.readings += 1
        return self.now_s

    perf_counter = monotonic

    def sleep(self, seconds: float) -> None:
        """Let time pass, at once."""
        self.now_s += seconds
