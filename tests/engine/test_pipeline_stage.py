"""Work beside the caller: nothing lost, nothing kept for long, and always an end."""

import threading
import time
from collections.abc import Callable, Generator, Iterator

import pytest
from fakes.clock import FakeClock
from fakes.waiting import until
from fresco_engine import pipeline_stage
from fresco_engine.pipeline_stage import PipelineStage, Timed
from hypothesis import given, settings
from hypothesis import strategies as st

Check = Callable[[], None]


def squares(numbers: Iterator[int], check: Check) -> Generator[int, None, None]:
    for number in numbers:
        check()
        yield number * number


def items(timed: Iterator[Timed[int]]) -> list[int]:
    return [made.item for made in timed]


def is_alive() -> bool:
    return any(thread.name == "fresco-pipeline-stage" for thread in threading.enumerate())


@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 40), inbox=st.integers(1, 5), outbox=st.integers(1, 5))
def test_everything_comes_out_once_and_in_order(count: int, inbox: int, outbox: int) -> None:
    made: list[int] = []

    with PipelineStage(squares, inbox=inbox, outbox=outbox) as stage:
        for number in range(count):
            made += items(stage.submit(number))
            made += items(stage.ready())
        made += items(stage.finish())

    assert made == [number * number for number in range(count)]
    assert not is_alive()


def test_a_fast_worker_waits_for_its_consumer() -> None:
    made: list[int] = []

    def many(numbers: Iterator[int], check: Check) -> Generator[int, None, None]:
        for _ in numbers:
            for number in range(100):
                made.append(number)
                yield number

    with PipelineStage(many, inbox=1, outbox=3) as stage:
        list(stage.submit(0))
        time.sleep(0.1)
        ahead = len(made)
        rest = items(stage.finish())

    assert ahead <= 4
    assert rest == list(range(100))


def test_a_fast_caller_gets_what_is_finished_instead_of_piling_up_work() -> None:
    held: list[int] = []

    def slow(numbers: Iterator[int], check: Check) -> Generator[int, None, None]:
        for number in numbers:
            held.append(number)
            time.sleep(0.01)
            yield number

    with PipelineStage(slow, inbox=2, outbox=2) as stage:
        made: list[int] = []
        for number in range(12):
            made += items(stage.submit(number))
            assert number - len(held) <= 2
        made += items(stage.finish())

    assert made == list(range(12))


def test_an_error_comes_after_everything_that_was_finished_before_it() -> None:
    def failing(numbers: Iterator[int], check: Check) -> Generator[int, None, None]:
        for number in numbers:
            if number == 3:
                raise ValueError("three")
            yield number

    made: list[int] = []

    def run() -> None:
        with PipelineStage(failing, inbox=9, outbox=9) as stage:
            for number in range(6):
                made.extend(timed.item for timed in stage.submit(number))
            for timed in stage.finish():
                made.append(timed.item)

    with pytest.raises(ValueError, match="three"):
        run()

    assert made == [0, 1, 2]
    assert not is_alive()


def test_leaving_ends_the_work_before_its_next_item() -> None:
    is_closed = threading.Event()
    begun = threading.Event()

    def endless(numbers: Iterator[int], check: Check) -> Generator[int, None, None]:
        try:
            for number in numbers:
                while True:
                    begun.set()
                    check()
                    yield number
        finally:
            is_closed.set()

    with PipelineStage(endless, inbox=1, outbox=1) as stage:
        list(stage.submit(1))
        begun.wait(10)

    assert is_closed.is_set()
    assert not is_alive()


def test_waiting_is_not_counted_as_work(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr(pipeline_stage, "time", clock)

    def slow_squares(numbers: Iterator[int], check: Check) -> Generator[int, None, None]:
        for square in squares(numbers, check):
            clock.sleep(3.0)
            yield square

    with PipelineStage(slow_squares, inbox=1, outbox=1) as stage:
        until(lambda: clock.readings == 2, "the work to ask for a number")
        clock.sleep(100.0)
        list(stage.submit(2))
        made = list(stage.finish())

    assert made == [Timed(4, 3.0)]
