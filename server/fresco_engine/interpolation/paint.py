"""One frame from what the keys on either side make of it: choose, mix, fuse, fill."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from fresco_media.types import Image

from fresco_engine.compiled import compiled
from fresco_engine.correspondence.flow import Flow, pixel_grid, sample_flow
from fresco_engine.interpolation.blend import (
    Fuse,
    Map,
    View,
    blend,
    choose,
    fuse_gradients,
    mixed_gradients,
    trust,
)
from fresco_engine.interpolation.colour import Lab, from_lab, to_lab
from fresco_engine.interpolation.fill import recoloured_share
from fresco_engine.interpolation.segment import InterpolatedFrame


@dataclass(frozen=True, kw_only=True)
class BlendSettings:
    """`error_scale` is the guide error (0-1) at which a view begins to be doubted, `sharpness` how
    abruptly texture changes hands from key to key, `carry` the share of the previous frame's
    choice that the next one keeps. `hidden_cost` is how much less a pixel is believed that the key
    does not show, when it comes to inventing it instead.
    """

    error_scale: float = 0.06
    sharpness: float = 2.0
    carry: float = 0.5
    hidden_cost: float = 0.8


class Painter:
    """Paints a segment's frames in order and remembers the choice made for the previous one.

    `length` is how many frames the segment has, its keys included.
    """

    def __init__(self, length: int, settings: BlendSettings, fuse: Fuse = fuse_gradients) -> None:
        self._fuse = fuse
        self._length = length
        self._settings = settings
        self._preference: Map | None = None

    def paint(
        self, offset: int, guide: Lab, first: View | None, last: View | None, back: Flow | None
    ) -> InterpolatedFrame:
        """The frame at `offset` with the source `guide`; `back` leads to the frame before."""
        return self.prepare(offset, guide, first, last, back).paint()

    def prepare(
        self, offset: int, guide: Lab, first: View | None, last: View | None, back: Flow | None
    ) -> Painting:
        """The same in two steps: this one must be taken in order, `Painting.paint` need not."""
        preference = None
        if first is not None and last is not None:
            scale = self._settings.error_scale
            preference = self._carry(trust(first, scale) - trust(last, scale), back)
        position = offset / (self._length - 1)
        return Painting(
            offset, position, guide, first, last, preference, self._settings, self._fuse
        )

    def _carry(self, preference: Map, back: Flow | None) -> Map:
        """`preference` smoothed in space, and in time along the flow."""
        smooth = np.asarray(cv2.GaussianBlur(preference, (0, 0), 1.5), np.float32)
        if self._preference is not None and back is not None:
            before = sample_flow(self._preference, back)
            smooth += self._settings.carry * (before - smooth)
        self._preference = smooth
        return smooth


@dataclass(frozen=True, eq=False)
class Painting:
    """A frame about to be painted."""

    offset: int
    position: float
    guide: Lab
    first: View | None
    last: View | None
    preference: Map | None
    settings: BlendSettings
    fuse: Fuse

    def paint(self) -> InterpolatedFrame:
        """The frame."""
        if self.first is not None and self.last is not None:
            return self._two_sided(self.first, self.last)
        view = self.first or self.last
        assert view is not None
        lab = self._filled(view.lab, self._usable(view))
        return InterpolatedFrame(self.offset, from_lab(lab), view.error)

    def _two_sided(self, first: View, last: View) -> InterpolatedFrame:
        assert self.preference is not None
        soft = choose(self.position, self.preference)
        firm = choose(self.position, self.preference, self.settings.sharpness)
        base = blend(first.lab, last.lab, soft)
        fused = self.fuse(base, *mixed_gradients(first.lab, last.lab, firm))
        trusted = np.maximum(self._usable(first), self._usable(last))
        error = np.asarray(last.error + firm * (first.error - last.error), np.float32)
        return InterpolatedFrame(self.offset, from_lab(self._filled(fused, trusted)), error)

    def _usable(self, view: View) -> Map:
        """(h, w) in 0-1: whether a view is better than inventing.

        A pixel that the key hides but that looks right is nearly as good as a visible one:
        dropping it would tear the strokes that a style draws along silhouettes.
        """
        return np.exp(trust(view, self.settings.error_scale, self.settings.hidden_cost))

    def _filled(self, lab: Lab, trusted: Map) -> Lab:
        """`lab` with what neither key shows in the source's shapes and nearby colours."""
        share = cv2.GaussianBlur(1 - np.clip(2 * trusted, 0, 1), (0, 0), 1.5)
        if share.max() < 0.05:
            return lab
        return recoloured_share(self.guide, lab, trusted, np.asarray(share, np.float32))


def warped(picture: Image, flow: Flow, interpolation: int = cv2.INTER_LINEAR) -> Image:
    """`picture` read where `flow` leads; beyond its border the border repeats."""
    target = pixel_grid(*flow.shape[:2]) + flow
    x, y = cv2.split(target)
    read = cv2.remap(picture, x, y, interpolation, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read, np.uint8)


def view_of(image: Image, source: Image, visible: Map, guide: Lab) -> View:
    """What a key makes of the frame with the source `guide`.

    `image` is its stylised picture and `source` its own source picture, both moved as the frame
    sees them.
    """
    return View(to_lab(image), guide_error(to_lab(source), guide), visible)


def guide_error(seen: Lab, guide: Lab) -> Map:
    """(h, w) in 0-1: Lab distance over a small window; 100 units of Lab are 1."""
    # Running sums inside cv2.blur may leave a hair below zero.
    square = np.clip(cv2.blur(_square_distance(seen, guide), (5, 5)), 0, 100**2)
    return np.asarray(cv2.sqrt(square) / 100, np.float32)


@compiled
def _square_distance(one: Lab, two: Lab) -> Map:
    height, width = one.shape[:2]
    square = np.empty((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            light, a = one[y, x, 0] - two[y, x, 0], one[y, x, 1] - two[y, x, 1]
            b = one[y, x, 2] - two[y, x, 2]
            square[y, x] = light * light + a * a + b * b
    return square
