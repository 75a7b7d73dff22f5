"""Timecodes and the frames they name."""

from __future__ import annotations

from fractions import Fraction

import pytest
from fresco_settings.timecode import frame_of, timecode_of
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("frame", "rate", "expected"),
    [
        (0, Fraction(25), "00:00:00:00"),
        (24, Fraction(25), "00:00:00:24"),
        (25, Fraction(25), "00:00:01:00"),
        (1800, Fraction(30000, 1001), "00:01:00:00"),
        (90_000 * 25, Fraction(25), "25:00:00:00"),
        (119, Fraction(120), "00:00:00:119"),
    ],
)
def test_frames_are_counted_as_editors_count(frame: int, rate: Fraction, expected: str) -> None:
    assert timecode_of(frame, rate) == expected


@pytest.mark.parametrize(
    ("frame", "rate", "expected"),
    [
        (1799, Fraction(30000, 1001), "00:00:59;29"),
        (1800, Fraction(30000, 1001), "00:01:00;02"),
        (17981, Fraction(30000, 1001), "00:09:59;29"),
        (17982, Fraction(30000, 1001), "00:10:00;00"),
        (107892, Fraction(30000, 1001), "01:00:00;00"),
        (3600, Fraction(60000, 1001), "00:01:00;04"),
    ],
)
def test_drop_frame_leaves_numbers_out(frame: int, rate: Fraction, expected: str) -> None:
    assert timecode_of(frame, rate, is_drop_frame=True) == expected
    assert frame_of(expected, rate) == frame


@given(frame=st.integers(0, 23 * 3600 * 24))
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(120)])
@pytest.mark.parametrize("is_drop_frame", [False, True])
def test_a_timecode_leads_back_to_its_frame(
    frame: int, rate: Fraction, is_drop_frame: bool
) -> None:
    is_drop_frame = is_drop_frame and rate.denominator == 1001

    assert frame_of(timecode_of(frame, rate, is_drop_frame=is_drop_frame), rate) == frame
