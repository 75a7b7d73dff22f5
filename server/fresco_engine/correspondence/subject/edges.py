"""Borders of a coarse mask drawn along the edges of the picture that it belongs to."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
BoolMap = NDArray[np.bool_]

_REACH = 1.75
"""Pixels of the coarse mask within which its border looks for an edge: further away it would find
those of other things."""
_FLAT = 1e-3
"""Variance of lightness, of 1, below which there is no edge to follow."""


def enlarged(mask: BoolMap, picture: Image) -> BoolMap:
    """`mask` (h, w) at the size of `picture` (H, W, 3), its border where the picture has an edge.

    Where it is enlarged, that is a guided filter over the picture's lightness (He, Sun and Tang
    2013, Eq. 5, 6 and 8), cut at half; where nothing is near to follow, the border is rounded.
    """
    height, width = picture.shape[:2]
    if mask.shape == (height, width):
        return mask
    coarse = mask.astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    radius = max(1, round(_REACH * height / mask.shape[0]))
    return np.asarray(along_edges(np.asarray(smooth, np.float32), picture, radius) > 0.5, np.bool_)


def along_edges(values: Floats, picture: Image, radius: int) -> Floats:
    """`values` (H, W), their changes moved onto edges of `picture` (H, W, 3) within `radius`."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    return _guided(values, grey, radius)


def _guided(values: Floats, guide: Floats, radius: int) -> Floats:
    """`values` (h, w) as the best linear function of `guide` (h, w) around each pixel."""
    mean, mean_guide = _mean(values, radius), _mean(guide, radius)
    covariance = _mean(guide * values, radius) - mean_guide * mean
    variance = _mean(guide * guide, radius) - mean_guide * mean_guide
    slope = covariance / (variance + np.float32(_FLAT))
    offset = mean - slope * mean_guide
    return _mean(slope, radius) * guide + _mean(offset, radius)


def _mean(values: Floats, radius: int) -> Floats:
    side = 2 * radius + 1
    blurred = cv2.boxFilter(values, cv2.CV_32F, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)
