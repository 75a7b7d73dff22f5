"""What lies under a point of the filmstrip: pure geometry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from PyQt6.QtCore import QPointF

from fresco_gui.timeline import painting
from fresco_gui.timeline.scale import Scale

_GRIP_PX = 6
_KEY_GRIP_PX = 9
_KEYS_TOP = painting.RULER_PX + painting.THUMBNAIL_PX


class Handle(Enum):
    """An end of the range that can be dragged."""

    IN = auto()
    OUT = auto()


@dataclass(frozen=True)
class Hits:
    """Looks up what is where."""

    scale: Scale
    limits: tuple[int, int]
    """First and last frame of the range."""
    keyframes: Iterable[int]

    def index_at(self, position: QPointF) -> int:
        """The frame."""
        return self.scale.index(position.x())

    def handle_at(self, position: QPointF) -> Handle | None:
        """The end of the range that can be grabbed there."""
        if self.is_among_keys(position):
            return None
        first, last = self.limits
        if abs(position.x() - self.scale.x(first)) <= _GRIP_PX:
            return Handle.IN
        if abs(position.x() - self.scale.x(last + 1)) <= _GRIP_PX:
            return Handle.OUT
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
