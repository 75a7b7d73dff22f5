"""Keyframes → the frames between them: each is seen from both keys, and the views are joined."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow, FlowEstimator, pixel_grid, read_at, sample_flow
from fresco_engine.interpolation.blend import (
    Map,
    View,
    blend,
    choose,
    fuse_gradients,
    mixed_gradients,
    trust,
)
from fresco_engine.interpolation.colour import Lab, from_lab, to_lab
from fresco_engine.interpolation.fill import recolour
from fresco_engine.interpolation.flows import KeyFlow, Steps, find_steps, trace_key
from fresco_engine.types import Image


@dataclass(frozen=True)
class Segment:
    """A stretch of a shot between two keyframes, or from one keyframe to the shot's end.

    `sources` holds all source frames at working size, those of the keys included: the first key
    belongs to the first source, the last key to the last. A key that is None does not exist, and
    the frame in its place is interpolated like the others.
    """

    sources: Sequence[Image]
    first_key: Image | None
    last_key: Image | None

    def __post_init__(self) -> None:
        if self.first_key is None and self.last_key is None:
            raise ValueError("a segment needs a key at one of its ends")
        shapes = {image.shape for image in (*self.sources, *self.keys)}
        if len(shapes) != 1:
            raise ValueError(f"the pictures of a segment differ in size: {sorted(shapes)}")

    @property
    def keys(self) -> tuple[Image, ...]:
        """The keys there are."""
        return tuple(key for key in (self.first_key, self.last_key) if key is not None)

    @property
    def offsets(self) -> range:
        """Which sources are to be interpolated."""
        start = 0 if self.first_key is None else 1
        return range(start, len(self.sources) - (self.last_key is not None))


@dataclass(frozen=True)
class InterpolatedFrame:
    """A frame between keys: its offset in the segment, its picture, and its guide error.

    `error` (h, w) float32 in 0-1 is the colour difference between the frame's source and the
    source seen through the flow that the picture was made with.
    """

    offset: int
    image: Image
    error: NDArray[np.float32]


class Interpolator(Protocol):
    """Makes the frames between keys."""

    def __call__(self, segment: Segment) -> Iterator[InterpolatedFrame]:
        """The frames at `segment.offsets` in order; closing the iterator stops the work."""
        ...


@dataclass(frozen=True, kw_only=True)
class FlowInterpolationSettings:
    """`error_scale` is the guide error (0-1) at which a view begins to be doubted, `sharpness` how
    abruptly texture changes hands from key to key, `carry` the share of the previous frame's
    choice that the next one keeps.
    """

    error_scale: float = 0.06
    sharpness: float = 2.0
    carry: float = 0.5


class FlowInterpolator:
    """Interpolation by flow alone: no patches are searched."""

    def __init__(
        self,
        estimator: FlowEstimator,
        settings: FlowInterpolationSettings | None = None,
    ) -> None:
        self._estimator = estimator
        self._settings = settings or FlowInterpolationSettings()

    def __call__(self, segment: Segment) -> Generator[InterpolatedFrame, None, None]:
        """The frames at `segment.offsets` in order; memory is that of the segment's flows."""
        if not segment.offsets:
            return
        steps = find_steps(segment.sources, self._estimator)
        from_last = self._trace_last(segment, steps)
        from_first = self._trace_first(segment, steps)
        painter = _Painter(segment, self._settings)
        for offset in segment.offsets:
            back = steps.back[offset - 1] if offset else None
            yield painter.paint(offset, next(from_first, None), from_last.pop(offset, None), back)

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


class _Painter:
    """Paints a segment's frames in order and remembers the choice made for the previous one."""

    def __init__(self, segment: Segment, settings: FlowInterpolationSettings) -> None:
        self._segment = segment
        self._settings = settings
        self._preference: Map | None = None
        self._first = _Key.of(segment.first_key, segment.sources[0])
        self._last = _Key.of(segment.last_key, segment.sources[-1])

    def paint(
        self, offset: int, first: KeyFlow | None, last: KeyFlow | None, back: Flow | None
    ) -> InterpolatedFrame:
        """The frame at `offset`; `back` leads from it to the frame before."""
        source = self._segment.sources[offset]
        guide = to_lab(source)
        views = [
            key.seen(flow, guide)
            for key, flow in ((self._first, first), (self._last, last))
            if key is not None and flow is not None
        ]
        if len(views) == 1:
            return self._paint_one_sided(offset, views[0], guide)
        position = offset / (len(self._segment.sources) - 1)
        return self._paint_two_sided(offset, (views[0], views[1]), guide, position, back)

    def _paint_one_sided(self, offset: int, view: View, guide: Lab) -> InterpolatedFrame:
        trusted = _usable(view, self._settings.error_scale)
        lab = _fill_untrusted(view.lab, guide, trusted)
        return InterpolatedFrame(offset, from_lab(lab), view.error)

    def _paint_two_sided(
        self,
        offset: int,
        views: tuple[View, View],
        guide: Lab,
        position: float,
        back: Flow | None,
    ) -> InterpolatedFrame:
        first, last = views
        scale = self._settings.error_scale
        preference = self._carry(trust(first, scale) - trust(last, scale), back)
        soft = choose(position, preference)
        firm = choose(position, preference, self._settings.sharpness)
        base = blend(first.lab, last.lab, soft)
        fused = fuse_gradients(base, *mixed_gradients(first.lab, last.lab, firm))
        trusted = np.maximum(_usable(first, scale), _usable(last, scale))
        error = np.asarray(last.error + firm * (first.error - last.error), np.float32)
        return InterpolatedFrame(offset, from_lab(_fill_untrusted(fused, guide, trusted)), error)

    def _carry(self, preference: Map, back: Flow | None) -> Map:
        """`preference` smoothed in space, and in time along the flow."""
        smooth = np.asarray(cv2.GaussianBlur(preference, (0, 0), 1.5), np.float32)
        if self._preference is not None and back is not None:
            before = sample_flow(self._preference, back)
            smooth += self._settings.carry * (before - smooth)
        self._preference = smooth
        return smooth


@dataclass(frozen=True)
class _Key:
    """A keyframe's stylised and source pictures in Lab."""

    stylised: Lab
    source: Lab

    @classmethod
    def of(cls, stylised: Image | None, source: Image) -> _Key | None:
        return None if stylised is None else cls(to_lab(stylised), to_lab(source))

    def seen(self, flow: KeyFlow, guide: Lab) -> View:
        """This key as the frame with the source `guide` sees it."""
        target = pixel_grid(*flow.flow.shape[:2]) + flow.flow
        x, y = np.ascontiguousarray(target[..., 0]), np.ascontiguousarray(target[..., 1])
        # Cubic: the one time that a key's pixels are resampled must not blur its strokes.
        lab = cv2.remap(self.stylised, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        source = read_at(self.source, target)
        lab = np.asarray(lab, np.float32)
        return View(lab, _guide_error(source, guide), flow.visible)


def _guide_error(seen: Lab, guide: Lab) -> Map:
    """(h, w) in 0-1: Lab distance over a small window; 100 units of Lab are 1."""
    square = ((seen - guide) ** 2).sum(axis=-1)
    # Running sums inside cv2.blur may leave a hair below zero.
    return np.sqrt(np.clip(cv2.blur(square, (5, 5)), 0, 100**2)) / 100


def _usable(view: View, error_scale: float) -> Map:
    """(h, w) in 0-1: whether a view is better than inventing.

    A pixel that the key hides but that looks right is nearly as good as a visible one: dropping it
    would tear the strokes that a style draws along silhouettes.
    """
    return np.exp(trust(view, error_scale, hidden_cost=0.8))


def _fill_untrusted(lab: Lab, guide: Lab, trusted: Map) -> Lab:
    """`lab` with what neither key shows painted in the source's shapes and nearby colours."""
    share = cv2.GaussianBlur(1 - np.clip(2 * trusted, 0, 1), (0, 0), 1.5)[..., None]
    if share.max() < 0.05:
        return lab
    return np.asarray(lab + share * (recolour(guide, lab, trusted) - lab), np.float32)
