"""Keyframes → the frames between them by flow alone: the quickest way."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import cv2

from fresco_engine.correspondence.flow import Flow, FlowEstimator
from fresco_engine.interpolation.blend import View
from fresco_engine.interpolation.colour import Lab
from fresco_engine.interpolation.flows import KeyFlow, trace_key
from fresco_engine.interpolation.paint import BlendSettings, view_of, warped
from fresco_engine.interpolation.segment import InterpolatedFrame, Interpolator, Segment
from fresco_engine.interpolation.sides import SegmentView, interpolate

__all__ = ["FlowInterpolator", "InterpolatedFrame", "Interpolator", "Segment"]


class FlowInterpolator:
    """Interpolation by flow alone: no patches are searched.

    `steps` finds the motion from one frame to the next, `estimator` unless given; what it misses,
    `estimator` mends when it looks again at the way to the key. `workers` is how many cores to
    use, by default every one.
    """

    def __init__(
        self,
        estimator: FlowEstimator,
        settings: BlendSettings | None = None,
        *,
        steps: FlowEstimator | None = None,
        workers: int | None = None,
    ) -> None:
        self._estimator = estimator
        self._settings = settings or BlendSettings()
        self._step_estimator = steps or estimator
        self._workers = workers

    def __call__(self, segment: Segment) -> Generator[InterpolatedFrame, None, None]:
        """The frames at `segment.offsets` in order; memory is that of the segment's flows."""
        return interpolate(segment, self._side, self._settings, workers=self._workers)

    def _side(self, outlook: SegmentView) -> Iterator[tuple[int, _FlowSide]]:
        steps: list[Flow] = []
        traced = trace_key(
            outlook.sources, outlook.steps(self._step_estimator, steps), self._estimator
        )
        for offset, seen in zip(outlook.offsets, traced, strict=False):
            yield offset, _FlowSide(outlook, seen, steps.pop())


@dataclass(frozen=True, eq=False)
class _FlowSide:
    outlook: SegmentView
    seen: KeyFlow
    back: Flow

    def view(self, guide: Lab) -> View:
        """The same for blending."""
        flow, outlook = self.seen.flow, self.outlook
        # Cubic: the one time that a key's pixels are resampled must not blur its strokes.
        image = warped(outlook.key, flow, cv2.INTER_CUBIC)
        return view_of(image, warped(outlook.sources[0], flow), self.seen.visible, guide)
