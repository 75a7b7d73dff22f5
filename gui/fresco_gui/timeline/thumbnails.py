"""Has thumbnails made for what the filmstrip shows."""

from __future__ import annotations

from collections.abc import Iterable

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage

from fresco_gui.media.source import FrameInfo
from fresco_gui.media.thumbnails import FrameSpan, Thumbnails
from fresco_gui.timeline import painting
from fresco_gui.timeline.scale import Scale


class FilmstripThumbnails(QObject):
    """The thumbnails of one clip at a time.

    Signals:
        arrived(Span): the picture that stands for these frames is there.
    """

    arrived = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.thumbnails: Thumbnails | None = None
        """None for no clip, and for frames that come from no file."""

    def open(self, info: FrameInfo, height: int) -> None:
        """Make them of this clip's file, so many device pixels high; nothing if they are made."""
        if info.path is None or self.thumbnails is not None:
            return
        self.thumbnails = Thumbnails(
            info.path, height, frame_rate=info.frame_rate, first_index=info.first_index
        )
        self.thumbnails.arrived.connect(self.arrived)

    def want(self, info: FrameInfo | None, scale: Scale, first: FrameSpan | None) -> None:
        """Make those that are seen, before them the one that is pointed at."""
        if info is None or self.thumbnails is None:
            return
        spans = list(scale.spans(painting.thumbnail_width(info)))
        self.thumbnails.want(spans if first is None else [first, *spans])

    def close(self) -> None:
        """Close the file that they are read from."""
        if self.thumbnails is not None:
            self.thumbnails.close()
            self.thumbnails = None


class KeyframeThumbnails(QObject):
    """Small pictures of a result's keyframes, from its file.

    Signals:
        arrived(int, QImage): that of the keyframe at this source frame.
    """

    arrived = pyqtSignal(int, QImage)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails: Thumbnails | None = None

    def open(self, info: FrameInfo, height: int, keyframes: Iterable[int]) -> None:
        """Take them from this file, so many device pixels high."""
        self.close()
        assert info.path is not None
        self._thumbnails = Thumbnails(info.path, height, first_index=info.first_index)
        self._thumbnails.arrived.connect(self._on_arrived)
        self.want(keyframes)

    def want(self, keyframes: Iterable[int]) -> None:
        """Those of these; nothing without a file."""
        if self._thumbnails is None:
            return
        self._thumbnails.want([FrameSpan(index, index + 1) for index in keyframes])

    def close(self) -> None:
        """Close the file; pictures come from no file any more."""
        if self._thumbnails is not None:
            self._thumbnails.arrived.disconnect(self._on_arrived)
            self._thumbnails.close()
            self._thumbnails = None

    def _on_arrived(self, span: FrameSpan) -> None:
        image = self._thumbnails.get(span) if self._thumbnails is not None else None
        if image is not None:
            self.arrived.emit(span.start, image)
