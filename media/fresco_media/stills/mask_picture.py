"""Masks as pictures: white on black, or drawn over what they are of."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_media.types import Image

_MIDDLE = 127.5
_DIMMED = 0.35
_LINE = (255, 214, 0)
_LINE_WIDTH = 1 / 250
"""Share of the short side."""


def white_of(image: Image) -> NDArray[np.bool_]:
    """(h, w), True where `image` (h, w, 3) is nearer to white than to black."""
    return np.asarray(image.mean(axis=-1) >= _MIDDLE, np.bool_)


def white_on_black(mask: NDArray[np.bool_]) -> Image:
    """A mask (h, w) as a picture that `white_of` reads."""
    return np.repeat(np.where(mask, 255, 0).astype(np.uint8)[..., None], 3, axis=2)


def with_region(image: Image, region: NDArray[np.bool_]) -> Image:
    """`image` (H, W, 3) as it is inside `region` (H, W), dim and grey outside, a line between."""
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    shown = np.where(region[..., None], image, (grey * _DIMMED).astype(np.uint8))
    width = max(1, round(_LINE_WIDTH * min(region.shape)))
    side = 2 * width + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    grown = cv2.dilate(region.astype(np.uint8), kernel).astype(np.bool_)
    shown[grown & ~region] = _LINE
    return shown
