"""The pointer on the filmstrip: what lies under it, and what it grabs and drags."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from PyQt6.QtCore import QObject, QPointF, pyqtSignal

from fresco_gui.timeline import painting
from fresco_gui.timeline.scale import Scale

_GRIP_PX = 6
_KEY_GRIP_PX = 9
_KEYS_TOP = painting.RULER_PX + painting.THUMBNAIL_PX


class RangeHandle(Enum):
    """An end of the range that can be dragged."""

    IN = auto()
    OUT = auto()


@dataclass(frozen=True)
class HitTest:
    """Looks up what is where."""

    scale: Scale
    limits: tuple[int, int]
    """First and last frame of the range."""
    keyframes: Iterable[int]

    def index_at(self, position: QPointF) -> int:
        """The frame."""
        return self.scale.index(position.x())

    def handle_at(self, position: QPointF) -> RangeHandle | None:
        """The end of the range that can be grabbed there."""
        if self.is_among_keys(position):
            return None
        first, last = self.limits
        if abs(position.x() - self.scale.x(first)) <= _GRIP_PX:
            return RangeHandle.IN
        if abs(position.x() - self.scale.x(last + 1)) <= _GRIP_PX:
            return RangeHandle.OUT
        return None

    def key_at(self, position: QPointF) -> int | None:
        """The keyframe whose mark is there."""
        if position.y() < _KEYS_TOP:
            return None
        near = [
            (abs(painting.key_x(self.scale, key) - position.x()), key) for key in self.keyframes
        ]
        distance, key = min(near, default=(1e9, 0))
        return key if distance <= _KEY_GRIP_PX else None

    def is_among_keys(self, position: QPointF) -> bool:
        """Whether it is in the row of keyframes."""
        return position.y() > _KEYS_TOP


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
        self._handle: RangeHandle | None = None
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

    def press(self, hits: HitTest, position: QPointF) -> None:
        """Grab an end of the range, or go to the keyframe or frame that is pointed at."""
        self.previewed.emit(None)
        self._handle = hits.handle_at(position)
        self._is_scrubbing = self._handle is None
        if self._is_scrubbing:
            key = hits.key_at(position)
            self.scrubbed.emit(hits.index_at(position) if key is None else key)

    def move(self, hits: HitTest, position: QPointF) -> None:
        """Drag what is grabbed, or point."""
        index, (first, last) = hits.index_at(position), hits.limits
        if self._is_scrubbing:
            self.scrubbed.emit(index)
        elif self._handle is RangeHandle.IN:
            self.range_dragged.emit(min(index, last), last)
        elif self._handle is RangeHandle.OUT:
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

    def _point(self, hits: HitTest, position: QPointF) -> None:
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
