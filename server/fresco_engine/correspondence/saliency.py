"""Foreground without a network: what moves against the camera, and what is coloured like it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow, pixel_grid
from fresco_engine.correspondence.warp import warp_image

FloatMap = NDArray[np.float32]
BoolMap = NDArray[np.bool_]

_SHORT_SIDE = 192
_BINS = 12
_MOVES = 0.008
"""Residual motion, as a share of the short side, that surely is an object's own."""
_FADES = np.float32(0.4)
"""What motion loses from frame to frame: sure motion reaches two frames, or three of its colour."""


def foreground_mask(
    frames: Sequence[Image], forward: Sequence[Flow], backward: Sequence[Flow]
) -> BoolMap:
    """(f, h, w) bool, True where a frame shows something that moves on its own.

    `forward[i]` leads from frame i to the next, `backward[i]` back from there: f - 1 each.
    Motion that a moving camera explains is taken out. What moves in one frame is foreground in
    its neighbours too, and colours that move more often than not raise the odds of a pixel, the
    others lower them. A batch in which nothing moves has no foreground.
    """
    height, width = frames[0].shape[:2]
    if len(frames) == 1:
        return np.zeros((1, height, width), np.bool_)
    scale = min(1.0, _SHORT_SIDE / min(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pictures = np.stack(
        [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
    ).astype(np.uint8)
    ahead = [_shrink(flow, size, scale) for flow in forward]
    behind = [_shrink(flow, size, scale) for flow in backward]
    motion = _carried(_motion_per_frame(ahead, behind), ahead, behind)
    colour = _colour_odds(pictures, motion)
    masks = [_clean(m + c, size) for m, c in zip(motion, colour, strict=True)]
    return np.stack([_enlarge(mask, (width, height)) for mask in masks])


def _motion_per_frame(ahead: Sequence[Flow], behind: Sequence[Flow]) -> list[FloatMap]:
    """Own motion of each frame against its neighbours, the more certain of both."""
    to_next = [_own_motion(flow) for flow in ahead]
    to_previous = [_own_motion(flow) for flow in behind]
    between = [np.maximum(a, b) for a, b in zip(to_next[1:], to_previous[:-1], strict=True)]
    return [to_next[0], *between, to_previous[-1]]


def _carried(
    motion: list[FloatMap], ahead: Sequence[Flow], behind: Sequence[Flow]
) -> NDArray[np.float32]:
    """(f, h, w): each frame's motion, or what the flow brings from its neighbours if more."""
    carried = list(motion)
    for i in range(1, len(carried)):
        brought = warp_image(carried[i - 1], behind[i - 1]) - _FADES
        carried[i] = np.maximum(carried[i], brought)
    for i in reversed(range(len(carried) - 1)):
        brought = warp_image(carried[i + 1], ahead[i]) - _FADES
        carried[i] = np.maximum(carried[i], brought)
    return np.stack(carried).astype(np.float32)


def _shrink(flow: Flow, size: tuple[int, int], scale: float) -> Flow:
    small = cv2.resize(flow, size, interpolation=cv2.INTER_AREA) * np.float32(scale)
    return np.asarray(small, np.float32)


def _enlarge(mask: BoolMap, size: tuple[int, int]) -> BoolMap:
    smooth = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return smooth > 0.5


def _own_motion(flow: Flow) -> FloatMap:
    """(h, w), -1 to 1: how much a pixel moves beyond the camera's motion; 0 is undecided."""
    residual = np.linalg.norm(flow - _camera_motion(flow), axis=-1)
    # A fit is never perfect: what the quieter half of the picture leaves over is noise.
    noise = 3 * float(np.median(residual))
    enough = max(_MOVES * min(flow.shape[:2]), noise)
    return np.tanh(1.5 * (residual / np.float32(enough) - 1)).astype(np.float32)


def _camera_motion(flow: Flow) -> Flow:
    """The flow a camera turning or passing a plane would cause, fitted robustly."""
    grid = pixel_grid(*flow.shape[:2])
    step = max(1, min(flow.shape[:2]) // 32)
    begins = grid[step // 2 :: step, step // 2 :: step].reshape(-1, 2)
    ends = (grid + flow)[step // 2 :: step, step // 2 :: step].reshape(-1, 2)
    still = np.zeros_like(flow)
    if len(begins) < 16:
        return still
    limit = max(0.3, 0.003 * min(flow.shape[:2]))
    cv2.setRNGSeed(0)
    matrix, _ = cv2.findHomography(begins, ends, cv2.RANSAC, limit, maxIters=500)
    if matrix is None or not np.isfinite(matrix).all():
        return still
    moved = cv2.perspectiveTransform(grid.reshape(-1, 1, 2), matrix).reshape(grid.shape)
    return (moved - grid).astype(np.float32)


def _colour_odds(pictures: NDArray[np.uint8], motion: FloatMap) -> FloatMap:
    """(f, h, w), -0.6 to 0.6: whether a pixel's colour belongs to what moves, over all frames."""
    lab = np.stack([cv2.cvtColor(p, cv2.COLOR_RGB2LAB) for p in pictures])
    cells = (lab.astype(np.int64) * _BINS) // 256
    keys = (cells[..., 0] * _BINS + cells[..., 1]) * _BINS + cells[..., 2]
    moving = np.bincount(keys.ravel(), (motion > 0).ravel(), minlength=_BINS**3)
    seen = np.bincount(keys.ravel(), minlength=_BINS**3)
    if not moving.any():
        return np.zeros_like(motion)
    usual = moving.sum() / seen.sum()
    # Rare colours say little: pull their share towards the usual one.
    share = (moving + 20 * usual) / (seen + 20)
    odds = np.log((share + 0.01) / (usual + 0.01))
    return (0.6 * np.tanh(odds))[keys].astype(np.float32)


def _clean(evidence: FloatMap, size: tuple[int, int]) -> BoolMap:
    """The evidence smoothed and cut at 0, without specks and pinholes."""
    smooth = cv2.GaussianBlur(evidence, (0, 0), 2.0)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    opened = cv2.morphologyEx((smooth > 0).astype(np.uint8), cv2.MORPH_OPEN, disc)
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, disc)
    smallest = 0.002 * size[0] * size[1]
    mask = _without_specks(np.asarray(closed, np.uint8), smallest)
    return _without_specks(1 - mask, smallest) == 0


def _without_specks(mask: NDArray[np.uint8], smallest: float) -> NDArray[np.uint8]:
    """`mask` without its connected parts of fewer than `smallest` pixels."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    is_kept = np.asarray(statistics[:, cv2.CC_STAT_AREA] >= smallest)
    is_kept[0] = False
    return is_kept[np.asarray(labels, np.int32)].astype(np.uint8)
