"""Ways to look at source and result, and how the canvas is divided between them: pure geometry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from PyQt6.QtCore import QPointF, QRect

from fresco_gui.viewer.camera import Point


class ViewMode(Enum):
    """How source (A) and result (B) share the canvas; values are kept in projects."""

    SOURCE = "source"
    RESULT = "result"
    WIPE_VERTICAL = "wipe"
    """Source left of a line, result right of it."""
    WIPE_HORIZONTAL = "wipe horizontal"
    """Source above a line, result below it."""
    SIDE_BY_SIDE = "side by side"
    DIFFERENCE = "difference"
    """How far every pixel's values lie apart, made brighter by a gain."""
    ONION = "onion"
    """The result, partly transparent, over the source."""

    @property
    def is_wipe(self) -> bool:
        """Whether a line divides the canvas."""
        return self in (ViewMode.WIPE_VERTICAL, ViewMode.WIPE_HORIZONTAL)

    @property
    def is_mixed(self) -> bool:
        """Whether both pictures become one."""
        return self in (ViewMode.DIFFERENCE, ViewMode.ONION)


_GRIP_PX = 9
_GAP_PX = 2


@dataclass(frozen=True, kw_only=True)
class Panes:
    """The canvas as it is now."""

    rect: QRect
    ratio: float
    """Device pixels by Qt's."""
    mode: ViewMode
    wipe: float
    """Where the line of the wipe is, as a share of the canvas."""

    @property
    def size(self) -> tuple[int, int]:
        """Of one pane; there are two side by side, else one."""
        width, height = (
            round(self.rect.width() * self.ratio),
            round(self.rect.height() * self.ratio),
        )
        if self.mode is ViewMode.SIDE_BY_SIDE:
            width = (width - self._gap) // 2
        return max(width, 1), max(height, 1)

    @property
    def line(self) -> float:
        """Where the line of the wipe is, in Qt's pixels."""
        return self.wipe * self._length

    @property
    def _gap(self) -> int:
        return round(_GAP_PX * self.ratio)

    @property
    def _length(self) -> int:
        is_vertical = self.mode is ViewMode.WIPE_VERTICAL
        return self.rect.width() if is_vertical else self.rect.height()

    def in_pane(self, position: QPointF) -> Point:
        """A point of the canvas in the pane that it is in."""
        x, y = position.x() * self.ratio, position.y() * self.ratio
        second = self.size[0] + self._gap
        if self.mode is ViewMode.SIDE_BY_SIDE and x >= second:
            x -= second
        return x, y

    def wipe_at(self, position: QPointF) -> float:
        """The share at which the line goes through a point."""
        return self._along(position) / max(self._length, 1)

    def is_on_line(self, position: QPointF) -> bool:
        """Whether the line of the wipe can be grabbed there."""
        return self.mode.is_wipe and abs(self._along(position) - self.line) <= _GRIP_PX

    def sides(self) -> tuple[QRect, QRect]:
        """What the line of the wipe leaves to source and result."""
        line = round(self.line)
        first, second = QRect(self.rect), QRect(self.rect)
        if self.mode is ViewMode.WIPE_VERTICAL:
            first.setWidth(line)
            second.setLeft(line)
        else:
            first.setHeight(line)
            second.setTop(line)
        return first, second

    def halves(self) -> tuple[QRect, QRect]:
        """Where source and result are side by side."""
        width = self.size[0] / self.ratio
        second_left = math.ceil(width + _GAP_PX)
        first = QRect(0, 0, math.floor(width), self.rect.height())
        return first, QRect(second_left, 0, self.rect.width() - second_left, self.rect.height())

    def _along(self, position: QPointF) -> float:
        return position.x() if self.mode is ViewMode.WIPE_VERTICAL else position.y()
