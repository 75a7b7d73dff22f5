"""What a patch must agree on with its place in a frame: colours, edges, time and position."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow
from fresco_engine.interpolation.patch_kernels import CHANNELS, FRACTION, SIDE, STYLE

_EDGE = 3
_HIDDEN = 7
_HIDDEN_LEVEL = 40
_EDGE_SIGMA = 2.0


@dataclass(frozen=True, kw_only=True)
class GuideWeights:
    """How much each guide counts; 0 leaves it out.

    The published weights (6, 0.5, 0.5, 2 and 1, see "Frames between keyframes" in docs/method.md)
    are for a search that starts from nothing. Here it starts from what flow carries, and what is
    torn there must not be held on to: edges count more, the picture painted so far less (measured:
    1 dB).
    A weight is shared out over the channels of its guide. `uniformity` is what a patch costs that
    is used once more per pixel than would be even.
    """

    colour: float = 6.0
    edge: float = 4.0
    temporal: float = 0.2
    position: float = 2.0
    style: float = 0.05
    uniformity: float = 3500.0

    @property
    def largest(self) -> float:
        """The weight of the channel that counts most; its differences are stored unscaled."""
        return max(self.colour / 3, self.edge, (self.style + self.temporal) / 3, 1e-3)

    @property
    def temporal_share(self) -> int:
        """Of 256, how much the frame before counts in the one picture that stands for both.

        a(s - x)² + b(s - y)² and (a + b)(s - (ax + by)/(a + b))² differ by what does not depend
        on s, so one guide does for two.
        """
        return round(256 * self.temporal / max(self.style + self.temporal, 1e-6))

    @property
    def crowding(self) -> int:
        """`uniformity` in the units of the costs."""
        return round(self.uniformity / self.largest)

    def position_weight(self, width: int) -> int:
        """What being one pixel off costs on a level `width` pixels wide, times 16.

        The guide runs from 0 to 255 across the picture.
        """
        per_pixel = SIDE * SIDE * (self.position / 2) / self.largest * (255 / width) ** 2
        return round(per_pixel * 256 / FRACTION**2)

    def levels(self, weight: float) -> NDArray[np.uint8]:
        """(256,): how a value is stored in a channel that counts `weight`."""
        scale = min(1.0, (weight / self.largest) ** 0.5)
        return np.rint(np.arange(256) * scale).astype(np.uint8)

    @property
    def style_levels(self) -> NDArray[np.uint8]:
        """(256,): how a value of the stylised picture is stored."""
        return self.levels((self.style + self.temporal) / 3)


def pack(
    picture: Image, stylised: Image | None, weights: GuideWeights, hidden: Image | None = None
) -> NDArray[np.uint8]:
    """The channels (h, w, 8) of a source frame, scaled as `weights` say.

    `hidden` (h, w) in 0-255 makes places that show something else costly to use.
    """
    packed = np.zeros((*picture.shape[:2], CHANNELS), np.uint8)
    packed[..., :_EDGE] = cv2.LUT(picture, weights.levels(weights.colour / 3))
    packed[..., _EDGE] = cv2.LUT(edges(picture), weights.levels(weights.edge))
    if stylised is not None:
        packed[..., STYLE : STYLE + 3] = cv2.LUT(stylised, weights.style_levels)
    if hidden is not None:
        packed[..., _HIDDEN] = cv2.convertScaleAbs(hidden, alpha=_HIDDEN_LEVEL / 255)
    return packed


def edges(picture: Image) -> Image:
    """(h, w): how much lighter than its surroundings every pixel is, about 128."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    wide = cv2.GaussianBlur(grey, (0, 0), _EDGE_SIGMA)
    return np.asarray(cv2.addWeighted(grey, 2, wide, -2, 128), np.uint8)


def extended_flow(flow: Flow, visible: NDArray[np.float32]) -> Flow:
    """`flow` where it is `visible`, elsewhere that of the visible pixels around.

    What is hidden moves on with its surroundings; how it seems to move means nothing.
    """
    height, width = visible.shape
    size = max(1, width // 4), max(1, height // 4)
    share = np.asarray(cv2.resize(visible, size, interpolation=cv2.INTER_AREA), np.float32)
    seen = cv2.resize(flow * visible[..., None], size, interpolation=cv2.INTER_AREA)
    around = np.zeros_like(seen)
    missing = np.ones_like(share)
    for sigma in (2.0, 8.0, 32.0):
        near = cv2.GaussianBlur(share, (0, 0), sigma)
        mean = cv2.GaussianBlur(seen, (0, 0), sigma) / np.maximum(near, 1e-4)[..., None]
        trusted = np.asarray(missing * np.clip(near / 0.1, 0, 1), np.float32)
        around += trusted[..., None] * mean
        missing -= trusted
    around += missing[..., None] * cv2.resize(flow, size, interpolation=cv2.INTER_AREA)
    wide = cv2.resize(around, (width, height))
    return np.asarray(wide + visible[..., None] * (flow - wide), np.float32)


def quarters(places: NDArray[np.float32]) -> NDArray[np.int16]:
    """Positions (h, w, 2) given as x, y: in quarters of a pixel, as y, x."""
    return np.rint(np.clip(places[..., ::-1] * FRACTION, -32000, 32000)).astype(np.int16)
