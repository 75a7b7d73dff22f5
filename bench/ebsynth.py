"""Guided patch synthesis as published, run to convergence: what ours is held against.

One thread, one pixel after the other in scan order, random start on the smallest level of the
pyramid, every level searched from all of the key: the plain algorithm of *Stylizing Animation by
Example* and *Fast Example-Based Stylization with Local Guidance* with the weights that FRESCO
takes. Nothing here knows of flow but the guides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from fresco_engine.correspondence.flow import DisFlow, pixel_grid
from fresco_engine.correspondence.warp import warp_image
from fresco_engine.interpolation.flows import trace_key
from fresco_media.types import Image
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float32]
Whole = NDArray[np.int32]

RADIUS = 2
SMALLEST = 24
UNIFORMITY = 3500.0
COLOUR, EDGE, TEMPORAL, POSITION = 6.0, 0.5, 0.5, 2.0


@dataclass(frozen=True)
class Guide:
    """One guide as the key and the frame have it (h, w, channels) in 0-255, and its weight."""

    source: Array
    target: Array
    weight: float


def carry_key(sources: Sequence[Image], style: Image) -> list[tuple[Image, Array]]:
    """The frames between, made from the key of the first source one after the other."""
    estimator = DisFlow()
    steps = [estimator(after, before) for before, after in pairwise(sources)]
    height, width = style.shape[:2]
    grid = pixel_grid(height, width)
    span = np.array([255 / width, 255 / height], np.float32)
    before, made = style, []
    for source, step, seen in zip(
        sources[1:-1], steps, trace_key(sources, steps, estimator), strict=False
    ):
        guides = [
            Guide(sources[0].astype(np.float32), source.astype(np.float32), COLOUR),
            Guide(edges(sources[0]), edges(source), EDGE),
            Guide(style.astype(np.float32), warp_image(before, step), TEMPORAL),
            Guide(grid * span, (grid + seen.flow) * span, POSITION),
        ]
        before, error = synthesise(style, guides)
        made.append((before, error))
    return made


def edges(image: Image) -> Array:
    """Where the picture differs from its surroundings, about 128."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)
    detail = 128 + 2 * (grey - cv2.GaussianBlur(grey, (0, 0), 2))
    return np.clip(detail, 0, 255)[..., None]


def synthesise(
    style: Image, guides: list[Guide], votes: int = 12, searches: int = 6
) -> tuple[Image, Array]:
    """The picture that looks like `style` and follows the guides, and its error per pixel."""
    source = np.concatenate([g.source * (g.weight / g.source.shape[-1]) ** 0.5 for g in guides], -1)
    target = np.concatenate([g.target * (g.weight / g.target.shape[-1]) ** 0.5 for g in guides], -1)
    own = style.astype(np.float32) * 3**-0.5
    height, width = style.shape[:2]
    levels = 0
    while min(height, width) >> (levels + 1) >= SMALLEST:
        levels += 1
    field = np.empty((0, 0, 2), np.int32)
    error = image = np.empty(0, np.float32)
    for level in range(levels, -1, -1):
        size = (width >> level, height >> level)
        parts = [cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in (own, source, target)]
        small, source_guide, target_guide = (np.ascontiguousarray(x, np.float32) for x in parts)
        field = _start(size, level) if level == levels else _enlarge(field, size)
        image = _vote(small, field)
        for vote in range(votes):
            error = _search(
                small, source_guide, image, target_guide, field, searches, 31 * vote + level
            )
            image = _vote(small, field)
    result = np.rint(np.clip(image * 3**0.5, 0, 255)).astype(np.uint8)
    return result, np.asarray(error, np.float32)


def _start(size: tuple[int, int], seed: int) -> NDArray[np.int32]:
    width, height = size
    random = np.random.default_rng(seed)
    y = random.integers(RADIUS, height - RADIUS, (height, width))
    x = random.integers(RADIUS, width - RADIUS, (height, width))
    return np.stack([y, x], -1).astype(np.int32)


def _enlarge(field: NDArray[np.int32], size: tuple[int, int]) -> NDArray[np.int32]:
    width, height = size
    y, x = np.mgrid[:height, :width]
    parent = np.minimum(y // 2, field.shape[0] - 1), np.minimum(x // 2, field.shape[1] - 1)
    large = 2 * field[parent] + np.stack([y % 2, x % 2], -1)
    limit = [height - 1 - RADIUS, width - 1 - RADIUS]
    return np.clip(large, RADIUS, limit).astype(np.int32)


@njit(cache=False)
def _cost(
    style: Array,
    source: Array,
    image: Array,
    target: Array,
    y: Any,
    x: Any,
    sy: Any,
    sx: Any,
    limit: Any,
) -> Any:
    height, width, guides = target.shape
    total = np.float32(0)
    for dy in range(-RADIUS, RADIUS + 1):
        ty = min(max(y + dy, 0), height - 1)
        for dx in range(-RADIUS, RADIUS + 1):
            tx = min(max(x + dx, 0), width - 1)
            for c in range(3):
                d = style[sy + dy, sx + dx, c] - image[ty, tx, c]
                total += d * d
            for c in range(guides):
                d = source[sy + dy, sx + dx, c] - target[ty, tx, c]
                total += d * d
        if total > limit:
            return total
    return total


@njit(cache=False)
def _count(counts: Whole, sy: Any, sx: Any, step: int) -> None:
    for dy in range(-RADIUS, RADIUS + 1):
        for dx in range(-RADIUS, RADIUS + 1):
            counts[sy + dy, sx + dx] += step


@njit(cache=False)
def _crowd(counts: Whole, sy: Any, sx: Any) -> Any:
    total = 0
    for dy in range(-RADIUS, RADIUS + 1):
        for dx in range(-RADIUS, RADIUS + 1):
            total += counts[sy + dy, sx + dx]
    return total / 625.0


@njit(cache=False)
def _search(
    style: Array,
    source: Array,
    image: Array,
    target: Array,
    field: Whole,
    searches: int,
    seed: int,
) -> Array:
    np.random.seed(seed)
    height, width = field.shape[:2]
    counts = np.zeros((height, width), np.int32)
    costs = np.empty((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            sy, sx = field[y, x]
            _count(counts, sy, sx, 1)
            costs[y, x] = _cost(style, source, image, target, y, x, sy, sx, np.inf)
    for turn in range(searches):
        step = 1 if turn % 2 == 0 else -1
        for row in range(height):
            y = row if step == 1 else height - 1 - row
            for column in range(width):
                x = column if step == 1 else width - 1 - column
                for side in range(2):
                    py, px = (y - step, x) if side == 0 else (y, x - step)
                    if 0 <= py < height and 0 <= px < width:
                        ny, nx = field[py, px, 0] + y - py, field[py, px, 1] + x - px
                        _try(style, source, image, target, field, costs, counts, y, x, ny, nx)
                radius = max(height, width) // 2
                while radius >= 1:
                    ny = field[y, x, 0] + np.random.randint(-radius, radius + 1)
                    nx = field[y, x, 1] + np.random.randint(-radius, radius + 1)
                    _try(style, source, image, target, field, costs, counts, y, x, ny, nx)
                    radius //= 2
    return costs


@njit(cache=False)
def _try(
    style: Array,
    source: Array,
    image: Array,
    target: Array,
    field: Whole,
    costs: Array,
    counts: Whole,
    y: Any,
    x: Any,
    ny: Any,
    nx: Any,
) -> None:
    height, width = field.shape[:2]
    if not (RADIUS <= ny < height - RADIUS and RADIUS <= nx < width - RADIUS):
        return
    sy, sx = field[y, x]
    if ny == sy and nx == sx:
        return
    held = costs[y, x] + UNIFORMITY * _crowd(counts, sy, sx)
    crowd = UNIFORMITY * _crowd(counts, ny, nx)
    if crowd >= held:
        return
    cost = _cost(style, source, image, target, y, x, ny, nx, held - crowd)
    if cost + crowd < held:
        _count(counts, sy, sx, -1)
        _count(counts, ny, nx, 1)
        field[y, x, 0], field[y, x, 1] = ny, nx
        costs[y, x] = cost


@njit(cache=False)
def _vote(style: Array, field: Whole) -> Array:
    height, width = field.shape[:2]
    image = np.zeros((height, width, 3), np.float32)
    for y in range(height):
        for x in range(width):
            votes = 0
            for dy in range(-RADIUS, RADIUS + 1):
                for dx in range(-RADIUS, RADIUS + 1):
                    qy, qx = y - dy, x - dx
                    if 0 <= qy < height and 0 <= qx < width:
                        votes += 1
                        for c in range(3):
                            image[y, x, c] += style[field[qy, qx, 0] + dy, field[qy, qx, 1] + dx, c]
            for c in range(3):
                image[y, x, c] /= votes
    return image
