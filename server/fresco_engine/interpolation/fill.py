"""What no keyframe shows: the source frame recoloured as its surroundings were."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_engine.interpolation.colour import Lab

_SHRINK = 4
_RIDGE = 9.0
_SIGMA = 2.5
_IMPORTANCE = (1.0, 0.03, 0.001)
"""What a pixel counts in the near and far neighbourhood (sigma in pixels of a quarter and a
sixteenth of the picture's size) and beyond."""


def recolour(source: Lab, stylised: Lab, weight: NDArray[np.float32]) -> Lab:
    """`source` carried by the colour map that, around every pixel, makes `stylised` of it.

    The map is affine in Lab, fitted by least squares to the neighbourhood's pixels counted by
    `weight` (h, w). Farther pixels count little and so matter only where near ones are missing.
    """
    height, width = source.shape[:2]
    centre = source.mean(axis=(0, 1))  # moments about the middle keep float32 exact enough
    source, stylised = source - centre, stylised - centre
    small = (max(1, width // _SHRINK), max(1, height // _SHRINK))
    seen, share = _shrink(source * weight[..., None], small), _shrink(weight, small)
    styled = _shrink(stylised * weight[..., None], small)
    matrix, offset = _fit(_divide(seen, share), _divide(styled, share), share)
    return np.stack([_apply(row, source) for row in _rows(matrix, offset)], axis=-1) + centre


def _rows(
    matrix: NDArray[np.float32], offset: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    """Per result channel its four coefficients (h, w, 4), the offset last."""
    for channel in range(3):
        yield np.concatenate([matrix[..., channel, :], offset[..., channel, None]], axis=-1)


def _apply(row: NDArray[np.float32], source: Lab) -> NDArray[np.float32]:
    """One result channel; four coefficients at a time are resized fastest."""
    wide = cv2.resize(row, source.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    mixed = np.asarray(wide[..., 3], np.float32).copy()
    for channel in range(3):
        mixed += wide[..., channel] * source[..., channel]
    return mixed


def _shrink(x: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(x, size, interpolation=cv2.INTER_AREA), np.float32)


def _divide(sums: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(sums / np.maximum(share, 1e-6)[..., None], np.float32)


def _fit(
    x: NDArray[np.float32], y: NDArray[np.float32], weight: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Per pixel the matrix (h, w, 3, 3) and offset (h, w, 3) with y ≈ matrix x + offset.

    The ridge draws towards no change of the source's variation, which is what a flat
    neighbourhood leaves open.
    """
    share = weight[..., None]
    pairs = x[..., :, None] * np.concatenate([x, y], axis=-1)[..., None, :]  # h w 3 6
    stacked = np.concatenate([np.ones_like(share), x, y, pairs.reshape(*weight.shape, 18)], axis=-1)
    sums = _gather(stacked * share)
    moments = sums[..., 1:] / np.maximum(sums[..., :1], 1e-6)
    mean_x, mean_y = moments[..., :3], moments[..., 3:6]
    second = moments[..., 6:].reshape(*weight.shape, 3, 6)
    second = second - mean_x[..., :, None] * moments[..., None, :6]
    ridge = _RIDGE * np.eye(3, dtype=np.float32)
    matrix = np.linalg.solve(second[..., :3] + ridge, second[..., 3:] + ridge)
    matrix = np.swapaxes(matrix, -1, -2)
    return matrix, mean_y - np.einsum("hwij,hwj->hwi", matrix, mean_x)


def _gather(stacked: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums over a near and a far neighbourhood and the whole picture."""
    height, width = stacked.shape[:2]
    blurred = _blur(stacked)
    # Area averaging takes four channels at most; what is blurred may be sampled linearly.
    size = (max(1, width // _SHRINK), max(1, height // _SHRINK))
    small = np.asarray(cv2.resize(blurred, size), np.float32)
    far = np.asarray(cv2.resize(_blur(small), (width, height)), np.float32)
    near, middle, everywhere = _IMPORTANCE
    return near * blurred + middle * far + everywhere * stacked.mean(axis=(0, 1))


def _blur(x: NDArray[np.float32]) -> NDArray[np.float32]:
    # Not cv2.blur: its running sums leave errors that swamp the sums of empty neighbourhoods.
    blurred = cv2.GaussianBlur(x, (0, 0), _SIGMA, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)
