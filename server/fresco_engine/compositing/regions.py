"""Where in each frame of a clip something may be changed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import cv2
import numpy as np
from fresco_media.clip import Clip
from fresco_media.colour.scaling import WorkingSize, working_size
from fresco_media.mask import MaskClip
from fresco_media.types import Image
from fresco_media.video.span_reader import SpanReader
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.correspondence.warp import warp_image

BoolMap = NDArray[np.bool_]
FloatMap = NDArray[np.float32]

_CARRIED_SIDE = 256
"""Short side in pixels at which regions are carried: as fine as flow is."""
_ENOUGH = 0.5
_AHEAD = 8
"""Frames of a mask that are read in one go."""


class Region(Protocol):
    """Where a clip may be changed, frame by frame."""

    def at(self, index: int) -> BoolMap:
        """(H, W) of the clip, True where frame `index` may be changed."""
        ...

    def leave(self, index: int) -> None:
        """Frame `index` and those before it are not asked for again."""
        ...


class DrawnRegion:
    """What a mask says that somebody has drawn, or, `is_inverted`, everything but that."""

    def __init__(self, mask: MaskClip, clip: Clip, stop: int, *, is_inverted: bool) -> None:
        self._mask = mask
        self._size = (clip.info.width, clip.info.height)
        self._stop = stop
        self._is_inverted = is_inverted
        self._read: dict[int, BoolMap] = {}

    def at(self, index: int) -> BoolMap:
        """As `Region`.

        Raises:
            ClipError: the mask cannot be read any more.
        """
        if index not in self._read:
            indices = range(index, min(index + _AHEAD, self._stop))
            self._read = dict(zip(indices, self._mask.at(indices, self._size), strict=True))
        return np.logical_xor(self._read[index], self._is_inverted)

    def leave(self, index: int) -> None:
        """As `Region`; it reads what it is asked for."""


class CarriedRegion:
    """What is known of keyframes, carried along the flow to the frames between two of them.

    In memory are the keyframes' regions from the last frame on that was left, and the frames
    between two keyframes at 256 pixels.
    """

    def __init__(self, clip: Clip, stop: int) -> None:
        info = clip.info
        self._full = (info.width, info.height)
        side = min(_CARRIED_SIDE, *self._full)
        self._small = working_size(info.width, info.height, side)
        self._frames = SpanReader(clip, stop, self._small)
        self._flow = DisFlow("quick")
        self._known: dict[int, BoolMap] = {}
        self._between: dict[int, BoolMap] = {}

    def add(self, index: int, region: BoolMap, size: WorkingSize) -> None:
        """A keyframe's region at the padded working size."""
        width, height = size.scaled
        self._known[index] = region[:height, :width]

    def at(self, index: int) -> BoolMap:
        """As `Region`; the keyframes about the frame must be known, and frames come in order."""
        if index in self._known:
            return _enlarged(self._known[index].astype(np.float32), self._full)
        if index not in self._between:
            first = max(key for key in self._known if key < index)
            last = min(key for key in self._known if key > index)
            self._between = self._carried(first, last)
        return self._between[index]

    def leave(self, index: int) -> None:
        """As `Region`; the last keyframe is still wanted for the frames behind it."""
        latest = max((key for key in self._known if key <= index), default=index)
        self._known = {key: one for key, one in self._known.items() if key >= latest}

    def _carried(self, first: int, last: int) -> dict[int, BoolMap]:
        images = list(self._frames.read(first, last + 1))
        ahead = self._along(images, self._known[first])
        behind = self._along(images[::-1], self._known[last])[::-1]
        share = np.linspace(0, 1, len(images), dtype=np.float32)
        found: dict[int, BoolMap] = {}
        width, height = self._small.scaled
        for i in range(1, len(images) - 1):
            mixed = (1 - share[i]) * ahead[i] + share[i] * behind[i]
            found[first + i] = _enlarged(mixed[:height, :width], self._full)
        return found

    def _along(self, images: Sequence[Image], region: BoolMap) -> list[FloatMap]:
        """A region of the first of `images` in all of them."""
        width, height = self._small.padded
        scaled = self._small.scaled
        shares = cv2.resize(region.astype(np.float32), scaled, interpolation=cv2.INTER_AREA)
        start = np.asarray(shares, np.float32)
        below, right = height - start.shape[0], width - start.shape[1]
        carried: list[FloatMap] = [np.pad(start, ((0, below), (0, right)), mode="edge")]
        for before, after in pairwise(images):
            carried.append(warp_image(carried[-1], self._flow(after, before)))
        return carried


def _enlarged(region: FloatMap, size: tuple[int, int]) -> BoolMap:
    """A map of shares (h, w) as a region at `size` (width, height)."""
    resized = cv2.resize(region, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized >= _ENOUGH, np.bool_)
