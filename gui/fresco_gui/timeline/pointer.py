"""What the pointer does on the filmstrip: grab, drag, point."""

from __future__ import annotations

from PyQt6.QtCore import QObject, QPointF, pyqtSignal

from fresco_gui.timeline.hits import Handle, Hits


class Pointer(QObject):
    """Turns presses and moves into wishes.

    Signals:
        scrubbed(int): playback is dragged to this frame.
        range_dragged(int, int): in or out point is dragged; both frames are included.
        pointed_at(object): the keyframe that is pointed at, or None.
        previewed(object): the frame whose picture is wanted, or None.
    """

    scrubbed = pyqtSignal(int)
    range_dragged = pyqtSignal(int, int)
    pointed_at = pyqtSignal(object)
    previewed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._handle: Handle | None = None
        self._is_scrubbing = False
        self._key: int | None = None

    @property
    def is_dragging(self) -> bool:
        """Whether anything is grabbed."""
        return self._is_scrubbing or self._handle is not None

    @property
    def key(self) -> int | None:
        """The keyframe that is pointed at."""
        return self._key

    def press(self, hits: Hits, position: QPointF) -> None:
        """Grab an end of the range, or go to the keyframe or frame that is pointed at."""
        self.previewed.emit(None)
        self._handle = hits.handle_at(position)
        self._is_scrubbing = self._handle is None
        if self._is_scrubbing:
            key = hits.key_at(position)
            self.scrubbed.emit(hits.index_at(position) if key is None else key)

    def move(self, hits: Hits, position: QPointF) -> None:
        """Drag what is grabbed, or point."""
        index, (first, last) = hits.index_at(position), hits.limits
        if self._is_scrubbing:
            self.scrubbed.emit(index)
        elif self._handle is Handle.IN:
            self.range_dragged.emit(min(index, last), last)
        elif self._handle is Handle.OUT:
            self.range_dragged.emit(first, max(index, first))
        else:
            self._point(hits, position)

    def release(self) -> None:
        """Let go."""
        self._handle = None
        self._is_scrubbing = False

    def leave(self) -> None:
        """Nothing is pointed at any more."""
        self._set_key(None)
        self.previewed.emit(None)

    def _point(self, hits: Hits, position: QPointF) -> None:
        key = hits.key_at(position)
        self._set_key(key)
        if key is not None:
            self.previewed.emit(key)
        elif hits.is_among_keys(position):
            self.previewed.emit(None)
        else:
            self.previewed.emit(hits.index_at(position))

    def _set_key(self, key: int | None) -> None:
        if key != self._key:
            self._key = key
            self.pointed_at.emit(key)
