"""Which pixels move on their own, and which follow the camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow, pixel_grid
from fresco_engine.correspondence.warp import warp_image

FloatMap = NDArray[np.float32]

_MOVES = 0.004
"""Motion beyond the camera's, as a share of the short side, that is an object's own."""
_TEXTURE = 1.8
"""Grey levels per pixel at which flow is believed by half."""
_STEEP = 5.0
"""Grey levels per pixel beyond which more slope holds flow no better."""
_CHANGE = 25.0
"""Difference of colours, of 255, at which they hardly are the same thing's."""
_KEPT = np.float32(0.85)
"""Share of a sign that reaches the next frame."""
_BANDS = 6
"""Heights at which the camera's motion has a value of its own: depth changes mostly upwards."""


@dataclass(frozen=True)
class Signs:
    """What flow tells of f frames."""

    moves: FloatMap
    """(f, h, w), 0 to 2: own motion, in the frame or where the flow brings it from another."""
    rests: FloatMap
    """(f, h, w), 0 or less: how much says that a pixel follows the camera, over all frames."""
    agreed: list[FloatMap]
    """f - 1 maps (h, w), 0-1: how far the flow from frame i to the next is to be believed."""


def read_signs(
    colours: FloatMap, ahead: Sequence[Flow], behind: Sequence[Flow], linked: Sequence[bool]
) -> Signs:
    """The signs in f frames of `colours` (f, h, w, 3), Lab in 8 bits each.

    `ahead[i]` leads from frame i to the next and `behind[i]` back. What is not `linked` is
    not compared, nor is anything carried over it.
    """
    moves = np.zeros(colours.shape[:3], np.float32)
    rests = np.zeros_like(moves)
    held = [_held(picture[..., 0]) for picture in colours]
    agreed: list[FloatMap] = []
    returned: list[FloatMap] = []
    for i, (there, back) in enumerate(zip(ahead, behind, strict=True)):
        trust = np.float32(linked[i])
        agreed.append(trust * _agreement(there, back, colours[i], colours[i + 1]))
        returned.append(trust * _agreement(back, there, colours[i + 1], colours[i]))
        if linked[i]:
            for frame, flow, good in ((i, there, agreed[i]), (i + 1, back, returned[i])):
                odds = own_motion(flow, held[frame] * good)
                moves[frame] = np.maximum(moves[frame], odds)
                rests[frame] += np.minimum(odds, 0)
    earlier, later = rests.copy(), rests.copy()
    for i in range(1, len(moves)):
        trust = _KEPT * returned[i - 1]
        moves[i] = np.maximum(moves[i], trust * warp_image(moves[i - 1], behind[i - 1]))
        earlier[i] += trust * warp_image(earlier[i - 1], behind[i - 1])
    for i in reversed(range(len(moves) - 1)):
        trust = _KEPT * agreed[i]
        moves[i] = np.maximum(moves[i], trust * warp_image(moves[i + 1], ahead[i]))
        later[i] += trust * warp_image(later[i + 1], ahead[i])
    return Signs(moves, earlier + later - rests, agreed)


def own_motion(flow: Flow, trust: FloatMap) -> FloatMap:
    """(h, w), -0.4 to 2: odds that a pixel moves beyond what the camera explains; 0 is undecided.

    `trust` (h, w), 0-1, says how far the flow is to be believed.
    """
    beyond = np.linalg.norm(flow - camera_motion(flow, trust), axis=-1)
    # A fit is never perfect: what it leaves over near the borders is noise.
    noise = _weighted_median(beyond, trust * _near_border(*flow.shape[:2]))
    enough = np.float32(max(_MOVES * min(flow.shape[:2]), 2.5 * noise))
    odds = 2 * np.tanh(1.2 * (beyond / enough - 1))
    # One that stands still may belong to a subject that rests: a weak sign, unlike motion.
    return (np.where(odds > 0, odds, 0.2 * odds) * trust).astype(np.float32)


def camera_motion(flow: Flow, trust: FloatMap) -> Flow:
    """What a moving camera would cause, fitted from the borders inwards.

    Linear in x, piecewise linear in y: ground, walls and sky at different distances pass at
    different speeds. The subject seldom fills the borders left and right, so these count most,
    the upper one less. Robust by a Geman-McClure weight whose scale falls from round to round.
    """
    height, width = flow.shape[:2]
    step = max(1, min(height, width) // 48)
    some = np.s_[step // 2 :: step, step // 2 :: step]
    # Flat areas have little to say, yet more than a textured subject amidst them.
    weights = (_near_border(height, width) * np.maximum(trust, 0.1))[some].ravel().astype(float)
    parts, smooth = _model(height, width)
    basis = parts.reshape(height, width, -1)[some].reshape(len(weights), -1)
    vectors = flow[some].reshape(-1, 2).astype(float)
    middle = [_weighted_median(vectors[:, axis], weights) for axis in (0, 1)]
    distance = np.linalg.norm(vectors - middle, axis=1)
    found = np.zeros((parts.shape[1], 2))
    for spread in np.geomspace(6, 1.5, 10):
        scale = max(0.002 * min(height, width), spread * _weighted_median(distance, weights))
        share = weights / (1 + (distance / scale) ** 2) ** 2
        weighted = basis * share[:, None]
        # Not as products of matrices: BLAS wakes threads for these, which costs more than the sums.
        normal = np.einsum("pi,pj->ij", basis, weighted) + smooth * share.sum()
        found = np.linalg.solve(normal, np.einsum("pi,pa->ia", weighted, vectors))
        distance = np.linalg.norm(vectors - np.einsum("pi,ia->pa", basis, found), axis=1)
    fitted = np.einsum("pi,ia->pa", parts, found)
    return fitted.reshape(flow.shape).astype(np.float32)


@lru_cache(maxsize=2)
def _model(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(h·w, 2·bands) values of the model's parts, and the cost of bending from band to band."""
    grid = pixel_grid(height, width).reshape(-1, 2).astype(np.float64)
    across = 2 * grid[:, 0] / max(1, width - 1) - 1
    down = (_BANDS - 1) * grid[:, 1] / max(1, height - 1)
    hats = np.maximum(0, 1 - np.abs(down[:, None] - np.arange(_BANDS)))
    bend = np.diff(np.eye(_BANDS), 2, axis=0)
    slope = np.diff(np.eye(_BANDS), axis=0)
    cost = 0.01 * bend.T @ bend + 0.0005 * slope.T @ slope
    # The little on the diagonal keeps parts solvable that no pixel sees, as in a single row.
    smooth = np.kron(np.eye(2), cost) + 1e-9 * np.eye(2 * _BANDS)
    smooth[_BANDS:, _BANDS:] += 0.003 * slope.T @ slope
    return np.hstack([hats, hats * across[:, None]]), smooth


@lru_cache(maxsize=2)
def _near_border(height: int, width: int) -> FloatMap:
    """(h, w), 0.05 to 1.05: how near a pixel is to the left and right border, or to the upper."""
    grid = pixel_grid(height, width)
    sides = np.minimum(grid[..., 0], width - 1 - grid[..., 0])
    distance = np.minimum(sides, 4 * grid[..., 1]) / min(height, width)
    return (np.exp(-((distance / 0.15) ** 2)) + 0.05).astype(np.float32)


def _held(light: FloatMap) -> FloatMap:
    """(h, w), 0-1: how well flow is held by the slopes around each pixel."""
    across = cv2.Sobel(light, cv2.CV_32F, 1, 0) / 8
    down = cv2.Sobel(light, cv2.CV_32F, 0, 1) / 8
    # Cut off, or the outline of a subject lends its motion to the flat wall beside it.
    slope = np.minimum(np.sqrt(across**2 + down**2), _STEEP)
    near = cv2.GaussianBlur(slope, (0, 0), 1.5) ** 2
    return (near / (near + _TEXTURE**2)).astype(np.float32)


def _agreement(flow: Flow, back: Flow, first: FloatMap, second: FloatMap) -> FloatMap:
    """(h, w), 0-1: whether a flow leads back, and to the colour (h, w, 3) that it left."""
    error = np.linalg.norm(flow + warp_image(back, flow), axis=-1)
    allowed = 0.01 * min(flow.shape[:2]) + 0.1 * np.linalg.norm(flow, axis=-1)
    change = np.linalg.norm(warp_image(second, flow) - first, axis=-1)
    change = cv2.GaussianBlur(change, (0, 0), 1)
    return np.exp(-((error / allowed) ** 2) - (change / _CHANGE) ** 2).astype(np.float32)


def _weighted_median(values: NDArray[np.floating], weights: NDArray[np.floating]) -> float:
    order = np.argsort(values, axis=None, kind="stable")
    total = np.cumsum(weights.ravel()[order])
    return float(values.ravel()[order][np.searchsorted(total, total[-1] / 2)])
