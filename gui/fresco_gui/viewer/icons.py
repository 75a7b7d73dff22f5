"""Icons of the transport, drawn from paths so that they are sharp at every scale."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPen, QPixmap, QPolygonF

from fresco_gui.theme import TOKENS

_SIDE = 18
_Draw = Callable[[QPainter], None]


def icon(name: str) -> QIcon:
    """The icon of this name, in the colours of the theme that holds when it is painted."""
    return QIcon(_Drawn(_DRAWINGS[name]))


class _Drawn(QIconEngine):
    """An icon that is drawn when it is needed."""

    def __init__(self, draw: _Draw) -> None:
        super().__init__()
        self._draw = draw

    def clone(self) -> QIconEngine:
        """Another one of the same."""
        return _Drawn(self._draw)

    def paint(
        self, painter: QPainter | None, rect: QRect, mode: QIcon.Mode, state: QIcon.State
    ) -> None:
        """Draw it into a place."""
        if painter is None:
            return
        is_disabled = mode is QIcon.Mode.Disabled
        colour = QColor(TOKENS.disabled_text if is_disabled else TOKENS.text)
        painter.save()
        painter.translate(QPointF(rect.topLeft()))
        painter.scale(rect.width() / _SIDE, rect.height() / _SIDE)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour, 1.4))
        painter.setBrush(colour)
        self._draw(painter)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """It by itself."""
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, pixmap.rect(), mode, state)
        painter.end()
        return pixmap


def _triangle(painter: QPainter, left: float, right: float) -> None:
    """From its base at `left` to its tip at `right`, which may lie the other way round."""
    points = [QPointF(left, 4), QPointF(right, 9), QPointF(left, 14)]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPolygon(QPolygonF(points))


def _bar(painter: QPainter, x: float, width: float = 2) -> None:
    painter.fillRect(QRectF(x, 4, width, 10), painter.brush())


def _play(painter: QPainter) -> None:
    _triangle(painter, 5, 14)


def _pause(painter: QPainter) -> None:
    _bar(painter, 5, 3)
    _bar(painter, 10, 3)


def _to_start(painter: QPainter) -> None:
    _bar(painter, 3)
    _triangle(painter, 14, 6)


def _to_end(painter: QPainter) -> None:
    _bar(painter, 13)
    _triangle(painter, 4, 12)


def _step_back(painter: QPainter) -> None:
    _triangle(painter, 9, 3)
    _bar(painter, 11)


def _step_on(painter: QPainter) -> None:
    _bar(painter, 5)
    _triangle(painter, 9, 15)


def _frame(painter: QPainter) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(2.5, 4.5, 13, 9))


def _half(area: QRectF) -> _Draw:
    def draw(painter: QPainter) -> None:
        painter.fillRect(area, painter.brush())
        _frame(painter)

    return draw


def _side_by_side(painter: QPainter) -> None:
    painter.fillRect(QRectF(1.5, 5, 6.5, 8), painter.brush())
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(10.5, 5.5, 6, 7))


def _difference(painter: QPainter) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(2.5, 3.5, 9, 9))
    painter.drawRect(QRectF(6.5, 6.5, 9, 9))
    painter.drawLine(QPointF(7, 12), QPointF(11, 7))


def _onion(painter: QPainter) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QRectF(2.5, 4.5, 9, 9))
    painter.drawEllipse(QRectF(6.5, 4.5, 9, 9))


def _letter(letter: str) -> _Draw:
    def draw(painter: QPainter) -> None:
        font = painter.font()
        font.setPixelSize(13)
        font.setBold(True)
        painter.setFont(font)
        painter.drawText(QRectF(0, 0, _SIDE, _SIDE), Qt.AlignmentFlag.AlignCenter, letter)

    return draw


def _loop(painter: QPainter) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(QRectF(3.5, 4.5, 11, 9), 40 * 16, 280 * 16)
    painter.setBrush(painter.pen().color())
    painter.drawPolygon(QPolygonF([QPointF(15.5, 3.5), QPointF(15.5, 8.5), QPointF(11, 7)]))


def _sound(painter: QPainter) -> None:
    body = [(3, 7), (6, 7), (10, 3.5), (10, 14.5), (6, 11), (3, 11)]
    painter.drawPolygon(QPolygonF([QPointF(*point) for point in body]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(QRectF(8.5, 5, 6, 8), -60 * 16, 120 * 16)


_DRAWINGS: dict[str, _Draw] = {
    "play": _play,
    "pause": _pause,
    "to_start": _to_start,
    "to_end": _to_end,
    "step_back": _step_back,
    "step_on": _step_on,
    "source": _letter("A"),
    "result": _letter("B"),
    "wipe_vertical": _half(QRectF(2.5, 4.5, 6.5, 9)),
    "wipe_horizontal": _half(QRectF(2.5, 4.5, 13, 4.5)),
    "side_by_side": _side_by_side,
    "difference": _difference,
    "onion": _onion,
    "loop": _loop,
    "sound": _sound,
}
