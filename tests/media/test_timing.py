from __future__ import annotations

from fractions import Fraction

import pytest
from fresco_media.timing import common_time_base, exact_timing
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
