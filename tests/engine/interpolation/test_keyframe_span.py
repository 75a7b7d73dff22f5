"""Spans between keys, cut into segments of bounded length."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from fresco_engine.interpolation.keyframe_span import (
    KeyframeSpan,
    carry,
    longest_segment,
    plan_spans,
)
from fresco_engine.interpolation.segment import InterpolatedFrame, Segment
from fresco_media.types import Image


def picture(value: int) -> Image:
    return np.full((16, 16, 3), value, np.uint8)


def read(start: int, stop: int) -> Iterator[Image]:
    return map(picture, range(start, stop))


class Recording:
    """Passes the nearer key on and remembers the segments."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    def __call__(self, segment: Segment) -> Iterator[InterpolatedFrame]:
        self.segments.append(segment)
        for offset in segment.offsets:
            key = segment.last_key if segment.first_key is None else segment.first_key
            assert key is not None
            yield InterpolatedFrame(offset, key, np.zeros((16, 16), np.float32))


def test_stretches_lie_before_between_and_after_keys_and_never_cross_a_cut() -> None:
    spans = plan_spans([3, 8, 9, 15], [(0, 10), (10, 20)])

    assert spans == [
        KeyframeSpan(0, 4, False, True),
        KeyframeSpan(3, 9, True, True),
        KeyframeSpan(8, 10, True, True),
        KeyframeSpan(10, 16, False, True),
        KeyframeSpan(15, 20, True, False),
    ]
    covered = [index for span in spans for index in span.frames]
    assert sorted([*covered, 3, 8, 9, 15]) == list(range(20))


@pytest.mark.parametrize("has_first", [True, False], ids=["after a key", "before a key"])
@pytest.mark.parametrize("has_last", [True, False], ids=["to a key", "to the end"])
@pytest.mark.parametrize("length", [2, 7, 8, 14, 23])
def test_every_frame_comes_once_in_order_from_short_segments(
    has_first: bool, has_last: bool, length: int
) -> None:
    if not (has_first or has_last):
        return
    span = KeyframeSpan(5, 5 + length, has_first, has_last)
    keys = (picture(200) if has_first else None, picture(220) if has_last else None)
    interpolator = Recording()

    made = list(carry(span, keys, read, interpolator, longest=7))

    assert [frame.index for frame in made] == list(span.frames)
    assert max(len(segment.sources) for segment in interpolator.segments) <= 7
    assert {frame.image[0, 0, 0] for frame in made} <= {200, 220}


def test_a_frame_as_its_source_and_key_say_has_not_drifted() -> None:
    class Faithful:
        def __call__(self, segment: Segment) -> Iterator[InterpolatedFrame]:
            for offset in segment.offsets:
                yield InterpolatedFrame(
                    offset, segment.sources[offset], np.full((16, 16), 0.5, np.float32)
                )

    span = KeyframeSpan(50, 58, True, True)
    made = list(carry(span, (picture(50), picture(57)), read, Faithful(), 20))
    strange = list(carry(span, (picture(150), picture(157)), read, Faithful(), 20))

    assert max(frame.quality.drift for frame in made) < 0.1
    assert min(frame.quality.drift for frame in strange) > 20
    assert {frame.quality.error for frame in made} == {0.5}


def test_segments_are_shorter_where_pictures_are_larger() -> None:
    assert longest_segment(512, 512) == 80
    assert 24 <= longest_segment(1080, 1920) < 40
    assert longest_segment(4320, 7680) == 24
