"""All frames from one key to the next, or to the end of a shot, in segments of bounded length."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.interpolation.quality import FrameJudge
from fresco_engine.interpolation.segment import Interpolator, Segment, never
from fresco_engine.types import FrameQuality

_HELD_BYTES = 2_000_000_000
_BYTES_PER_PIXEL = 36
"""What a frame of a segment takes while it is worked on."""

ReadFrames = Callable[[int, int], Iterable[Image]]
"""The source frames [start, stop) at the size worked at."""


@dataclass(frozen=True)
class KeyframeSpan:
    """Frames [start, stop) of which the first, the last or both have a key.

    A first key belongs to frame `start`, a last one to frame `stop - 1`.
    """

    start: int
    stop: int
    has_first: bool
    has_last: bool

    @property
    def frames(self) -> range:
        """The frames that have no key."""
        return range(self.start + self.has_first, self.stop - self.has_last)


@dataclass(frozen=True, eq=False)
class CarriedFrame:
    """A frame between keys with what is known of its quality."""

    index: int
    image: Image
    error: NDArray[np.float32]
    quality: FrameQuality


def keys_within(keys: Sequence[int], start: int, stop: int) -> tuple[int, ...]:
    """Those of the ascending `keys` in [start, stop), found without looking at the others."""
    return tuple(keys[bisect_left(keys, start) : bisect_left(keys, stop)])


def plan_spans(keys: Sequence[int], shots: Sequence[tuple[int, int]]) -> list[KeyframeSpan]:
    """What lies before, between and after the ascending `keys`, shot by shot.

    Every key is the last of one span. Every shot must hold a key.
    """
    spans: list[KeyframeSpan] = []
    for start, stop in shots:
        inside = keys_within(keys, start, stop)
        spans.append(KeyframeSpan(start, inside[0] + 1, False, True))
        for first, last in pairwise(inside):
            spans.append(KeyframeSpan(first, last + 1, True, True))
        spans.append(KeyframeSpan(inside[-1], stop, True, False))
    return [span for span in spans if span.frames or span.has_last]


def longest_segment(height: int, width: int) -> int:
    """How many frames a segment may have for its memory to stay bounded."""
    return int(np.clip(_HELD_BYTES / (_BYTES_PER_PIXEL * height * width), 24, 80))


def carry(
    span: KeyframeSpan,
    keys: tuple[Image | None, Image | None],
    read: ReadFrames,
    interpolator: Interpolator,
    longest: int | None,
    is_cancelled: Callable[[], bool] = never,
) -> Generator[CarriedFrame, None, None]:
    """The frames of `span` that have no key, in order, from its first and last key.

    Segments have at most `longest` frames, or all. Where the span is longer, the end of one
    segment becomes the key of the next. Towards the first frame of a shot this has to go
    backwards, and what was made is held until its turn comes. `is_cancelled` is asked as a segment
    asks it.
    """
    first, last = keys
    longest = longest or span.stop - span.start
    carried = partial(_carried, interpolator, is_cancelled)
    if first is not None:
        yield from _ahead(span, first, last, read, carried, longest)
        return
    assert last is not None
    begins = range(span.stop - 1, span.start, -(longest - 1))
    made: list[list[CarriedFrame]] = []
    key = last
    for end in begins:
        start = max(span.start, end - longest + 1)
        sources = list(read(start, end + 1))
        frames = list(carried(start, sources, None, key))
        if is_cancelled():
            return
        made.append(frames)
        key = frames[0].image
    for frames in reversed(made):
        yield from frames


def _ahead(
    span: KeyframeSpan,
    first: Image,
    last: Image | None,
    read: ReadFrames,
    carried: Callable[..., Iterator[CarriedFrame]],
    longest: int,
) -> Iterator[CarriedFrame]:
    start, key = span.start, first
    while span.stop - start > longest:
        sources = list(read(start, start + longest))
        for frame in carried(start, sources, key, None):
            key = frame.image
            yield frame
        start += longest - 1
    if span.stop - start > 1:
        yield from carried(start, list(read(start, span.stop)), key, last)


def _carried(
    interpolator: Interpolator,
    is_cancelled: Callable[[], bool],
    start: int,
    sources: list[Image],
    first: Image | None,
    last: Image | None,
) -> Iterator[CarriedFrame]:
    judge = FrameJudge(sources, first, last)
    for made in interpolator(Segment(sources, first, last, is_cancelled)):
        quality = judge(made.offset, made.image, made.error)
        yield CarriedFrame(start + made.offset, made.image, made.error, quality)
