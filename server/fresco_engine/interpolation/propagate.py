"""Keyframes → the frames between them by flow alone: the quickest way."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from fresco_engine.correspondence.flow import FlowEstimator
from fresco_engine.interpolation.colour import to_lab
from fresco_engine.interpolation.flows import KeyFlow, Steps, find_steps, trace_key
from fresco_engine.interpolation.paint import BlendSettings, Key, Painter
from fresco_engine.interpolation.segment import InterpolatedFrame, Interpolator, Segment

__all__ = ["FlowInterpolator", "InterpolatedFrame", "Interpolator", "Segment"]


class FlowInterpolator:
    """Interpolation by flow alone: no patches are searched."""

    def __init__(
        self,
        estimator: FlowEstimator,
        settings: BlendSettings | None = None,
    ) -> None:
        self._estimator = estimator
        self._settings = settings or BlendSettings()

    def __call__(self, segment: Segment) -> Generator[InterpolatedFrame, None, None]:
        """The frames at `segment.offsets` in order; memory is that of the segment's flows."""
        if not segment.offsets:
            return
        steps = find_steps(segment.sources, self._estimator)
        from_last = self._trace_last(segment, steps)
        from_first = self._trace_first(segment, steps)
        painter = Painter(len(segment.sources), self._settings)
        first = Key.of(segment.first_key, segment.sources[0])
        last = Key.of(segment.last_key, segment.sources[-1])
        for offset in segment.offsets:
            guide = to_lab(segment.sources[offset])
            back = steps.back[offset - 1] if offset else None
            views = [
                key.seen(flow, guide) if key is not None and flow is not None else None
                for key, flow in (
                    (first, next(from_first, None)),
                    (last, from_last.pop(offset, None)),
                )
            ]
            yield painter.paint(offset, guide, views[0], views[1], back)

    def _trace_first(self, segment: Segment, steps: Steps) -> Iterator[KeyFlow]:
        if segment.first_key is None:
            return iter(())
        return trace_key(segment.sources, steps.back, self._estimator)

    def _trace_last(self, segment: Segment, steps: Steps) -> dict[int, KeyFlow]:
        """All flows to the last key: chaining begins at the far end, so none can be had later."""
        if segment.last_key is None:
            return {}
        reverse = segment.sources[::-1]
        offsets = range(len(reverse) - 2, segment.offsets.start - 1, -1)
        traced = trace_key(reverse, steps.ahead[::-1], self._estimator)
        return dict(zip(offsets, traced, strict=False))
