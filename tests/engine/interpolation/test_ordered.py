"""Spans worked on at once, their results in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from fakes.waiting import PATIENCE_S
from fresco_engine.interpolation.ordered import in_order

IsCancelled = Callable[[], bool]


def counted(start: int, is_cancelled: IsCancelled, count: int = 3) -> Iterator[int]:
    yield from range(start, start + count)


def test_items_come_stretch_by_stretch() -> None:
    jobs = [partial(counted, 10 * n) for n in range(5)]

    assert list(in_order(jobs, 3, 1)) == [10 * n + i for n in range(5) for i in range(3)]


def test_no_more_than_allowed_are_begun() -> None:
    begun: list[int] = []

    def begin(number: int, is_cancelled: IsCancelled) -> Iterator[int]:
        begun.append(number)
        return counted(number, is_cancelled)

    results = in_order((partial(begin, n) for n in range(9)), 2, 8)
    next(results)
    seen = len(begun)
    results.close()

    assert seen == 2


def test_several_stretches_are_under_way_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=PATIENCE_S)

    def meet(number: int, is_cancelled: IsCancelled) -> Iterator[int]:
        both.wait()
        yield number

    assert list(in_order([partial(meet, 0), partial(meet, 1)], 2, 1)) == [0, 1]


def test_a_stretch_that_is_not_there_yet_does_not_keep_back_what_is() -> None:
    is_there = threading.Event()

    def jobs() -> Iterator[partial[Iterator[int]]]:
        yield partial(counted, 0)
        assert is_there.is_set()
        yield partial(counted, 10)

    results = in_order(jobs(), 2, is_ready=is_there.is_set)
    first = [next(results) for _ in range(3)]
    is_there.set()

    assert first == [0, 1, 2]
    assert list(results) == [10, 11, 12]


def test_what_a_stretch_raises_comes_after_what_it_yielded() -> None:
    def failing(is_cancelled: IsCancelled) -> Iterator[int]:
        yield 1
        raise KeyError("here")

    results = in_order([failing, partial(counted, 5)], 2, 4)

    assert next(results) == 1
    with pytest.raises(KeyError, match="here"):
        next(results)


def test_closing_closes_what_is_under_way() -> None:
    closed: list[int] = []

    def endless(number: int, is_cancelled: IsCancelled) -> Iterator[int]:
        try:
            while True:
                yield number
        finally:
            closed.append(number)

    results = in_order([partial(endless, 0), partial(endless, 1)], 2, 2)
    next(results)
    results.close()

    assert sorted(closed) == [0, 1]


def test_closing_reaches_a_stretch_that_is_busy_between_two_items() -> None:
    is_busy = threading.Event()

    def busy(is_cancelled: IsCancelled) -> Iterator[int]:
        yield 1
        is_busy.set()
        while not is_cancelled():
            time.sleep(0.01)

    results = in_order([busy], 1, 4)
    next(results)
    assert is_busy.wait(PATIENCE_S)

    results.close()
