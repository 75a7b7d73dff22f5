"""Small patches of one colour: few enough to be labelled all at once, and true to edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fresco_engine.compiled import compiled

_ROUNDS = 5
_COMPACT = 0.6
"""Difference of colours that weighs as much as a pixel of distance."""


def superpixels(lab: NDArray[np.float32], spacing: int) -> NDArray[np.int32]:
    """(h, w): the patch of each pixel of `lab` (h, w, 3), numbered from 0 without gaps.

    Simple linear iterative clustering (Achanta et al. 2012) over colour and place, without its
    last step: a patch may have specks beside it. Patches begin `spacing` pixels apart.
    """
    height, width = lab.shape[:2]
    rows = max(1, round(height / spacing))
    columns = max(1, round(width / spacing))
    labels = _cluster(np.ascontiguousarray(lab, np.float32), rows, columns)
    return np.unique(labels, return_inverse=True)[1].reshape(height, width).astype(np.int32)


@compiled
def _cluster(lab: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.int32]:
    height, width = lab.shape[:2]
    centres = np.zeros((rows * columns, 5), np.float32)
    labels = np.zeros((height, width), np.int32)
    for y in range(height):
        for x in range(width):
            labels[y, x] = (y * rows // height) * columns + x * columns // width
    for _ in range(_ROUNDS):
        _move_centres(lab, labels, centres)
        _choose(lab, labels, centres, rows, columns)
    return labels


@compiled
def _move_centres(
    lab: NDArray[np.float32], labels: NDArray[np.int32], centres: NDArray[np.float32]
) -> None:
    """Put each centre where its pixels are on average; an empty one stays."""
    height, width = labels.shape
    sums = np.zeros((len(centres), 6), np.float64)
    for y in range(height):
        for x in range(width):
            total = sums[labels[y, x]]
            for channel in range(3):
                total[channel] += lab[y, x, channel]
            total[3] += y
            total[4] += x
            total[5] += 1
    for i in range(len(centres)):
        if sums[i, 5] > 0:
            for part in range(5):
                centres[i, part] = sums[i, part] / sums[i, 5]


@compiled
def _choose(
    lab: NDArray[np.float32],
    labels: NDArray[np.int32],
    centres: NDArray[np.float32],
    rows: int,
    columns: int,
) -> None:
    """Give each pixel to the nearest of the nine centres that began around it."""
    height, width = labels.shape
    for y in range(height):
        row = y * rows // height
        for x in range(width):
            column = x * columns // width
            nearest = np.inf
            for r in range(max(0, row - 1), min(rows, row + 2)):
                for c in range(max(0, column - 1), min(columns, column + 2)):
                    centre = centres[r * columns + c]
                    away = (y - centre[3]) ** 2 + (x - centre[4]) ** 2
                    other = 0.0
                    for channel in range(3):
                        other += (lab[y, x, channel] - centre[channel]) ** 2
                    distance = away * _COMPACT**2 + other
                    if distance < nearest:
                        nearest = distance
                        labels[y, x] = r * columns + c
