"""Clips whose frames carry their number, and reading it back from whatever became of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from fresco_media.types import Image
from PIL import Image as Pillow
from PIL import ImageDraw

from tests.engine.conftest import write_clip

SIZE = (160, 96)
BITS = 8
_CELL = 16
_TOP = 64
_LEFT = 16


def numbered(number: int, size: tuple[int, int] = SIZE) -> Image:
    """A grey picture with its number in digits, for people, and as squares, for programs."""
    picture = Pillow.new("RGB", size, (120, 110, 90))
    draw = ImageDraw.Draw(picture)
    draw.text((8, 8), f"{number:03d}", fill=(255, 255, 255))
    for bit in range(BITS):
        left = _LEFT + bit * _CELL
        is_set = number >> (BITS - 1 - bit) & 1
        box = (left, _TOP, left + _CELL - 1, _TOP + _CELL - 1)
        draw.rectangle(box, fill=(235, 235, 235) if is_set else (20, 20, 20))
    return np.asarray(picture)


def transparent(number: int) -> Image:
    """A numbered picture in a soft round hole that moves; straight RGBA."""
    width, height = SIZE
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot(x - 60 - number, y - 50)
    alpha = np.clip((55 - distance) * 12, 0, 255).astype(np.uint8)
    return np.dstack([numbered(number), alpha])


def write_numbered(path: Path, count: int, rate: Fraction = Fraction(24)) -> Path:
    """A lossless clip of frames 0 to `count - 1`."""
    return write_clip(path, [numbered(number) for number in range(count)], rate)


def read_number(path: Path | str, *, is_restyled: bool = False) -> int:
    """The number in a picture: the clip's own, its negative, or restyled by a model.

    Fails if the squares cannot be told from what is around them.
    """
    picture = np.asarray(Pillow.open(path).convert("L"), dtype=np.float64)
    is_inverted = not is_restyled and is_negative(path)
    number = 0
    for bit in range(BITS):
        left = _LEFT + bit * _CELL
        columns = slice(left + 4, left + _CELL - 4)
        cell = picture[_TOP + 4 : _TOP + _CELL - 4, columns].mean()
        around = picture[_TOP - 12 : _TOP - 4, columns].mean()
        assert abs(cell - around) > 15, (
            f"{path}: bit {bit} cannot be read ({cell:.0f}/{around:.0f})"
        )
        number = number * 2 + int((cell > around) != is_inverted)
    return number


def is_negative(path: Path | str) -> bool:
    """Whether a picture was restyled by the worker that makes negatives."""
    picture = np.asarray(Pillow.open(path).convert("L"), dtype=np.float64)
    return bool(picture[4, -4] > 128)
