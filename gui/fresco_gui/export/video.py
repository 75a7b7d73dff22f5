"""A video file being written from the pictures that the app holds."""

from __future__ import annotations

from pathlib import Path

from fresco_media.types import Frame
from fresco_media.writing.encode import Encoder, Target
from PyQt6.QtGui import QImage

from fresco_gui.export.description import codec_of, delivery_of, described
from fresco_gui.export.options import ExportKind, ExportOptions
from fresco_gui.media.pictures import to_rgb
from fresco_gui.media.source import FrameInfo


class VideoFile:
    """Encodes frames at their own times, beside the source's sound."""

    def __init__(
        self, temporary: Path, options: ExportOptions, times: FrameInfo, info: FrameInfo
    ) -> None:
        """`times` are those of the source, `info` has size and colours of the result."""
        self._first_index = times.first_index
        self._clip = described(times, info)
        container = "mp4" if options.kind is ExportKind.H264 else "mov"
        target = Target(temporary, container, codec_of(options.kind), delivery_of(options))
        start, stop = options.start - times.first_index, options.stop - times.first_index
        self._encoder = Encoder(self._clip, target, start, stop)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the file; whole after `finish`."""
        return self._encoder.warnings

    def write(self, index: int, image: QImage) -> None:
        """Encode one frame, and the sound up to its time."""
        place = index - self._first_index
        time_s = self._clip.times[place] * self._clip.time_base
        self._encoder.write(Frame(place, time_s, to_rgb(image)))

    def finish(self) -> None:
        """Write what encoders still hold, and the file's index."""
        self._encoder.finish()

    def close(self) -> None:
        """Close all files; the output is whole only after `finish`."""
        self._encoder.close()
