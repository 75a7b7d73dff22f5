"""What the canvas paints over pictures: labels, the wipe's line, the pixel under the pointer."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QCoreApplication, QPoint, QPointF, QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPen

from fresco_gui.theme import DARK
from fresco_gui.viewer.panes import ViewMode

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class PixelReading:
    """A pixel of the source by column and row, and its 8 bit values."""

    x: int
    y: int
    source: Colour | None
    result: Colour | None

    def words(self) -> str:
        """One line for the user."""
        parts = [f"x {self.x}  y {self.y}"]
        if self.source is not None:
            parts.append(f"A {_values(self.source)}")
        if self.result is not None:
            parts.append(f"B {_values(self.result)}")
        if self.source is not None and self.result is not None:
            apart = (b - a for a, b in zip(self.source, self.result, strict=True))
            delta = QCoreApplication.translate("PixelReading", "B−A")
            parts.append(f"{delta} {'  '.join(f'{value:+d}' for value in apart)}")
        return "    ".join(parts)


def read(
    share: tuple[float, float], size: tuple[int, int], source: QImage | None, result: QImage | None
) -> PixelReading | None:
    """What lies at `share` (0 to 1 of width and height) of pictures; None outside of them.

    `size` is the source's width and height.
    """
    if not (0 <= share[0] < 1 and 0 <= share[1] < 1):
        return None
    x, y = int(share[0] * size[0]), int(share[1] * size[1])
    return PixelReading(x, y, _colour(source, share), _colour(result, share))


def _colour(image: QImage | None, share: tuple[float, float]) -> Colour | None:
    if image is None or image.isNull():
        return None
    colour = image.pixelColor(int(share[0] * image.width()), int(share[1] * image.height()))
    return colour.red(), colour.green(), colour.blue()


def _values(colour: Colour) -> str:
    return " ".join(f"{value:3d}" for value in colour)


_MARGIN_PX = 8
_GRIP_RADIUS = 11


def paint_label(painter: QPainter, side: QRect, label: str, corner: Qt.Corner) -> None:
    """Say what is seen on one side, in a corner of it."""
    room = side.width() - 2 * _MARGIN_PX - 12
    label = painter.fontMetrics().elidedText(label, Qt.TextElideMode.ElideRight, max(room, 0))
    if not label:
        return
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
    painter.setPen(QColor(DARK.text))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, label)


def paint_badge(painter: QPainter, side: QRect, text: str, distance: int) -> None:
    """Say something about a picture, in the middle above its lower edge; it is cut off nowhere."""
    room = side.width() - 2 * _MARGIN_PX
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, max(room - 20, 0))
    box = painter.fontMetrics().boundingRect(shown).adjusted(-10, -5, 10, 5)
    box.moveCenter(QPoint(side.center().x(), side.bottom() - distance))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(DARK.border), 1))
    painter.setBrush(QColor(20, 20, 20, 215))
    painter.drawRoundedRect(QRectF(box), 4, 4)
    painter.setPen(QColor(DARK.text))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, shown)


def paint_line(painter: QPainter, mode: ViewMode, at: float, whole: QRect) -> None:
    """The line of a wipe at a place along its axis, with a grip in its middle."""
    line = round(at) + 0.5
    is_vertical = mode is ViewMode.WIPE_VERTICAL
    if is_vertical:
        begin, end = QPointF(line, 0), QPointF(line, whole.height())
    else:
        begin, end = QPointF(0, line), QPointF(whole.width(), line)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((QColor(0, 0, 0, 150), 3.0), (QColor(DARK.text), 1.0)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(begin, end)
    _paint_grip(painter, (begin + end) / 2, is_vertical=is_vertical)


def _paint_grip(painter: QPainter, middle: QPointF, *, is_vertical: bool) -> None:
    painter.setBrush(QColor(30, 30, 30, 220))
    painter.setPen(QPen(QColor(DARK.text), 1.2))
    painter.drawEllipse(middle, _GRIP_RADIUS, _GRIP_RADIUS)
    along = QPointF(1, 0) if is_vertical else QPointF(0, 1)
    across = QPointF(along.y(), along.x())
    for side in (-1, 1):
        tip, back = middle + along * (7 * side), middle + along * (3 * side)
        painter.drawLine(tip, back + across * 3.5)
        painter.drawLine(tip, back - across * 3.5)
