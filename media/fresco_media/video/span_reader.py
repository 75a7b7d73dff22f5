"""Reading parts of a clip at the working size, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from fresco_media.clip import Clip
from fresco_media.colour.scaling import WorkingSize, fit
from fresco_media.types import Frame, Image

_WORTH_A_JUMP = 24
"""Frames to skip that cost more to decode than finding the place anew."""


class SpanReader:
    """Pictures of a clip at the padded working size, read on where the last span ended.

    Any other place can be read as well; that takes a new decoder.
    """

    def __init__(self, clip: Clip, stop: int, size: WorkingSize) -> None:
        self._clip = clip
        self._stop = stop
        self._size = size
        self._frames: Iterator[Frame] = iter(())
        self._position = -1
        self._latest: tuple[int, Image] | None = None

    def read(self, start: int, stop: int) -> Iterator[Image]:
        """The frames [start, stop); the last one that was read is still at hand."""
        if self._latest is not None and self._latest[0] == start < stop:
            yield self._latest[1]
            start += 1
        for index in range(start, stop):
            self._move_to(index)
            image = fit(next(self._frames).image, self._size)
            self._latest, self._position = (index, image), index + 1
            yield image

    def at(self, index: int) -> Image:
        """The frame at `index`."""
        return next(self.read(index, index + 1))

    def _move_to(self, index: int) -> None:
        gap = index - self._position
        if self._position < 0 or not 0 <= gap <= _WORTH_A_JUMP:
            self._frames = self._clip.frames(index, self._stop, size=self._size.scaled)
            self._position = index
        while self._position < index:
            next(self._frames)
            self._position += 1
