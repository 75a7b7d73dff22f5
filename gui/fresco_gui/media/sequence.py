"""Image sequences as clips of the app."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from fresco_media.clip import Clip
from PyQt6.QtGui import QImage

from fresco_gui.media.errors import reading
from fresco_gui.media.pictures import from_rgb
from fresco_gui.media.source import FrameInfo

Size = tuple[int, int]
"""Width and height in pixels."""


class PictureReader:
    """A row of pictures that is open for reading."""

    def __init__(self, path: Path, frame_rate: Fraction | None, first_index: int) -> None:
        """Only headers are read.

        Raises:
            MediaError: the pictures are gone, cannot be read or do not belong together.
        """
        self._path = path
        with reading(path):
            self._clip = Clip.open(path, frame_rate=frame_rate)
        info = self._clip.info
        self.info = FrameInfo(
            path=path,
            frame_count=info.frame_count,
            frame_rate=info.frame_rate,
            width=info.width,
            height=info.height,
            pixel_aspect=info.sample_aspect,
            first_index=first_index,
            first_number=self._clip.first_number,
        )

    def image(self, index: int, size: Size | None = None, *, is_exact: bool = True) -> QImage:
        """The picture at `index`, at `size` or its own.

        Raises:
            MediaError: it cannot be read any more.
        """
        with reading(self._path):
            frame = next(self._clip.frames_at([index - self.info.first_index], size=size))
        return from_rgb(frame.image)

    def cheapest(self, start: int, stop: int) -> int:
        """The index in [start, stop) that takes the least decoding: they are all alike."""
        return start

    def close(self) -> None:
        """No file stays open."""
