"""A batch as small patches of one colour, and which of them belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow, pixel_grid
from fresco_engine.correspondence.subject.superpixels import superpixels

FloatMap = NDArray[np.float32]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SPACING = 5
"""Pixels from patch to patch."""


@dataclass(frozen=True)
class Links:
    """m pairs of patches that touch."""

    pairs: Integers
    """(m, 2)."""
    shared: Floats
    """(m,): how much they touch: pixels of border, or pixels that flow leads over."""
    contrast: Floats
    """(m,): squared difference of their colours."""


class Patches:
    """The n patches of f frames of `colours` (f, h, w, 3), Lab in 8 bits each."""

    def __init__(self, colours: FloatMap) -> None:
        labels: list[Integers] = []
        count = 0
        for picture in colours:
            labels.append(superpixels(picture, SPACING).astype(np.int64) + count)
            count = int(labels[-1].max()) + 1
        self.count = count
        self.labels = np.stack(labels)
        """(f, h, w): the patch of each pixel."""
        self.sizes = np.bincount(self.labels.ravel(), minlength=count).astype(np.float64)
        """(n,) pixels."""
        self.colours = np.stack([self.mean(colours[..., c]) for c in range(3)], axis=1)
        """(n, 3)."""

    def mean(self, values: NDArray[np.generic]) -> Floats:
        """(n,): the mean of `values` (f, h, w) over each patch."""
        every = np.broadcast_to(values, self.labels.shape).ravel()
        return np.bincount(self.labels.ravel(), every, minlength=self.count) / self.sizes

    def features(self) -> Floats:
        """(n, 5), 0-1: L, a, b, x and y of each patch."""
        height, width = self.labels.shape[1:]
        grid = (pixel_grid(height, width) + 0.5) / (width, height)
        light, *tints = self.colours.T / 255
        # Tints seldom fill more than the middle half of their range.
        wider = [np.clip(2 * tint - 0.5, 0, 1) for tint in tints]
        return np.stack([light, *wider, self.mean(grid[..., 0]), self.mean(grid[..., 1])], axis=1)

    def at_border(self) -> NDArray[np.bool_]:
        """(n,): whether a patch touches the left, right or upper border of its picture."""
        is_border = np.zeros(self.count, np.bool_)
        for edge in (self.labels[:, 0], self.labels[:, :, 0], self.labels[:, :, -1]):
            is_border[edge.ravel()] = True
        return is_border

    def beside(self) -> Links:
        """The patches that touch within a frame."""
        beside = np.stack([self.labels[:, :, :-1].ravel(), self.labels[:, :, 1:].ravel()])
        below = np.stack([self.labels[:, :-1].ravel(), self.labels[:, 1:].ravel()])
        pairs = np.concatenate([beside, below], axis=1)
        return self._links(np.sort(pairs[:, pairs[0] != pairs[1]], axis=0))

    def along(self, ahead: Sequence[Flow], agreed: Sequence[FloatMap]) -> Links:
        """The patches that the flow to the next frame joins, where it is `agreed` (0-1)."""
        height, width = self.labels.shape[1:]
        grid = pixel_grid(height, width)
        pairs: list[Integers] = [np.zeros((2, 0), np.int64)]
        for i, (flow, trust) in enumerate(zip(ahead, agreed, strict=True)):
            x, y = np.moveaxis(np.rint(grid + flow).astype(np.int64), -1, 0)
            good = (trust > 0.3) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
            pairs.append(np.stack([self.labels[i][good], self.labels[i + 1][y[good], x[good]]]))
        return self._links(np.concatenate(pairs, axis=1))

    def _links(self, pairs: Integers) -> Links:
        """Each of `pairs` (2, many) once, with how often it was there."""
        keys, shared = np.unique(pairs[0] * self.count + pairs[1], return_counts=True)
        one, other = keys // self.count, keys % self.count
        contrast = ((self.colours[one] - self.colours[other]) ** 2).sum(axis=1)
        return Links(np.stack([one, other], axis=1), shared.astype(np.float64), contrast)
