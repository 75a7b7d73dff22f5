from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from fresco_media.video.timing import ascending, common_time_base, exact_timing
from hypothesis import given
from hypothesis import strategies as st

RATES = [Fraction(10), Fraction(24000, 1001), Fraction(24), Fraction(30000, 1001), Fraction(60)]
MILLISECOND = Fraction(1, 1000)


def rounded_stamps(rate: Fraction, time_base: Fraction, count: int, start: int = 0) -> list[int]:
    return [start + round(index / rate / time_base) for index in range(count)]


@given(
    rate=st.sampled_from(RATES),
    ticks=st.sampled_from([600, 1000, 12800, 90000]),
    count=st.integers(2, 300),
)
def test_rounded_stamps_become_exact_multiples_of_the_frame_duration(
    rate: Fraction, ticks: int, count: int
) -> None:
    base = Fraction(1, ticks)

    timing = exact_timing(rounded_stamps(rate, base, count), base, [rate])

    assert [time * timing.time_base for time in timing.times] == [k / rate for k in range(count)]
    assert timing.frame_rate == rate
    assert not timing.is_variable


def test_a_late_start_is_kept_exactly() -> None:
    stamps = rounded_stamps(Fraction(24), MILLISECOND, 48, start=1400)

    timing = exact_timing(stamps, MILLISECOND, [Fraction(24)])

    assert timing.times[0] * timing.time_base == Fraction(14, 10)
    assert timing.times[47] * timing.time_base == Fraction(14, 10) + Fraction(47, 24)


def test_exact_stamps_keep_their_time_base() -> None:
    timing = exact_timing([0, 512, 1024], Fraction(1, 12288), [Fraction(24)])

    assert timing.times == (0, 512, 1024)
    assert timing.time_base == Fraction(1, 12288)


def test_a_wrong_stated_rate_is_not_believed() -> None:
    timing = exact_timing([0, 40, 80, 120], MILLISECOND, [Fraction(30), Fraction(25)])

    assert timing.frame_rate == 25


def test_irregular_stamps_stay_as_they_are() -> None:
    stamps = (0, 100, 133, 500, 533)

    timing = exact_timing(stamps, MILLISECOND, [Fraction(24), None])

    assert timing.times == stamps
    assert timing.is_variable
    assert timing.frame_rate == 4 / Fraction(533, 1000)


@pytest.mark.parametrize(
    ("stated", "expected"), [([Fraction(25)], 25), ([None], 24)], ids=["stated", "unknown"]
)
def test_one_frame_has_the_stated_rate(stated: list[Fraction | None], expected: int) -> None:
    timing = exact_timing([7], MILLISECOND, stated)

    assert timing.frame_rate == expected
    assert timing.times == (7,)
    assert not timing.is_variable


def test_a_common_time_base_divides_both() -> None:
    base = common_time_base(MILLISECOND, Fraction(1001, 24000))

    assert base == Fraction(1, 24000)


@pytest.mark.parametrize(
    ("rate", "ticks", "stated"),
    [
        (Fraction(60000, 1001), 1000, [Fraction(19001, 317)]),
        (Fraction(30000, 1001), 1000, [Fraction(989, 33)]),
        (Fraction(24000, 1001), 1000, [Fraction(2397, 100), Fraction(24)]),
        (Fraction(120), 1000, [Fraction(1000, 8)]),
        (Fraction(240), 1000, [None]),
        (Fraction(25), 50, [Fraction(50)]),
        (Fraction(25, 2), 1000, [Fraction(1249, 100)]),
        (Fraction(60), 90000, [Fraction(60000, 1001)]),
    ],
    ids=str,
)
def test_the_common_rate_that_explains_the_stamps_best_is_taken(
    rate: Fraction, ticks: int, stated: list[Fraction | None]
) -> None:
    base = Fraction(1, ticks)

    timing = exact_timing(rounded_stamps(rate, base, 200), base, stated)

    assert timing.frame_rate == rate
    assert not timing.is_variable


def test_a_stated_common_rate_wins_where_stamps_fit_several() -> None:
    stamps = rounded_stamps(Fraction(24000, 1001), MILLISECOND, 12)

    timing = exact_timing(stamps, MILLISECOND, [Fraction(24)])

    assert timing.frame_rate == 24


@given(
    first=st.integers(-(10**6), 10**6),
    steps=st.lists(st.integers(1, 10**7), min_size=1, max_size=200),
    ticks=st.sampled_from([1, 25, 600, 1000, 90000, 3_000_000, 10**9]),
)
def test_rates_and_ticks_are_fractions_of_31_bits(first: int, steps: list[int], ticks: int) -> None:
    stamps = [first]
    for step in steps:
        stamps.append(stamps[-1] + step)

    timing = exact_timing(stamps, Fraction(1, ticks), [None])

    for fraction in (timing.frame_rate, timing.time_base):
        assert 0 < fraction.numerator < 2**31
        assert fraction.denominator < 2**31
    seconds = [time * timing.time_base for time in timing.times]
    assert all(
        abs(second - stamp * Fraction(1, ticks)) <= Fraction(1, ticks)
        for second, stamp in zip(seconds, stamps, strict=True)
    )


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([0, 40, 80], [0, 40, 80]),
        ([0, 40, 80, 80, 160], [0, 40, 80, 120, 160]),
        ([0, 40, 80, 80], [0, 40, 80, 120]),
        ([None, None, 80, 120], [0, 40, 80, 120]),
        ([0, None, None, 120], [0, 40, 80, 120]),
        ([0, 40, None, 5000], [0, 40, 80, 5000]),
        ([0, 40, 60, 40, 120], [0, 40, 50, 60, 120]),
        ([40, 0, 120, 80], [0, 40, 80, 120]),
        ([7, 7, 7], [7, 47, 87]),
        ([None, None], [0, 40]),
        ([0, 1, 1, 1, 2], [0, 1, 2, 3, 4]),
    ],
    ids=str,
)
def test_stamps_that_repeat_step_back_or_are_missing_become_ascending_times(
    stamps: list[int | None], times: list[int]
) -> None:
    assert list(ascending(stamps, 40)) == times


@given(
    stamps=st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), max_size=100),
    step=st.integers(1, 10**6),
)
def test_any_stamps_become_as_many_ascending_times(stamps: list[int | None], step: int) -> None:
    times = ascending(stamps, step)

    assert len(times) == len(stamps)
    assert all(earlier < later for earlier, later in pairwise(times))
