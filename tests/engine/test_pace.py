"""Time is counted per stage, and time left is said only when it is known."""

import time
from collections.abc import Generator

import pytest
from fresco_engine.pace import Pace, drained
from fresco_engine.types import Stage


def test_time_left_is_unknown_until_every_stage_was_measured() -> None:
    pace = Pace()
    pace.expect(Stage.TRANSLATING, 10)
    pace.expect(Stage.INTERPOLATING, 100)
    pace.seconds[Stage.TRANSLATING] = 4.0

    first = pace.advance(Stage.TRANSLATING, 2)
    pace.seconds[Stage.INTERPOLATING] = 5.0
    second = pace.advance(Stage.INTERPOLATING, 50)

    assert first.remaining_s is None
    assert second.remaining_s == pytest.approx(8 * 2.0 + 50 * 0.1)


def test_only_the_work_is_timed_not_the_consumer() -> None:
    pace = Pace()

    def work() -> Generator[int, None, str]:
        yield 1
        yield 2
        return "done"

    def consume() -> Generator[int, None, str]:
        return (yield from pace.timed(Stage.ANALYSING, work()))

    consumer = consume()
    next(consumer)
    time.sleep(0.2)
    result = drained(consumer)

    assert result == "done"
    assert pace.seconds[Stage.ANALYSING] < 0.1


def test_the_report_names_stages_that_took_time() -> None:
    pace = Pace()

    with pace.measured(Stage.ENCODING):
        time.sleep(0.01)

    assert list(pace.report()) == ["encoding"]
