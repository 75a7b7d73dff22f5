"""How sharp pictures are: the energy of their gradients."""

from __future__ import annotations

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.evaluation.means import ratio_of
from fresco_engine.evaluation.motion import Mask


def gradient_energy(image: Image) -> NDArray[np.float32]:
    """(h, w): squared length of the gradient of lightness (luma, range 0-1 per pixel).

    Half of what a pixel differs from its two neighbours each way. Noise counts as well, so that
    figures compare looks of one kind, such as a result and the same one made frame by frame.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    padded = np.pad(grey, 1, mode="edge")
    across = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2
    down = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2
    return np.square(across) + np.square(down)


class Sharpness:
    """Mean gradient energy over frames: of all pixels, and inside and outside of the subject."""

    def __init__(self) -> None:
        self._energy = np.zeros(2)
        self._pixels = np.zeros(2)
        self._has_mask = False

    def add(self, image: Image, subject: Mask | None = None) -> None:
        """Take in a frame; `subject` (h, w) marks its subject."""
        energy = gradient_energy(image)
        if subject is None:
            subject = np.zeros(energy.shape, np.bool_)
        else:
            self._has_mask = True
        for side, mask in enumerate((subject, ~subject)):
            self._energy[side] += float(energy[mask].sum(dtype=np.float64))
            self._pixels[side] += int(mask.sum())

    @property
    def whole(self) -> float:
        """Of all pixels; `nan` without a frame."""
        return ratio_of(float(self._energy.sum()), float(self._pixels.sum()))

    @property
    def inside(self) -> float:
        """Of the subject; `nan` where there is no mask or it is empty."""
        return ratio_of(float(self._energy[0]), float(self._pixels[0]))

    @property
    def outside(self) -> float:
        """Of what is not the subject; `nan` where there is no mask or it covers everything."""
        count = float(self._pixels[1]) if self._has_mask else 0.0
        return ratio_of(float(self._energy[1]), count)
