"""The motion that a moving camera alone would cause."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow, pixel_grid

FloatMap = NDArray[np.float32]
Floats = NDArray[np.float64]

_BANDS = 6
"""Heights at which the camera's motion has a value of its own: depth changes mostly upwards."""


def camera_motion(flow: Flow, trust: FloatMap) -> Flow:
    """(h, w, 2): what a moving camera would cause of `flow`, fitted from the borders inwards.

    Linear in x, piecewise linear in y: ground, walls and sky at different distances pass at
    different speeds. The subject seldom fills the borders left and right, so these count most,
    the upper one less. Robust by a Geman-McClure weight whose scale falls from round to round.
    `trust` (h, w), 0-1, says how far the flow is to be believed.
    """
    height, width = flow.shape[:2]
    step = max(1, min(height, width) // 48)
    rows, columns = np.arange(step // 2, height, step), np.arange(step // 2, width, step)
    some = np.ix_(rows, columns)
    # Flat areas have little to say, yet more than a textured subject amidst them.
    weights = (near_border(height, width) * np.maximum(trust, 0.1))[some].astype(float)
    model, vectors = _Model.of(height, width), flow[some].astype(float)
    middle = [weighted_median(vectors[..., axis], weights) for axis in (0, 1)]
    distance = np.linalg.norm(vectors - middle, axis=-1)
    found = np.zeros((2, _BANDS, 2))
    for spread in np.geomspace(6, 1.5, 10):
        scale = max(0.002 * min(height, width), spread * weighted_median(distance, weights))
        share = weights / (1 + (distance / scale) ** 2) ** 2
        found = model.fitted(vectors, share, rows, columns)
        distance = np.linalg.norm(vectors - model.at(found, rows, columns), axis=-1)
    everywhere = model.at(found, np.arange(height), np.arange(width))
    return everywhere.astype(np.float32)


@dataclass(frozen=True)
class _Model:
    """v(x, y) = Σ_b hat_b(y) (α_b + β_b x): what `found` (2, bands, 2) holds are α and β."""

    hats: Floats
    """(h, bands): how much each band has to say at a row."""
    across: Floats
    """(w,): -1 to 1."""
    cost: Floats
    """(2·bands, 2·bands): what it costs to bend from band to band."""

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, height: int, width: int) -> _Model:
        """The one for pictures of that size."""
        across = 2 * np.arange(width) / max(1, width - 1) - 1
        down = (_BANDS - 1) * np.arange(height) / max(1, height - 1)
        hats = np.maximum(0, 1 - np.abs(down[:, None] - np.arange(_BANDS)))
        bend = np.diff(np.eye(_BANDS), 2, axis=0)
        slope = np.diff(np.eye(_BANDS), axis=0)
        cost = 0.01 * bend.T @ bend + 0.0005 * slope.T @ slope
        # The little on the diagonal keeps parts solvable that no pixel sees, as in a single row.
        smooth = np.kron(np.eye(2), cost) + 1e-9 * np.eye(2 * _BANDS)
        smooth[_BANDS:, _BANDS:] += 0.003 * slope.T @ slope
        return cls(hats, across, smooth)

    def fitted(
        self, vectors: Floats, share: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> Floats:
        """(2, bands, 2): what explains `vectors` (r, c, 2) there best, each by its `share` (r, c).

        As hats depend on the row alone, a row's pixels come in by their sums: the cost is that of
        reading them.
        """
        hats, across = self.hats[rows], self.across[columns]
        powers = np.stack([np.ones_like(across), across, across**2])
        still, once, twice = (share @ powers.T).T
        blocks = [(hats.T * sums) @ hats for sums in (still, once, twice)]
        normal = np.block([[blocks[0], blocks[1]], [blocks[1], blocks[2]]])
        sums = np.moveaxis(share[..., None] * vectors, -1, 0) @ powers[:2].T
        wanted = np.einsum("rb,ark->kba", hats, sums).reshape(2 * _BANDS, 2)
        found = np.linalg.solve(normal + self.cost * share.sum(), wanted)
        return found.reshape(2, _BANDS, 2)

    def at(self, found: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        """(r, c, 2): the motion there."""
        still, slopes = (np.einsum("rb,ba->ra", self.hats[rows], part) for part in found)
        return still[:, None] + slopes[:, None] * self.across[columns][:, None]


@lru_cache(maxsize=2)
def near_border(height: int, width: int) -> FloatMap:
    """(h, w), 0.05 to 1.05: how near a pixel is to the left and right border, or to the upper."""
    grid = pixel_grid(height, width)
    sides = np.minimum(grid[..., 0], width - 1 - grid[..., 0])
    distance = np.minimum(sides, 4 * grid[..., 1]) / min(height, width)
    return (np.exp(-((distance / 0.15) ** 2)) + 0.05).astype(np.float32)


def weighted_median(values: NDArray[np.floating], weights: NDArray[np.floating]) -> float:
    """The value below which half of the weight lies."""
    order = np.argsort(values, axis=None)
    total = np.cumsum(weights.ravel()[order])
    return float(values.ravel()[order][np.searchsorted(total, total[-1] / 2)])
