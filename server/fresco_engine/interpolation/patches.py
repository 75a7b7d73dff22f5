"""Searching for the patches of a key that fit a frame best, and painting with them.

A *field* says for every pixel of the frame which place of the source its patch comes from. The
source is two pictures side by side (h, 2w): the key as it is, and the key as flow carries it to
the frame. All arithmetic is in whole numbers, so every implementation gives the same field.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_engine.interpolation.compiled import compiled
from fresco_engine.types import Image

RADIUS = 2
SIDE = 2 * RADIUS + 1
CHANNELS = 8
STYLE = 4
"""The first of the three channels that hold the stylised picture."""
FAR = np.int32(2**30)
"""A cost above all that occur."""
ENOUGH = 1500
"""A cost that needs no improvement: colours that differ by four levels of a byte."""
FRACTION = 4
"""Positions are counted in quarters of a pixel."""

Whole = Any
"""An int to Python, a machine word where it is compiled."""

Field = NDArray[np.int32]
"""(h, w): y * 2w + x of the patch's centre in the source."""
Costs = NDArray[np.int32]
"""(h, w): weighted squared differences, summed over the patch."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """What a search is about, on one level of the pyramid.

    Channels are scaled so that a difference counts as its guide's weight says. `position` is the
    place in the key that a place of the source shows, `wanted` the one that flow predicts for a
    pixel of the frame; `position_weight` is what a whole pixel squared costs. `crowding` is what
    a patch costs per surplus use of its pixels.
    """

    target: NDArray[np.uint8]  # h w 8
    source: NDArray[np.uint8]  # h 2w 8
    style: Image  # h 2w 3
    position: NDArray[np.int16]  # h 2w 2, (y, x) in quarters of a pixel
    wanted: NDArray[np.int16]  # h w 2
    position_weight: int
    crowding: int
    style_levels: NDArray[np.uint8]  # 256: a style value as its channel holds it
    temporal: Image | None  # h w 3, the frame before as it is expected here
    temporal_share: int  # of 256
    pixels: NDArray[np.int32]  # whose patches are searched, y * w + x, none near the border
    painted: NDArray[np.int32]  # whose colours these patches decide

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the frame."""
        return self.target.shape[0], self.target.shape[1]


class Search(Protocol):
    """A search under way."""

    def consider(self, field: Field) -> None:
        """Take over from `field` what fits better than what is held."""
        ...

    def improve(self, stride: int, radii: tuple[int, ...], seed: int) -> None:
        """Let every pixel try its four neighbours' patches and random places around its own."""
        ...

    def paint(self) -> None:
        """Average the patches into the picture, which the costs then refer to."""
        ...

    def result(self) -> tuple[Field, Costs, Image]:
        """The field, what it costs, and the picture."""
        ...


class Patches(Protocol):
    """Where searches are carried out."""

    def begin(self, problem: Problem, field: Field, picture: Image) -> Search:
        """A search that starts from `field` and from `picture` (h, w, 3)."""
        ...


class CpuPatches:
    """Searches on the processor; `threads` share the pixels of every search."""

    def __init__(self, threads: Executor | None = None, shares: int = 1) -> None:
        self._threads = threads
        self._shares = shares if threads is not None else 1

    def begin(self, problem: Problem, field: Field, picture: Image) -> Search:
        """A search that starts from `field` and from `picture` (h, w, 3)."""
        return _CpuSearch(problem, field, picture, self)

    def spread(self, kernel: Callable[..., None], count: int, *arguments: object) -> None:
        """Run `kernel(*arguments, begin, end)` over `count` pixels."""
        edges = np.linspace(0, count, self._shares + 1).astype(int)
        if self._threads is None or count < 4096:
            kernel(*arguments, 0, count)
            return
        jobs = [
            self._threads.submit(kernel, *arguments, int(begin), int(end))
            for begin, end in pairwise(edges)
        ]
        for job in jobs:
            job.result()


class _CpuSearch:
    def __init__(self, problem: Problem, field: Field, picture: Image, owner: CpuPatches) -> None:
        height, width = problem.size
        self._problem, self._owner = problem, owner
        self._field = field.copy()
        self._picture = picture.copy()
        self._target = problem.target.copy()
        self._costs = np.zeros((height, width), np.int32)
        self._valid = valid_centres(height, width)
        self._temporal = picture if problem.temporal is None else problem.temporal
        self._share = 0 if problem.temporal is None else problem.temporal_share
        _mix(self._target, picture, self._temporal, self._share, problem.style_levels)
        self._measure(self._field, self._costs)

    def consider(self, field: Field) -> None:
        """Take over from `field` what fits better than what is held."""
        costs = self._costs.copy()
        self._measure(field, costs)
        is_better = costs < self._costs
        np.copyto(self._field, field, where=is_better)
        np.copyto(self._costs, costs, where=is_better)

    def improve(self, stride: int, radii: tuple[int, ...], seed: int) -> None:
        """Let every pixel try its four neighbours' patches and random places around its own."""
        p = self._problem
        field, costs = self._field.copy(), self._costs.copy()
        self._owner.spread(
            _improve,
            len(p.pixels),
            self._target.ravel(),
            p.source.ravel(),
            p.position.reshape(-1, 2),
            p.wanted.reshape(-1, 2),
            p.position_weight,
            crowds(self._field, p).ravel(),
            self._valid,
            self._field,
            self._costs,
            field,
            costs,
            p.pixels,
            stride,
            np.array(radii, np.int32),
            seed,
        )
        self._field, self._costs = field, costs

    def paint(self) -> None:
        """Average the patches into the picture, which the costs then refer to."""
        p = self._problem
        self._owner.spread(
            _paint,
            len(p.painted),
            p.style.reshape(-1, 3),
            self._field,
            self._picture,
            self._target,
            self._temporal,
            self._share,
            p.style_levels,
            p.painted,
        )
        self._measure(self._field, self._costs)

    def result(self) -> tuple[Field, Costs, Image]:
        """The field, what it costs, and the picture."""
        return self._field, self._costs, self._picture

    def _measure(self, field: Field, costs: Costs) -> None:
        p = self._problem
        self._owner.spread(
            _measure,
            len(p.pixels),
            self._target.ravel(),
            p.source.ravel(),
            p.position.reshape(-1, 2),
            p.wanted.reshape(-1, 2),
            p.position_weight,
            field,
            costs,
            p.pixels,
        )


def valid_centres(height: int, width: int) -> NDArray[np.uint8]:
    """(h * 2w,): 1 where a whole patch of one of the two source pictures can be centred."""
    valid = np.zeros((height, 2, width), np.uint8)
    valid[RADIUS : height - RADIUS, :, RADIUS : width - RADIUS] = 1
    return valid.ravel()


def crowds(field: Field, problem: Problem) -> NDArray[np.int32]:
    """(h, 2w): what a patch centred there costs for being used more often than once a pixel.

    Source: the uniformity term of *Fast Example-Based Stylization with Local Guidance*.
    """
    height, width = problem.size
    inner = np.ascontiguousarray(field[RADIUS : height - RADIUS, RADIUS : width - RADIUS])
    counts = np.bincount(inner.ravel(), minlength=2 * height * width)
    counts = counts.reshape(height, 2 * width).astype(np.float32)
    sums = cv2.boxFilter(counts, -1, (SIDE, SIDE), normalize=False, borderType=cv2.BORDER_CONSTANT)
    surplus = np.maximum(np.rint(sums).astype(np.int32) - SIDE * SIDE, 0)
    return np.minimum(surplus, 100 * SIDE * SIDE) * np.int32(problem.crowding) // (SIDE * SIDE)


@compiled
def _mix(
    target: NDArray[np.uint8],
    picture: Image,
    temporal: Image,
    share: Whole,
    levels: NDArray[np.uint8],
) -> None:
    height, width = picture.shape[:2]
    for y in range(height):
        for x in range(width):
            for c in range(3):
                mixed = (256 - share) * picture[y, x, c] + share * temporal[y, x, c] + 128
                target[y, x, STYLE + c] = levels[mixed >> 8]


@compiled
def _difference(
    target: NDArray[np.uint8],
    source: NDArray[np.uint8],
    here: Whole,
    there: Whole,
    row: Whole,
    source_row: Whole,
    limit: Whole,
) -> Whole:
    """Squared difference of two patches given by the offsets of their first bytes.

    Unsigned offsets and a fixed number of steps let the compiler use vector instructions; row by
    row the sum is given up as soon as it reaches `limit`.
    """
    total = np.int32(0)
    t, s = np.uint64(here), np.uint64(there)
    for _ in range(SIDE):
        for k in range(np.uint64(32)):
            d = np.int32(target[t + k]) - np.int32(source[s + k])
            total += d * d
        for k in range(np.uint64(32), np.uint64(40)):
            d = np.int32(target[t + k]) - np.int32(source[s + k])
            total += d * d
        if total >= limit:
            return total
        t += np.uint64(row)
        s += np.uint64(source_row)
    return total


@compiled
def _misplacement(
    position: NDArray[np.int16],
    wanted: NDArray[np.int16],
    weight: Whole,
    place: Whole,
    pixel: Whole,
) -> Whole:
    """What it costs that `place` shows another part of the key than flow predicts for `pixel`."""
    y = np.int64(position[place, 0]) - np.int64(wanted[pixel, 0])
    x = np.int64(position[place, 1]) - np.int64(wanted[pixel, 1])
    return min(weight * (y * y + x * x) >> 8, np.int64(1 << 28))


@compiled
def _measure(
    target: NDArray[np.uint8],
    source: NDArray[np.uint8],
    position: NDArray[np.int16],
    wanted: NDArray[np.int16],
    weight: Whole,
    field: Field,
    costs: Costs,
    pixels: NDArray[np.int32],
    begin: Whole,
    end: Whole,
) -> None:
    width = field.shape[1]
    row = width * CHANNELS
    for i in range(begin, end):
        pixel = pixels[i]
        y, x = pixel // width, pixel % width
        place = field[y, x]
        here = (pixel - RADIUS * width - RADIUS) * CHANNELS
        there = (place - 2 * RADIUS * width - RADIUS) * CHANNELS
        costs[y, x] = _difference(target, source, here, there, row, 2 * row, FAR) + _misplacement(
            position, wanted, weight, place, pixel
        )


@compiled
def scrambled(value: Whole) -> Whole:
    """A whole number of 32 bits that looks random (the finaliser of a common integer hash)."""
    x = np.uint32(value)
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D))
    x = np.uint32((x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B))
    return x ^ (x >> np.uint32(16))


@compiled
def _candidate(
    field: Field,
    y: Whole,
    x: Whole,
    held: Whole,
    number: Whole,
    stride: Whole,
    radii: NDArray[np.int32],
    seed: Whole,
) -> Whole:
    """The place to try as the `number`th, or -1 if there is none."""
    height, width = field.shape
    if number < 4:
        down = (stride, -stride, 0, 0)[number]
        right = (0, 0, stride, -stride)[number]
        ny, nx = y + down, x + right
        if not (RADIUS <= ny < height - RADIUS and RADIUS <= nx < width - RADIUS):
            return -1
        return field[ny, nx] - down * 2 * width - right
    reach = radii[number - 4]
    span = np.uint32(2 * reach + 1)
    first = scrambled((y * width + x) * 64 + number + seed * 7919)
    down = np.int64(first % span) - reach
    right = np.int64(scrambled(first) % span) - reach
    row, column = held // (2 * width) + down, held % width + right
    if not (0 <= row < height and 0 <= column < width):
        return -1
    return held + down * 2 * width + right


@compiled
def _improve(
    target: NDArray[np.uint8],
    source: NDArray[np.uint8],
    position: NDArray[np.int16],
    wanted: NDArray[np.int16],
    weight: Whole,
    crowd: NDArray[np.int32],
    valid: NDArray[np.uint8],
    field: Field,
    costs: Costs,
    new_field: Field,
    new_costs: Costs,
    pixels: NDArray[np.int32],
    stride: Whole,
    radii: NDArray[np.int32],
    seed: Whole,
    begin: Whole,
    end: Whole,
) -> None:
    width = field.shape[1]
    row = width * CHANNELS
    for i in range(begin, end):
        pixel = pixels[i]
        y, x = pixel // width, pixel % width
        here = (pixel - RADIUS * width - RADIUS) * CHANNELS
        held = np.int64(field[y, x])
        cost = np.int64(costs[y, x])
        best = cost + crowd[held]
        for number in range(0 if best <= ENOUGH else 4 + radii.size):
            place = _candidate(field, y, x, held, number, stride, radii, seed)
            if place < 0 or place == held or place >= valid.size or valid[place] == 0:
                continue
            extra = _misplacement(position, wanted, weight, place, pixel)
            limit = best - crowd[place] - extra
            if limit <= 0:
                continue
            there = (place - 2 * RADIUS * width - RADIUS) * CHANNELS
            found = _difference(target, source, here, there, row, 2 * row, limit)
            if found < limit:
                held, cost = np.int64(place), np.int64(found + extra)
                best = cost + crowd[place]
        new_field[y, x] = held
        new_costs[y, x] = cost


@compiled
def _paint(
    style: NDArray[np.uint8],
    field: Field,
    picture: Image,
    target: NDArray[np.uint8],
    temporal: Image,
    share: Whole,
    levels: NDArray[np.uint8],
    painted: NDArray[np.int32],
    begin: Whole,
    end: Whole,
) -> None:
    height, width = field.shape
    for i in range(begin, end):
        y, x = painted[i] // width, painted[i] % width
        red = green = blue = count = 0
        for down in range(max(-RADIUS, RADIUS - y), min(RADIUS, height - 1 - RADIUS - y) + 1):
            for right in range(max(-RADIUS, RADIUS - x), min(RADIUS, width - 1 - RADIUS - x) + 1):
                place = np.uint64(field[y + down, x + right] - down * 2 * width - right)
                red += style[place, 0]
                green += style[place, 1]
                blue += style[place, 2]
                count += 1
        colours = (red, green, blue)
        for c in range(3):
            value = (colours[c] + count // 2) // count
            picture[y, x, c] = value
            mixed = (256 - share) * value + share * temporal[y, x, c] + 128
            target[y, x, STYLE + c] = levels[mixed >> 8]
