"""What the canvas paints over pictures: labels and the wipe's line."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen

from fresco_gui.theme import TOKENS
from fresco_gui.viewer.modes import ViewMode

_MARGIN_PX = 8
_GRIP_RADIUS = 11


def paint_label(painter: QPainter, side: QRect, label: str, corner: Qt.Corner) -> None:
    """Say what is seen on one side, in a corner of it."""
    box = painter.fontMetrics().boundingRect(label).adjusted(-6, -3, 6, 3)
    if corner is Qt.Corner.TopRightCorner:
        box.moveTopRight(side.topRight() + QPoint(-_MARGIN_PX, _MARGIN_PX))
    elif corner is Qt.Corner.BottomLeftCorner:
        box.moveBottomLeft(side.bottomLeft() + QPoint(_MARGIN_PX, -_MARGIN_PX))
    else:
        box.moveTopLeft(side.topLeft() + QPoint(_MARGIN_PX, _MARGIN_PX))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 20, 20, 190))
    painter.drawRoundedRect(QRectF(box), 3, 3)
    painter.setPen(QColor(TOKENS.text))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, label)


def paint_line(painter: QPainter, mode: ViewMode, at: float, whole: QRect) -> None:
    """The line of a wipe at a place along its axis, with a grip in its middle."""
    line = round(at) + 0.5
    is_vertical = mode is ViewMode.WIPE_VERTICAL
    if is_vertical:
        begin, end = QPointF(line, 0), QPointF(line, whole.height())
    else:
        begin, end = QPointF(0, line), QPointF(whole.width(), line)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((QColor(0, 0, 0, 150), 3.0), (QColor(TOKENS.text), 1.0)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(begin, end)
    _paint_grip(painter, (begin + end) / 2, is_vertical=is_vertical)


def _paint_grip(painter: QPainter, middle: QPointF, *, is_vertical: bool) -> None:
    painter.setBrush(QColor(30, 30, 30, 220))
    painter.setPen(QPen(QColor(TOKENS.text), 1.2))
    painter.drawEllipse(middle, _GRIP_RADIUS, _GRIP_RADIUS)
    along = QPointF(1, 0) if is_vertical else QPointF(0, 1)
    across = QPointF(along.y(), along.x())
    for side in (-1, 1):
        tip, back = middle + along * (7 * side), middle + along * (3 * side)
        painter.drawLine(tip, back + across * 3.5)
        painter.drawLine(tip, back - across * 3.5)
