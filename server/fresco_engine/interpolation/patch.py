"""Keyframes → the frames between them by guided patch synthesis: the standard way."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from threading import Event

import numpy as np

from fresco_engine.correspondence.flow import Flow, FlowEstimator
from fresco_engine.interpolation.blend import View
from fresco_engine.interpolation.colour import to_lab
from fresco_engine.interpolation.flows import trace_key
from fresco_engine.interpolation.paint import BlendSettings, Painter, guide_error
from fresco_engine.interpolation.patches import CpuPatches, Patches
from fresco_engine.interpolation.segment import InterpolatedFrame, Segment
from fresco_engine.interpolation.synthesis import Synthesised, Synthesiser, SynthesisSettings
from fresco_engine.types import Image


@dataclass(frozen=True, eq=False)
class _Side:
    """What one key makes of a frame, in bytes: a segment's frames are held until it is painted."""

    image: Image
    source: Image
    visible: Image  # h w, 0-255
    back: Flow  # to the neighbour nearer to the key

    def view(self, guide: np.ndarray) -> View:
        """The same for blending."""
        error = guide_error(to_lab(self.source), guide)
        return View(to_lab(self.image), error, self.visible.astype(np.float32) / np.float32(255))


class _Stopped(Exception):
    """The frames are no longer wanted."""


class PatchInterpolator:
    """Interpolation by patches of both keys, searched around where flow leads.

    The two keys' frames are made on two threads; `workers` is how many cores there are to use in
    all, by default every one. Nothing is shared between calls.
    """

    def __init__(
        self,
        estimator: FlowEstimator,
        settings: SynthesisSettings | None = None,
        blending: BlendSettings | None = None,
        *,
        patches: Patches | None = None,
        workers: int | None = None,
    ) -> None:
        self._estimator = estimator
        self._settings = settings or SynthesisSettings()
        self._blending = blending or BlendSettings(hidden_cost=0.4)
        self._patches = patches
        self._workers = workers or os.cpu_count() or 1

    def __call__(self, segment: Segment) -> Generator[InterpolatedFrame, None, None]:
        """The frames at `segment.offsets` in order.

        Memory is that of the segment's flows and of two pictures per frame and key. Closing the
        iterator stops the work within a fraction of a frame.
        """
        if not segment.offsets:
            return
        stop = Event()
        # Threads that wait for each other must not share a pool.
        with (
            ThreadPoolExecutor(min(2, self._workers), "fresco-side") as sides,
            ThreadPoolExecutor(self._workers, "fresco-share") as shares,
        ):
            try:
                patches = self._patches or CpuPatches(shares, max(1, self._workers // 2))
                makers = _makers(segment, self._estimator, patches, self._settings, stop)
                jobs = [None if maker is None else sides.submit(maker.make) for maker in makers]
                made = [{} if job is None else job.result() for job in jobs]
                yield from self._painted(segment, made[0], made[1], shares)
            finally:
                stop.set()

    def _painted(
        self,
        segment: Segment,
        first: dict[int, _Side],
        last: dict[int, _Side],
        threads: ThreadPoolExecutor,
    ) -> Iterator[InterpolatedFrame]:
        painter = Painter(len(segment.sources), self._blending)
        waiting: deque[Future[InterpolatedFrame]] = deque()
        for offset in segment.offsets:
            guide = to_lab(segment.sources[offset])
            sides = first.pop(offset, None), last.pop(offset, None)
            views = [None if side is None else side.view(guide) for side in sides]
            back = None if sides[0] is None else sides[0].back
            painting = painter.prepare(offset, guide, views[0], views[1], back)
            waiting.append(threads.submit(painting.paint))
            if len(waiting) > self._workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _makers(
    segment: Segment,
    estimator: FlowEstimator,
    patches: Patches,
    settings: SynthesisSettings,
    stop: Event,
) -> list[_SideMaker | None]:
    """Those of the first and the last key, as far as there are such."""
    offsets = range(len(segment.sources))
    ends = (segment.first_key, offsets), (segment.last_key, offsets[::-1])
    return [
        None
        if key is None
        else _SideMaker(
            key=key,
            sources=[segment.sources[i] for i in order],
            offsets=[i for i in order if i in segment.offsets],
            estimator=estimator,
            patches=patches,
            settings=settings,
            stop=stop,
        )
        for key, order in ends
    ]


@dataclass(frozen=True, kw_only=True, eq=False)
class _SideMaker:
    """Makes one key's side of a segment; `sources` begin with the key's own."""

    key: Image
    sources: Sequence[Image]
    offsets: Sequence[int]
    estimator: FlowEstimator
    patches: Patches
    settings: SynthesisSettings
    stop: Event

    def make(self) -> dict[int, _Side]:
        """The side of every frame by its offset, nothing once nobody wants them any more."""
        try:
            return dict(self._frames())
        except _Stopped:
            return {}

    def _frames(self) -> Iterator[tuple[int, _Side]]:
        synthesiser = Synthesiser(self.sources[0], self.key, self.patches, self.settings)
        steps: list[Flow] = []
        traced = trace_key(self.sources, self._steps(steps), self.estimator)
        before: Synthesised | None = None
        for offset, source, seen in zip(self.offsets, self.sources[1:], traced, strict=False):
            self._check()
            back = steps.pop()
            before = synthesiser.paint(source, seen, before, back, self._check)
            visible = np.rint(seen.visible * 255).astype(np.uint8)
            yield offset, _Side(before.image, before.source, visible, back)

    def _steps(self, taken: list[Flow]) -> Iterator[Flow]:
        """The flows from every frame to the one before, each noted in `taken`."""
        for near, far in pairwise(self.sources):
            self._check()
            taken.append(self.estimator(far, near))
            yield taken[-1]

    def _check(self) -> None:
        if self.stop.is_set():
            raise _Stopped
