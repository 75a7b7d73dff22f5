"""Pictures as they go onto the screen: scaled, cropped and mixed, at the pane's device pixels."""

from __future__ import annotations

import cv2
import numpy as np
from PyQt6.QtGui import QImage

from fresco_gui.media.pictures import Pixels, blank, pixels_of, read_pixels_of
from fresco_gui.viewer.camera import Placement

GROUND = 0x1B
# From this many device pixels for one of the picture, pixels are shown as squares.
_SQUARES_FROM = 2.0


def rendered(image: QImage, place: Placement, pane: tuple[int, int], *, is_fine: bool) -> QImage:
    """`image` at its place in a pane of this size (width, height), on dark ground.

    Unless `is_fine`, shrinking takes a few milliseconds and may alias a little.
    """
    out = blank(*pane)
    canvas = pixels_of(out)
    canvas[:] = GROUND
    scale_x, scale_y = place.width / image.width(), place.height / image.height()
    columns = _Stretch.visible(place.left, scale_x, image.width(), pane[0])
    rows = _Stretch.visible(place.top, scale_y, image.height(), pane[1])
    if columns is None or rows is None:
        return out
    part = read_pixels_of(image)[rows.start : rows.stop, columns.start : columns.stop]
    scaled = _scaled(part, (columns.length, rows.length), is_fine=is_fine)
    top, left = max(rows.target, 0), max(columns.target, 0)
    shown = scaled[top - rows.target :, left - columns.target :]
    height, width = min(shown.shape[0], pane[1] - top), min(shown.shape[1], pane[0] - left)
    canvas[top : top + height, left : left + width] = shown[:height, :width]
    return out


class _Stretch:
    """Which pixels along one side are seen, and onto which device pixels they go."""

    def __init__(self, start: int, stop: int, target: int, length: int) -> None:
        self.start, self.stop, self.target, self.length = start, stop, target, length

    @staticmethod
    def visible(offset: float, scale: float, count: int, pane: int) -> _Stretch | None:
        start = max(0, int(np.floor(-offset / scale)))
        stop = min(count, int(np.ceil((pane - offset) / scale)))
        if stop <= start:
            return None
        first, last = round(offset + start * scale), round(offset + stop * scale)
        return _Stretch(start, stop, first, max(1, last - first))


def _scaled(part: Pixels, size: tuple[int, int], *, is_fine: bool) -> Pixels:
    width, height = size
    scale = width / part.shape[1]
    if part.shape[1] == width and part.shape[0] == height:
        return part
    if scale >= _SQUARES_FROM:
        return _as_pixels(cv2.resize(part, size, interpolation=cv2.INTER_NEAREST))
    if scale >= 1:
        return _as_pixels(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR))
    if is_fine:
        return _as_pixels(cv2.resize(part, size, interpolation=cv2.INTER_AREA))
    # Halving is cheap; what is left is less than a halving, where linear is good enough.
    while part.shape[1] >= 2 * width and part.shape[0] >= 2 * height:
        even = part[: part.shape[0] // 2 * 2, : part.shape[1] // 2 * 2]
        half = (even.shape[1] // 2, even.shape[0] // 2)
        part = _as_pixels(cv2.resize(even, half, interpolation=cv2.INTER_AREA))
    return _as_pixels(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR))


def _as_pixels(array: np.ndarray) -> Pixels:
    return array.astype(np.uint8, copy=False)


def difference(first: QImage, second: QImage, gain: float) -> QImage:
    """How far the values of two pictures of one size lie apart, times `gain`; black: equal."""
    out = blank(first.width(), first.height())
    apart = cv2.absdiff(read_pixels_of(first), read_pixels_of(second))
    cv2.convertScaleAbs(apart, dst=pixels_of(out), alpha=gain)
    return out


def onion(first: QImage, second: QImage, share: float) -> QImage:
    """`second` over `first`, with `share` (0 to 1) of it showing."""
    out = blank(first.width(), first.height())
    below, above = read_pixels_of(first), read_pixels_of(second)
    cv2.addWeighted(below, 1 - share, above, share, 0, dst=pixels_of(out))
    return out
