"""Changing the size of pictures, and the size the diffusion model works at."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from fresco_media.types import Image

PADDING_MULTIPLE = 8


def display_size(width: int, height: int, pixel_aspect: Fraction) -> tuple[int, int]:
    """The size with square pixels that a picture of pixels of another shape is shown at."""
    return max(1, round(width * pixel_aspect)), height


def displayed(image: Image, pixel_aspect: Fraction) -> Image:
    """`image` with square pixels: as a picture that is looked at or painted over has to be."""
    height, width = image.shape[:2]
    return resize(image, display_size(width, height, pixel_aspect))


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
    bottom to multiples of 8, so nothing is ever stretched to fit the model.
    """

    source: tuple[int, int]
    scaled: tuple[int, int]
    padded: tuple[int, int]


def working_size(width: int, height: int, short_side: int) -> WorkingSize:
    """The working size whose short side is `short_side` pixels before padding."""
    short = min(width, height)
    # Integer arithmetic that rounds half up, so that no platform's float decides a size.
    scaled = (
        (2 * width * short_side + short) // (2 * short),
        (2 * height * short_side + short) // (2 * short),
    )
    padded = (_next_multiple(scaled[0]), _next_multiple(scaled[1]))
    return WorkingSize(source=(width, height), scaled=scaled, padded=padded)


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
