"""Between the bytes of a picture and CIE Lab in float32, where blending happens."""

from __future__ import annotations

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

Lab = NDArray[np.float32]
"""(height, width, 3): L in 0-100, a and b around 0."""


def to_lab(image: Image) -> Lab:
    """`image` in Lab; exact enough that `from_lab` returns every byte within one level."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    return np.asarray(lab, np.float32)


def from_lab(lab: Lab) -> Image:
    """The picture nearest to `lab`: rounded, since truncating would darken every frame."""
    rgb = cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
