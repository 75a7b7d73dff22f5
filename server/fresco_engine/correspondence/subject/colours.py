"""Colours of the subject and of what surrounds it, shared by a batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Floats = NDArray[np.float64]

_CELLS = (18, 18, 18, 6, 6)
"""Cells of the grid over L, a, b, x and y."""
_REACH = (0.9, 0.9, 0.9, 0.8, 0.8)
"""How far a vote reaches, in cells."""
_RARE = 1e-5
"""Share of a class that says nothing."""


def colour_odds(features: Floats, sizes: Floats, chances: Floats) -> Floats:
    """(n,), -2 to 2: whether patches look like the subject, from where the subject may be.

    `features` (n, 5) are L, a, b, x, y in 0-1, `sizes` (n,) pixels, `chances` (n,) 0-1 how surely
    each patch is subject; one in doubt has no vote. Votes are collected in a coarse grid over
    colour and place (the bilateral grid, Chen et al. 2007) over all frames, so each patch hears
    those that look like it.
    """
    cells = _cell_numbers(features)
    votes = (2 * chances - 1) ** 2 * sizes
    pro, contra = votes * chances, votes * (1 - chances)
    likelihood = np.log((_density(cells, pro) + _RARE) / (_density(cells, contra) + _RARE))
    # Half of how common each is: wholly counted, a small subject would have no colours.
    prior = 0.5 * np.log((pro.sum() + 1e-9) / (contra.sum() + 1e-9))
    return 2 * np.tanh((likelihood[cells] + prior) / 3)


def _cell_numbers(features: Floats) -> NDArray[np.int64]:
    shape = np.array(_CELLS)
    cells = np.clip((features * shape).astype(np.int64), 0, shape - 1)
    return np.asarray(np.ravel_multi_index(tuple(cells.T), _CELLS), np.int64)


def _density(cells: NDArray[np.int64], weights: Floats) -> Floats:
    """The weights of every cell, blurred, as shares of all."""
    total = max(float(weights.sum()), 1e-9)
    grid = np.bincount(cells, weights / total, minlength=int(np.prod(_CELLS))).reshape(_CELLS)
    for axis, reach in enumerate(_REACH):
        grid = gaussian_filter1d(grid, reach, axis, mode="nearest", truncate=2.5)
    return np.asarray(grid.ravel(), np.float64)
