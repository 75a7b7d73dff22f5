"""The frames of an export: the result's where it has them, else the source's."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtGui import QImage

from fresco_gui.media.errors import ExportFailed
from fresco_gui.media.fetched_frames import FetchedFrames
from fresco_gui.media.pictures import resized
from fresco_gui.media.reader import ClipReader, open_reader
from fresco_gui.media.source import FrameInfo, FrameSource
from fresco_gui.media.stored_frames import StoredFrames


class ExportFrames:
    """Reads frames one after the other on the exporting thread, with files of its own."""

    def __init__(self, source: FrameSource, result: FrameSource) -> None:
        """Nothing is opened yet.

        Raises:
            ValueError: source or result is not open.
        """
        if source.info is None or result.info is None:
            raise ValueError("source and result must be open")
        self.times: FrameInfo = source.info
        self.info: FrameInfo = result.info
        self._source, self._result = source, result
        self._readers: dict[FrameSource, ClipReader] = {}

    def image(self, index: int) -> QImage:
        """The frame at a source index, at the result's size.

        Raises:
            MediaError: it cannot be read.
        """
        is_made = self.info.first_index <= index < self.info.stop
        image = self._read(self._result if is_made else self._source, index)
        return resized(image, self.info.width, self.info.height)

    def close(self) -> None:
        """Close the files."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _read(self, frames: FrameSource, index: int) -> QImage:
        info = frames.info
        if isinstance(frames, StoredFrames | FetchedFrames):
            image = frames.load_now(index)
            if image is None:
                raise ExportFailed(self._path(), f"frame {index} is not there yet; let the job end")
            return image
        reader = self._readers.get(frames)
        if reader is None and info is not None and info.path is not None:
            reader = open_reader(
                info.path, frame_rate=info.frame_rate, first_index=info.first_index
            )
            if reader is not None:
                self._readers[frames] = reader
        if reader is None:
            raise ExportFailed(self._path(), "its frames cannot be read again")
        return reader.image(index)

    def _path(self) -> Path:
        return self.times.path or Path("export")
