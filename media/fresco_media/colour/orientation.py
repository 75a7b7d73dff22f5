"""Turning stored pictures upright, as the container's display matrix says."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from fresco_media.types import Image
from fresco_media.video.side_data import side_data_of


@dataclass(frozen=True)
class Orientation:
    """How stored pixels become the shown picture: mirrored left to right, then turned clockwise."""

    quarter_turns: int = 0
    is_mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.quarter_turns % 2 == 1

    def shown_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size seen of a stored `size`; also the stored size of a seen one."""
        return (size[1], size[0]) if self.swaps_sides else size

    def then(self, other: Orientation) -> Orientation:
        """Both in one: this one first."""
        turns = -self.quarter_turns if other.is_mirrored else self.quarter_turns
        return Orientation((turns + other.quarter_turns) % 4, self.is_mirrored != other.is_mirrored)

    def apply(self, stored: Image) -> Image:
        """The picture, or one channel of it, as it is to be seen."""
        if self == Orientation():
            return np.ascontiguousarray(stored)
        mirrored = stored[:, ::-1] if self.is_mirrored else stored
        return np.ascontiguousarray(np.rot90(mirrored, -self.quarter_turns))


# As EXIF numbers them from 1 on.
_EXIF = ((0, False), (0, True), (2, False), (2, True), (3, True), (1, False), (1, True), (3, False))


def from_exif(value: int) -> Orientation:
    """The orientation that EXIF's tag 274 gives to a picture; unknown values change nothing."""
    return Orientation(*_EXIF[value - 1]) if 1 <= value <= len(_EXIF) else Orientation()


def from_properties(properties: Iterable[tuple[bytes, bytes]]) -> Orientation:
    """The orientation of an HEIF item or track by its properties (kind and content), in order.

    Raises:
        IndexError: one of them is empty.
    """
    found = Orientation()
    for kind, body in properties:
        if kind == b"irot":
            found = found.then(Orientation(-(body[0] & 3) % 4))
        elif kind == b"imir":
            # Mirrored top to bottom, or left to right.
            found = found.then(Orientation(0 if body[0] & 1 else 2, is_mirrored=True))
    return found


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """The orientation that the container gives to `frame`, to the nearest quarter turn."""
    matrix = side_data_of(frame, "DISPLAYMATRIX")
    if matrix is None:
        return Orientation()
    return _from_matrix(np.frombuffer(memoryview(matrix), np.int32))


def is_bent(frame: av.VideoFrame, sample_aspect: Fraction) -> bool:
    """Whether the container wants more than quarter turns, mirroring and pixels of this shape.

    FFmpeg takes a stretch along the sides for the shape of pixels where the file states none.
    """
    matrix = side_data_of(frame, "DISPLAYMATRIX")
    if matrix is None:
        return False
    axes = np.frombuffer(memoryview(matrix), np.int32).reshape(3, 3)[:2, :2].astype(float)
    sizes = np.sort(np.abs(axes).ravel())
    # Of a quarter turn two numbers are 0; what comes from rounding is small.
    is_slanted = sizes[1] > 0.02 * sizes[3]
    across, down = np.hypot(*axes)
    is_stretched = not 0.98 < across / max(down, 1) < 1.02
    is_stated = 0.98 < across / max(down, 1) / float(sample_aspect) < 1.02
    return bool(is_slanted or (is_stretched and not is_stated))


def _from_matrix(values: NDArray[np.int32]) -> Orientation:
    # Rows of the 3 x 3 matrix are where the stored x axis and y axis go; y points down.
    (x_right, x_down), (y_right, y_down) = values.reshape(3, 3)[:2, :2].astype(float).tolist()
    is_mirrored = x_right * y_down - x_down * y_right < 0
    if is_mirrored:
        x_right, x_down = -x_right, -x_down
    clockwise = math.degrees(math.atan2(x_down, x_right))
    return Orientation(round(clockwise / 90) % 4, is_mirrored)
