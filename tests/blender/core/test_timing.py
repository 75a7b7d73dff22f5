"""Frames of the timeline and frames of sources."""

from __future__ import annotations

from fractions import Fraction

import pytest
from fresco_blender.core.timing import Span, StripTiming, keyframe_spans, nearest, rate_of
from hypothesis import given
from hypothesis import strategies as st

FRAMES = st.integers(-500, 500)
LENGTHS = st.integers(1, 300)


@given(FRAMES, LENGTHS, st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_what_is_seen_lies_between_the_trims(
    content_start: int, length: int, head: int, left_cut: int, right_cut: int
) -> None:
    left, right = content_start + left_cut, content_start + left_cut + length
    lies = StripTiming(left=left, right=right, content_start=content_start, trim_start=head)

    seen = lies.source_frames(head + left_cut + length + right_cut)

    assert seen == Span(start=head + left_cut, stop=head + left_cut + length)
    assert lies.origin + seen.start == left


@given(FRAMES, FRAMES)
def test_moving_a_strip_moves_its_origin_and_nothing_else(start: int, by: int) -> None:
    lies = StripTiming(left=start + 3, right=start + 20, content_start=start, trim_start=5)
    moved = StripTiming(
        left=start + 3 + by, right=start + 20 + by, content_start=start + by, trim_start=5
    )

    assert moved.source_frames(100) == lies.source_frames(100)
    assert moved.origin == lies.origin + by


def test_a_strip_that_holds_its_ends_has_only_the_frames_there_are() -> None:
    lies = StripTiming(left=-5, right=50, content_start=0)

    assert lies.source_frames(30) == Span(start=0, stop=30)


def test_handles_end_where_the_source_ends() -> None:
    lies = StripTiming(left=3, right=28, content_start=0)

    assert lies.widened(lies.source_frames(30), 8, 30) == Span(start=0, stop=30)


@given(
    st.integers(0, 50), st.lists(st.integers(1, 30), min_size=1, max_size=20), st.integers(1, 30)
)
def test_keyframes_cover_every_frame_once(start: int, gaps: list[int], tail: int) -> None:
    keyframes = [start + sum(gaps[:n]) for n in range(len(gaps) + 1)]
    stop = keyframes[-1] + tail

    spans = keyframe_spans(keyframes, start, stop)

    frames = [frame for _, span in spans for frame in range(span.start, span.stop)]
    assert frames == list(range(start, stop))
    assert all(span.start <= index < span.stop for index, span in spans)


@pytest.mark.parametrize(
    ("index", "expected"), [(0, 0), (4, 0), (5, 0), (6, 10), (10, 10), (99, 20)]
)
def test_the_nearest_keyframe_is_the_earlier_of_two(index: int, expected: int) -> None:
    assert nearest([0, 10, 20], index) == expected


@pytest.mark.parametrize(
    ("fps", "base", "rate"),
    [
        (24, 1.0, Fraction(24)),
        (24, 1.001, Fraction(24000, 1001)),
        (30, 1.001, Fraction(30000, 1001)),
    ],
)
def test_rates_are_exact(fps: int, base: float, rate: Fraction) -> None:
    assert rate_of(fps, base) == rate


def test_blenders_single_precision_does_not_matter() -> None:
    assert rate_of(24, 1.0010000467300415) == Fraction(24000, 1001)
