"""Colour options on top of a translated keyframe: keep the input's colours, or only its light."""

from __future__ import annotations

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray


def _to_lab(image: Image) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _from_lab(lab: NDArray[np.float32]) -> Image:
    rgb = cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def keep_colours(result: Image, source: Image, share: float) -> Image:
    """`result` with its Lab mean and deviation moved by `share` (0-1) towards the source's."""
    if share == 0:
        return result
    lab, wanted = _to_lab(result), _to_lab(source)
    mean, deviation = lab.mean((0, 1)), lab.std((0, 1))
    matched = (lab - mean) * (wanted.std((0, 1)) / np.maximum(deviation, 1e-3)) + wanted.mean(
        (0, 1)
    )
    return _from_lab(lab + share * (matched - lab))


def colourise(result: Image, source: Image) -> Image:
    """The source's lightness with the result's colours (Fig. 15 of the paper)."""
    lab = _to_lab(result)
    lab[..., 0] = _to_lab(source)[..., 0]
    return _from_lab(lab)
