"""How like a picture is to the one it should be."""

from __future__ import annotations

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

Picture = NDArray[np.generic]
_LEAST = 1e-10
"""Squared error, as a share of the range's square, that counts as none: 100 dB."""


def psnr(first: Picture, second: Picture, *, peak: float = 255) -> float:
    """Peak signal-to-noise ratio in dB of values in 0 to `peak`, 100 for equal ones."""
    error = np.mean(np.square(first.astype(np.float32) - second.astype(np.float32)))
    return float(-10 * np.log10(max(float(error) / peak**2, _LEAST)))


def ssim(first: Image, second: Image) -> float:
    """Structural similarity of lightness, Gaussian windows of 11 pixels (Wang et al. 2004)."""
    one, two = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32) for x in (first, second))

    def mean(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(x, (11, 11), 1.5), np.float32)

    m1, m2 = mean(one), mean(two)
    v1, v2 = mean(one * one) - m1 * m1, mean(two * two) - m2 * m2
    both = mean(one * two) - m1 * m2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * m1 * m2 + c1) * (2 * both + c2) / ((m1**2 + m2**2 + c1) * (v1 + v2 + c2))
    return float(alike.mean())
