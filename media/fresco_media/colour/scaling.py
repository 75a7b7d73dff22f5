"""Changing the size of pictures, and the size the diffusion model works at."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

import cv2
import numpy as np

from fresco_media.types import Image

PADDING_MULTIPLE = 8
_WIDEST = 8
_LONGEST_SIDE = 16384

JPEG_SIDE = 65_500
"""Pixels that a side of a JPEG has at most."""


def display_size(width: int, height: int, pixel_aspect: Fraction) -> tuple[int, int]:
    """The size with square pixels that a picture of pixels of another shape is shown at."""
    return max(1, round(width * pixel_aspect)), height


def square_told(width: int, height: int, pixel_aspect: Fraction) -> tuple[str, ...]:
    """A sentence where pictures of a clip are written at another size than they are stored at."""
    if pixel_aspect == 1:
        return ()
    width, height = display_size(width, height, pixel_aspect)
    return (
        "the clip's pixels are not square; its pictures are written as they are shown, at "
        f"{width}x{height}",
    )


def displayed(image: Image, pixel_aspect: Fraction) -> Image:
    """`image` with square pixels: as a picture that is looked at or painted over has to be."""
    height, width = image.shape[:2]
    return resize(image, display_size(width, height, pixel_aspect))


def fitted(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """`size` (width, height) made smaller so that no side is longer than `long_side`, unless 0."""
    longest = max(size)
    if not long_side or longest <= long_side:
        return size
    width, height = (max(1, round(side * long_side / longest)) for side in size)
    return width, height


def at_most(image: Image, long_side: int) -> Image:
    """The picture, made smaller where a side is longer than `long_side`, unless 0."""
    height, width = image.shape[:2]
    size = fitted((width, height), long_side)
    return image if size == (width, height) else resize(image, size)


def resize(image: Image, size: tuple[int, int]) -> Image:
    """`image`, or one channel, at `size` (width, height).

    It is averaged where it shrinks, and Lanczos where it grows.
    """
    height, width = image.shape[:2]
    # A side that shrinks is done first, alone, so that neither filter is used the wrong way round.
    shrunk = (min(size[0], width), min(size[1], height))
    if shrunk != (width, height):
        image = _as_image(cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA))
    if shrunk != tuple(size):
        image = _as_image(cv2.resize(image, tuple(size), interpolation=cv2.INTER_LANCZOS4))
    return image


def _as_image(matrix: np.ndarray) -> Image:
    return matrix.astype(np.uint8, copy=False)


@dataclass(frozen=True)
class WorkingSize:
    """Sizes (width, height) of one clip: as it is, scaled for the model, and padded for it.

    `scaled` keeps the aspect of `source`; `padded` is `scaled` grown at the right and at the
    bottom to multiples of 8, so nothing is ever stretched to fit the model. `is_limited` says that
    the clip is so wide, or so high, that its short side is smaller than was asked for.
    """

    source: tuple[int, int]
    scaled: tuple[int, int]
    padded: tuple[int, int]
    is_limited: bool = False


def working_size(width: int, height: int, short_side: int) -> WorkingSize:
    """The working size whose short side is `short_side` pixels before padding.

    Memory goes by pixels: a clip wider than 8:1 gets no more of them than one of 8:1, and no side
    is longer than 16384 pixels, which is what encoders and OpenCV take.
    """
    short, long = min(width, height), max(width, height)
    # Integer arithmetic that rounds half up, so that no platform's float decides a size.
    scaled = (_scaled(width, short_side, short), _scaled(height, short_side, short))
    longest = min(_LONGEST_SIDE, isqrt(_WIDEST * short_side**2 * long // short))
    is_limited = long > _WIDEST * short and max(scaled) > longest
    if is_limited:
        scaled = (max(1, _scaled(width, longest, long)), max(1, _scaled(height, longest, long)))
    return _padded((width, height), scaled, is_limited=is_limited)


def own_size(width: int, height: int) -> WorkingSize:
    """The clip's own size as the working size, as far as sides may be that long."""
    long = max(width, height)
    if long > _LONGEST_SIDE:
        scaled = (
            max(1, _scaled(width, _LONGEST_SIDE, long)),
            max(1, _scaled(height, _LONGEST_SIDE, long)),
        )
        return _padded((width, height), scaled, is_limited=True)
    return _padded((width, height), (width, height), is_limited=False)


def limit_told(size: WorkingSize) -> str | None:
    """What the user should know where the working size was limited."""
    if not size.is_limited:
        return None
    (width, height), (scaled_width, scaled_height) = size.source, size.scaled
    return (
        f"the clip is so long and thin ({width}x{height}) that its short side cannot have the "
        f"size asked for; it is worked on at {scaled_width}x{scaled_height}"
    )


def _scaled(length: int, to: int, of: int) -> int:
    return (2 * length * to + of) // (2 * of)


def _padded(source: tuple[int, int], scaled: tuple[int, int], *, is_limited: bool) -> WorkingSize:
    padded = (_next_multiple(scaled[0]), _next_multiple(scaled[1]))
    return WorkingSize(source=source, scaled=scaled, padded=padded, is_limited=is_limited)


def _next_multiple(length: int) -> int:
    return -(-length // PADDING_MULTIPLE) * PADDING_MULTIPLE


def fit(image: Image, size: WorkingSize) -> Image:
    """`image` scaled to `size.scaled` and mirrored outwards to `size.padded`."""
    scaled = resize(image, size.scaled)
    right = size.padded[0] - size.scaled[0]
    bottom = size.padded[1] - size.scaled[1]
    if not right and not bottom:
        return scaled
    return _as_image(cv2.copyMakeBorder(scaled, 0, bottom, 0, right, cv2.BORDER_REFLECT_101))


def unfit(image: Image, size: WorkingSize) -> Image:
    """The part of a picture at `size.padded` that shows the clip, back at `size.source`."""
    width, height = size.scaled
    return resize(np.ascontiguousarray(image[:height, :width]), size.source)
