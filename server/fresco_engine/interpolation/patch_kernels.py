"""The loops of the search for patches, compiled; see `patches` for what they are about."""

from __future__ import annotations

from typing import Any

import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.compiled import compiled

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


@compiled
def mix(
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
def measure(
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
def improve(
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
        pixel, y, x = pixels[i], pixels[i] // width, pixels[i] % width
        here = (pixel - RADIUS * width - RADIUS) * CHANNELS
        held, cost = np.int64(field[y, x]), np.int64(costs[y, x])
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
        new_field[y, x], new_costs[y, x] = held, cost


@compiled
def paint(
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
