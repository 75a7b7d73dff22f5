"""Both keys' sides of a segment made at the same time, and the frames painted from them in order.

Nothing is shared between segments, so several may be worked on at once.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise, takewhile
from threading import Event
from typing import Protocol, TypeVar

from fresco_media.types import Image

from fresco_engine.correspondence.flow import Flow, FlowEstimator, flows_of
from fresco_engine.interpolation.blend import Fuse, View, fuse_gradients
from fresco_engine.interpolation.colour import Lab, to_lab
from fresco_engine.interpolation.paint import BlendSettings, Painter, Painting
from fresco_engine.interpolation.segment import InterpolatedFrame, Segment

Item = TypeVar("Item")
Result = TypeVar("Result")

Check = Callable[[], None]
"""Raises when the work is no longer wanted."""


class Side(Protocol):
    """What one key makes of a frame, held until the other key's side is there too."""

    @property
    def back(self) -> Flow:
        """The flow to the neighbour nearer to the key."""
        ...

    def view(self, guide: Lab) -> View:
        """The same for blending; `guide` is the frame's source."""
        ...


@dataclass(frozen=True, eq=False)
class SegmentView:
    """A segment seen from one of its keys: `sources` begin with the key's own.

    `offsets` are the wanted frames in the same order; `share` runs work on further cores.
    """

    key: Image
    sources: Sequence[Image]
    offsets: Sequence[int]
    threads: ThreadPoolExecutor
    workers: int
    check: Check

    def steps(self, estimator: FlowEstimator, taken: list[Flow]) -> Iterator[Flow]:
        """The flows from every frame to the one before, each noted in `taken`."""
        pairs = [(far, near) for near, far in pairwise(self.sources)]
        self.check()
        for flow in flows_of(pairs, estimator):
            taken.append(flow)
            yield flow
            self.check()


MakeSide = Callable[[SegmentView], Iterator[tuple[int, Side]]]
"""Makes the sides of an outlook's offsets in its order."""


class _Stopped(Exception):
    """The frames are no longer wanted."""


def interpolate(
    segment: Segment,
    make: MakeSide,
    blending: BlendSettings,
    *,
    fuse: Fuse = fuse_gradients,
    workers: int | None = None,
) -> Generator[InterpolatedFrame, None, None]:
    """The frames at `segment.offsets` in order, `make` being called once for each key.

    Closing the generator stops the work at the next check, and so does cancelling the segment.
    """
    if not segment.offsets:
        return
    stop = Event()
    count = workers or os.cpu_count() or 1
    # Threads that wait for each other must not share a pool.
    with (
        ThreadPoolExecutor(min(2, count), "fresco-side") as sides,
        ThreadPoolExecutor(count, "fresco-share") as shares,
    ):
        try:
            outlooks = _outlooks(segment, shares, count, stop)
            jobs = [look and sides.submit(_made, make, look) for look in outlooks]
            first, last = [{} if job is None else job.result() for job in jobs]
            if segment.is_cancelled():
                return
            painter = Painter(len(segment.sources), blending, fuse)
            yield from _painted(segment, (first, last), painter, shares, count)
        finally:
            stop.set()


def _made(make: MakeSide, outlook: SegmentView) -> dict[int, Side]:
    try:
        return dict(make(outlook))
    except _Stopped:
        return {}


def _outlooks(
    segment: Segment, threads: ThreadPoolExecutor, workers: int, stop: Event
) -> list[SegmentView | None]:
    """Those from the first and from the last key, as far as there are such."""

    def check() -> None:
        if stop.is_set() or segment.is_cancelled():
            raise _Stopped

    order = range(len(segment.sources))
    return [
        None
        if key is None
        else SegmentView(
            key,
            [segment.sources[i] for i in indices],
            [i for i in indices if i in segment.offsets],
            threads,
            workers,
            check,
        )
        for key, indices in ((segment.first_key, order), (segment.last_key, order[::-1]))
    ]


def _painted(
    segment: Segment,
    sides: tuple[dict[int, Side], dict[int, Side]],
    painter: Painter,
    threads: ThreadPoolExecutor,
    ahead: int,
) -> Iterator[InterpolatedFrame]:
    """The frames, some of them being worked on at once; only the choices are made in order."""

    def look(offset: int) -> _Looks:
        guide = to_lab(segment.sources[offset])
        pair = [side.pop(offset, None) for side in sides]
        first, last = [None if side is None else side.view(guide) for side in pair]
        return _Looks(offset, guide, first, last, None if pair[0] is None else pair[0].back)

    wanted = takewhile(lambda _: not segment.is_cancelled(), segment.offsets)
    looks = _ahead(threads, look, wanted, ahead)
    paintings = (painter.prepare(x.offset, x.guide, x.first, x.last, x.back) for x in looks)
    yield from _ahead(threads, Painting.paint, paintings, ahead)


@dataclass(frozen=True, eq=False)
class _Looks:
    offset: int
    guide: Lab
    first: View | None
    last: View | None
    back: Flow | None


def _ahead(
    threads: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item], count: int
) -> Iterator[Result]:
    """`work` of all `items` in order, `count` of them begun before the first is asked for."""
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(threads.submit(work, item))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for job in waiting:
            job.cancel()
