"""OpenCV's dense inverse search for pictures of any shape."""

from __future__ import annotations

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

_LEAST_SIDE = 32
"""Eight pixels, the size of a patch, at the coarsest of the finest scales in use.

OpenCV halves pictures until a side has no room for a patch any more. Where that is before the
finest scale it was told, it ends the process (measured, 5.0: 320x24) or raises.
"""


def found_flow(
    search: cv2.DISOpticalFlow, one: Image, two: Image, guess: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """The flow (h, w, 2) that `search` finds from grey picture `one` to `two`, around `guess`.

    Sides too short for the search are made longer for it by repeating their border.
    """
    height, width = one.shape[:2]
    below, right = max(0, _LEAST_SIDE - height), max(0, _LEAST_SIDE - width)
    start = np.empty(0, np.float32) if guess is None else _grown(guess, below, right).copy()
    flow = search.calc(_grown(one, below, right), _grown(two, below, right), start)
    return np.ascontiguousarray(flow[:height, :width], np.float32)


def _grown(picture: np.ndarray, below: int, right: int) -> np.ndarray:
    if not below and not right:
        return picture
    more = [(0, below), (0, right), *[(0, 0)] * (picture.ndim - 2)]
    return np.ascontiguousarray(np.pad(picture, more, mode="edge"))
