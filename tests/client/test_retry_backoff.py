"""Trying again: growing delays, and an end."""

from itertools import pairwise

import pytest
from fakes.clock import FakeClock
from fresco_client.connection import RetryBackoff


def test_delays_grow_to_a_limit_and_end_when_the_time_is_over() -> None:
    clock, lost = FakeClock(), OSError("lost")
    delays: list[float] = []

    def wait(seconds: float) -> None:
        delays.append(seconds)
        clock.sleep(seconds)

    backoff = RetryBackoff(10.0, wait, clock.monotonic)

    def try_for_ever() -> None:
        while True:
            backoff.pause(lost)

    with pytest.raises(OSError, match="lost") as caught:
        try_for_ever()

    assert caught.value is lost
    assert sum(delays) == pytest.approx(10.0)
    grown = delays[:-1]
    assert all(after in (2 * before, max(grown)) for before, after in pairwise(grown))
    assert max(grown) > 4 * grown[0]


def test_success_gives_the_whole_time_again() -> None:
    clock = FakeClock()
    backoff = RetryBackoff(1.0, clock.sleep, clock.monotonic)
    backoff.pause(OSError())
    first_s = clock.now_s
    clock.sleep(5.0)

    backoff.reset()
    backoff.pause(OSError())

    assert clock.now_s == pytest.approx(5.0 + 2 * first_s)
