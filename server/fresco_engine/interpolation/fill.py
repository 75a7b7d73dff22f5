"""What no keyframe shows: the source frame recoloured as its surroundings were."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_engine.compiled import compiled
from fresco_engine.interpolation.colour import Lab

_SHRINK = 8
_RIDGE = 9.0
_SIGMA = 1.25
_IMPORTANCE = (1.0, 0.03, 0.001)
"""What a pixel counts in the near and far neighbourhood (sigma in pixels of an eighth and a
sixty-fourth of the picture's size) and beyond."""


def recoloured_share(
    source: Lab, stylised: Lab, weight: NDArray[np.float32], share: NDArray[np.float32]
) -> Lab:
    """`stylised` with a `share` (h, w) of every pixel replaced by its recoloured `source`.

    The colour map is the one that, around every pixel, makes `stylised` of `source`: affine in
    Lab, fitted by least squares to the neighbourhood's pixels counted by `weight` (h, w). Farther
    pixels count little and so matter only where near ones are missing.
    """
    height, width = source.shape[:2]
    centre = source.mean(axis=(0, 1))  # moments about the middle keep float32 exact enough
    small = (max(1, width // _SHRINK), max(1, height // _SHRINK))
    share_seen = _shrink(weight, small)
    seen = _divide(_shrink(source * weight[..., None], small), share_seen)
    styled = _divide(_shrink(stylised * weight[..., None], small), share_seen)
    is_known = share_seen[..., None] > 0
    zero = np.float32(0)
    matrix, offset = _fit(
        np.where(is_known, seen - centre, zero),
        np.where(is_known, styled - centre, zero),
        share_seen,
    )
    rows = np.concatenate([matrix, offset[..., None]], axis=-1, dtype=np.float32)
    result = stylised.copy()
    _apply(rows.reshape(*rows.shape[:2], 12), source, centre.astype(np.float32), share, result)
    return result


@compiled
def _apply(
    rows: NDArray[np.float32],
    source: Lab,
    centre: NDArray[np.float32],
    share: NDArray[np.float32],
    result: Lab,
) -> None:
    """Mixes into `result` what the maps `rows` (small h, small w, 3 * 4) make of `source`.

    The maps are read bilinearly between the centres of their cells.
    """
    height, width = share.shape
    rows_high, rows_wide = rows.shape[:2]
    one = np.float32(1)
    line = np.empty((rows_wide, 12), np.float32)
    for y in range(height):
        v = min(max((y + 0.5) * rows_high / height - 0.5, 0.0), rows_high - 1.0)
        top = min(int(v), max(rows_high - 2, 0))
        below, dv = min(top + 1, rows_high - 1), np.float32(v - top)
        for left in range(rows_wide):
            for k in range(12):
                line[left, k] = rows[top, left, k] + dv * (
                    rows[below, left, k] - rows[top, left, k]
                )
        for x in range(width):
            if share[y, x] < np.float32(1e-3):
                continue
            u = min(max((x + 0.5) * rows_wide / width - 0.5, 0.0), rows_wide - 1.0)
            left = min(int(u), max(rows_wide - 2, 0))
            right, du = min(left + 1, rows_wide - 1), np.float32(u - left)
            near = one - du
            l0, a0 = source[y, x, 0] - centre[0], source[y, x, 1] - centre[1]
            b0 = source[y, x, 2] - centre[2]
            for c in range(3):
                k = 4 * c
                mixed = centre[c] + near * line[left, k + 3] + du * line[right, k + 3]
                mixed += (near * line[left, k] + du * line[right, k]) * l0
                mixed += (near * line[left, k + 1] + du * line[right, k + 1]) * a0
                mixed += (near * line[left, k + 2] + du * line[right, k + 2]) * b0
                result[y, x, c] += share[y, x] * (mixed - result[y, x, c])


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
