"""Which pixels move on their own, and which follow the camera."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow, pixel_grid
from fresco_engine.correspondence.warp import warp_image

FloatMap = NDArray[np.float32]

SL, TOP, FLOOR = 0.003, 4.0, 0.1
_BANDS = 6
"""Heights at which the camera's motion has a value of its own: depth changes mostly upwards."""
_MOVES = 0.006
"""Motion beyond the camera's, as a share of the short side, that is an object's own."""
_TEXTURE = 1.8
"""Grey levels per pixel at which flow is believed by half."""
_STEEP = 5.0
"""Grey levels per pixel beyond which more slope holds flow no better."""
_CHANGE = 25.0
"""Difference of colours, of 255, at which they hardly are the same thing's."""


def own_motion(flow: Flow, slopes: Flow, agreed: FloatMap) -> FloatMap:
    """(h, w), -0.4 to 2: odds that a pixel moves beyond what the camera explains.

    0 is undecided, as is what has no slope or is not `agreed` (0-1). `slopes` are of `slopes_of`.
    """
    steep = _held(np.linalg.norm(slopes, axis=-1))
    camera = camera_motion(flow, steep * agreed)
    beyond = np.linalg.norm(flow - camera, axis=-1)
    noise = _weighted_median(beyond, steep * agreed * _near_border(*flow.shape[:2]))
    enough = max(_MOVES * min(flow.shape[:2]), 2.5 * noise)
    odds = 2 * np.tanh(1.2 * (beyond / np.float32(enough) - 1))
    # One that stands still may belong to a subject that rests: a weak sign, unlike motion.
    signs = np.where(odds > 0, odds, 0.2 * odds) * steep
    return (signs * agreed).astype(np.float32)


def slopes_of(grey: FloatMap) -> Flow:
    """(h, w, 2): how much `grey` rises to the right and downwards, per pixel."""
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0) / 8
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1) / 8
    return np.stack([across, down], axis=-1)


def _held(slope: FloatMap) -> FloatMap:
    """(h, w), 0-1: how well flow is held by the slopes around each pixel."""
    # Cut off, or the outline of a subject lends its motion to the flat wall beside it.
    near = cv2.GaussianBlur(np.minimum(slope, _STEEP), (0, 0), 1.5) ** 2
    return (near / (near + _TEXTURE**2)).astype(np.float32)


def agreement(flow: Flow, back: Flow, first: FloatMap, second: FloatMap) -> FloatMap:
    """(h, w), 0 to 1: whether a flow leads back and to the colour (h, w, 3) it left."""
    error = np.linalg.norm(flow + warp_image(back, flow), axis=-1)
    allowed = 0.01 * min(flow.shape[:2]) + 0.1 * np.linalg.norm(flow, axis=-1)
    change = cv2.GaussianBlur(np.linalg.norm(warp_image(second, flow) - first, axis=-1), (0, 0), 1)
    return np.exp(-((error / allowed) ** 2) - (change / _CHANGE) ** 2).astype(np.float32)


def camera_motion(flow: Flow, trust: FloatMap) -> Flow:
    """What a moving camera would cause, from the borders inwards, fitted robustly.

    Linear in x, piecewise linear in y: a ground, walls and a sky at different distances pass at
    different speeds. The subject seldom fills the left, right and upper border, so these count most.
    """
    height, width = flow.shape[:2]
    step = max(1, min(height, width) // 48)
    some = np.s_[step // 2 :: step, step // 2 :: step]
    weights = (_near_border(height, width) * np.maximum(trust, FLOOR))[some].ravel()
    weights = weights.astype(np.float64)
    everywhere, smooth = _basis(height, width)
    basis = everywhere.reshape(height, width, -1)[some].reshape(len(weights), -1)
    vectors = flow[some].reshape(-1, 2).astype(np.float64)
    middle = np.array([_weighted_median(vectors[:, axis], weights) for axis in (0, 1)])
    fitted = np.broadcast_to(middle, vectors.shape)
    for spread in np.geomspace(6, 1.5, 10):
        distance = np.linalg.norm(vectors - fitted, axis=1)
        scale = max(0.002 * min(height, width), spread * _weighted_median(distance, weights))
        share = weights / (1 + (distance / scale) ** 2) ** 2
        weighted = basis * share[:, None]
        normal = basis.T @ weighted + smooth * share.sum()
        parts = np.linalg.solve(normal, weighted.T @ vectors)
        fitted = basis @ parts
    return (everywhere @ parts).reshape(flow.shape).astype(np.float32)


@lru_cache(maxsize=2)
def _basis(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(h·w, 2·bands) values of the model's parts, and the cost of bending from band to band."""
    grid = pixel_grid(height, width).reshape(-1, 2).astype(np.float64)
    across = 2 * grid[:, 0] / max(1, width - 1) - 1
    down = (_BANDS - 1) * grid[:, 1] / max(1, height - 1)
    hats = np.maximum(0, 1 - np.abs(down[:, None] - np.arange(_BANDS)))
    bend = np.diff(np.eye(_BANDS), 2, axis=0)
    slope = np.diff(np.eye(_BANDS), axis=0)
    cost = 0.01 * bend.T @ bend + 0.0005 * slope.T @ slope
    smooth = np.kron(np.eye(2), cost) + 1e-9 * np.eye(2 * _BANDS)
    smooth[_BANDS:, _BANDS:] += SL * slope.T @ slope
    return np.hstack([hats, hats * across[:, None]]), smooth


@lru_cache(maxsize=2)
def _near_border(height: int, width: int) -> FloatMap:
    """(h, w), 0.05 to 1.05: how near a pixel is to the left, right or upper border."""
    grid = pixel_grid(height, width)
    x = grid[..., 0]
    distance = np.minimum(np.minimum(x, width - 1 - x), TOP * grid[..., 1]) / min(height, width)
    return (np.exp(-((distance / 0.15) ** 2)) + 0.05).astype(np.float32)


def _weighted_median(values: NDArray[np.floating], weights: NDArray[np.floating]) -> float:
    order = np.argsort(values, axis=None, kind="stable")
    total = np.cumsum(weights.ravel()[order])
    return float(values.ravel()[order][np.searchsorted(total, total[-1] / 2)])
