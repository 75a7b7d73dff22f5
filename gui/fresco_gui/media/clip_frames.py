"""Frames of a file: a video or an image sequence, decoded on a thread of their own."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from PyQt6.QtGui import QImage

from fresco_gui.media.loading import DEFAULT_LIMIT, LoadedFrames
from fresco_gui.media.reader import ClipReader, open_reader
from fresco_gui.media.source import FrameInfo


class ClipFrames(LoadedFrames):
    """The frames of the clip at `path`: a video, a folder of pictures or a `name_%04d.png` pattern.

    Returns at once and opens the file on its thread; `info` is None until `opened`.
    """

    def __init__(
        self,
        path: Path,
        *,
        frame_rate: Fraction | None = None,
        first_index: int = 0,
        limit: int = DEFAULT_LIMIT,
    ) -> None:
        """`frame_rate` is that of an image sequence (24 unless given).

        `first_index` is the index of the first frame: the start of the range that a result covers.
        `limit` is in bytes of decoded pictures.
        """
        super().__init__(limit)
        self.path = path
        self._frame_rate = frame_rate
        self._first_index = first_index
        self._reader: ClipReader | None = None
        self._info: FrameInfo | None = None
        self._start_soon()

    @property
    def info(self) -> FrameInfo | None:
        return self._info

    def _open(self) -> bool:
        self._reader = open_reader(
            self.path,
            frame_rate=self._frame_rate,
            first_index=self._first_index,
            is_stopped=lambda: self._is_closed,
        )
        if self._reader is None:
            return False
        self._info = self._reader.info
        return True

    def _load(self, index: int, *, is_exact: bool) -> QImage | None:
        return self._reader.image(index, is_exact=is_exact) if self._reader else None

    def _leave(self) -> None:
        if self._reader is not None:
            self._reader.close()
