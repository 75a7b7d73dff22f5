"""Small pictures of a clip, decoded lazily by a reader of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage

from fresco_gui.media import threads
from fresco_gui.media.cache import ByteCache
from fresco_gui.media.errors import MediaError
from fresco_gui.media.reader import ClipReader, open_reader

logger = logging.getLogger(__name__)

_LIMIT = 32 * 2**20


@dataclass(frozen=True)
class FrameSpan:
    """A stretch of frames that one thumbnail stands for."""

    start: int
    stop: int


class Thumbnails(QObject):
    """Pictures `height` pixels high, one for each wanted span of frames.

    A span's picture is that of its first frame, or of a later one in it that takes less decoding;
    a span of one frame is exact.

    Signals:
        arrived(object): the picture for this span is there.
    """

    arrived = pyqtSignal(object)

    def __init__(
        self,
        path: Path,
        height: int,
        *,
        frame_rate: Fraction | None = None,
        first_index: int = 0,
        limit: int = _LIMIT,
    ) -> None:
        super().__init__()
        self._path, self._height = path, height
        self._frame_rate, self._first_index = frame_rate, first_index
        self._cache: ByteCache[FrameSpan, QImage] = ByteCache(
            limit, lambda image: image.sizeInBytes()
        )
        self._wanted: tuple[FrameSpan, ...] = ()
        self._wake = threading.Condition()
        self._is_closed = False
        self._thread = threads.start(self._run, "thumbnails")

    @property
    def used_bytes(self) -> int:
        """The bytes of all thumbnails held."""
        return self._cache.used_bytes

    def get(self, span: FrameSpan) -> QImage | None:
        """The picture for `span`, if it is there."""
        return self._cache.get(span)

    def want(self, spans: Sequence[FrameSpan]) -> None:
        """Decode these next, in this order; earlier wishes that were not met are dropped."""
        with self._wake:
            self._wanted = tuple(spans)
            self._wake.notify_all()

    def close(self) -> None:
        """Free the file, the thread and the memory."""
        with self._wake:
            self._is_closed = True
            self._wake.notify_all()
        threads.leave_to_end(self._thread, self)
        self._cache.clear()

    def _run(self) -> None:
        reader: ClipReader | None = None
        try:
            reader = open_reader(
                self._path,
                frame_rate=self._frame_rate,
                first_index=self._first_index,
                is_stopped=lambda: self._is_closed,
            )
            if reader is not None:
                self._decode_until_closed(reader)
        except MediaError as error:
            # The viewer decodes the same file and says so.
            logger.info("no thumbnails: %s", error)
        finally:
            if reader is not None:
                reader.close()

    def _decode_until_closed(self, reader: ClipReader) -> None:
        info = reader.info
        width = max(1, round(self._height * info.width * info.pixel_aspect / info.height))
        while (span := self._next()) is not None:
            index = reader.cheapest(span.start, span.stop)
            image = reader.image(min(index, info.last_index), (width, self._height))
            if not self._is_closed:
                self._cache.put(span, image)
                self.arrived.emit(span)

    def _next(self) -> FrameSpan | None:
        with self._wake:
            while not self._is_closed:
                for span in self._wanted:
                    if span not in self._cache:
                        return span
                self._wake.wait()
        return None
