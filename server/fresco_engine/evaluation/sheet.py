"""Results side by side where the source moves: consecutive crops of one place."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from fresco_media.types import Image
from fresco_media.writing.contact_sheet import contact_sheet
from numpy.typing import NDArray

from fresco_engine.evaluation.evaluate import SOURCE, Moment, Step
from fresco_engine.evaluation.motion import Motion

FRAMES = 5
"""Consecutive frames of a crop."""
REGIONS = 2
_SHARE, _LEAST = 4, 24
"""A crop is this part of the short side, and not smaller than so many pixels."""
_MOST_MOTION = 1 / 8
"""What moves faster than this share of a crop's side in a frame is soon out of it."""


@dataclass(frozen=True, order=True)
class Region:
    """A place that stays where it is while the source moves through it, over `FRAMES` frames."""

    score: float
    index: int
    left: int
    top: int
    side: int

    def crop(self, image: Image) -> Image:
        """What it shows of a frame."""
        return image[self.top : self.top + self.side, self.left : self.left + self.side]

    def is_apart_from(self, other: Region) -> bool:
        """Whether both show different moments or different places."""
        shift = max(abs(self.left - other.left), abs(self.top - other.top))
        return abs(self.index - other.index) >= FRAMES or shift >= self.side


class MovingRegions:
    """Finds where the source moves most; holds the motion of a few steps and a place a frame."""

    def __init__(self) -> None:
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=FRAMES - 1)
        self._found: list[Region] = []

    def add(self, step: Step) -> None:
        """Take in the next step."""
        if step.motion is None:
            self._recent.clear()
            return
        side = _side(step.moment.source)
        self._recent.append(_speed(step.motion, side * _MOST_MOTION))
        if len(self._recent) == FRAMES - 1:
            self._found.append(_best(self._recent, step.moment.index - FRAMES + 1, side))

    def chosen(self) -> list[Region]:
        """The places with most motion, apart from each other, in order of time."""
        regions: list[Region] = []
        for region in sorted(self._found, reverse=True):
            if region.score > 0 and all(map(region.is_apart_from, regions)):
                regions.append(region)
            if len(regions) == REGIONS:
                break
        return sorted(regions, key=lambda region: region.index)


def draw_sheet(
    regions: Iterable[Region], moments: Callable[[int, int], Iterable[Moment]]
) -> Image | None:
    """Source and results, a row each, at every region; None where nothing moves.

    `moments` reads frames [start, stop) again.
    """
    rows: list[list[Image]] = []
    names: list[str] = []
    for region in regions:
        shown = list(moments(region.index, region.index + FRAMES))
        last = region.index + FRAMES - 1
        for name, images in _rows(shown):
            rows.append([region.crop(image) for image in images])
            names.append(f"{name}, {region.index} to {last}")
    return contact_sheet(rows, row_labels=names) if rows else None


def _rows(moments: list[Moment]) -> Iterator[tuple[str, list[Image]]]:
    yield SOURCE, [moment.source for moment in moments]
    for name in moments[0].results:
        yield name, [moment.results[name] for moment in moments]


def _side(image: Image) -> int:
    short = min(image.shape[:2])
    return min(short, max(_LEAST, short // _SHARE))


def _speed(motion: Motion, most: float) -> NDArray[np.float32]:
    """(h, w): pixels a frame, where both frames show them."""
    length = np.hypot(motion.backward[..., 0], motion.backward[..., 1])
    return np.where(motion.is_moving, np.minimum(length, most), 0).astype(np.float32)


def _best(speeds: Iterable[NDArray[np.float32]], index: int, side: int) -> Region:
    total = np.sum(list(speeds), axis=0)
    # With the anchor in the corner, every value is the mean of the square right of and below it.
    means = cv2.boxFilter(total, -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    inside = means[: total.shape[0] - side + 1, : total.shape[1] - side + 1]
    top, left = np.unravel_index(int(np.argmax(inside)), inside.shape)
    return Region(float(inside[top, left]), index, int(left), int(top), side)
