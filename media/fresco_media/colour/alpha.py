"""What is transparent, laid over black as models see it, and taken off again."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_media.types import Image, Matte


def divided(picture: Image, alpha: Matte) -> NDArray[np.uint8]:
    """Straight RGBA that gives `picture` again over black: what `multiplied` does, undone.

    What is brighter than `alpha` allows is as bright as it can be.
    """
    opacity = np.maximum(alpha, 1)[..., None].astype(np.float32)
    straight = np.minimum(np.rint(picture.astype(np.float32) * (255 / opacity)), 255)
    straight[alpha == 0] = 0
    return np.dstack([straight.astype(np.uint8), alpha])


def multiplied(rgba: NDArray[np.uint8]) -> Image:
    """The colours of straight RGBA multiplied by its alpha, which lays them over black."""
    found = cv2.cvtColor(np.ascontiguousarray(rgba), cv2.COLOR_RGBA2mRGBA)
    return np.asarray(cv2.cvtColor(found, cv2.COLOR_RGBA2RGB), np.uint8)
