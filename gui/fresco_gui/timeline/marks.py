"""Marks of keyframes: each state has a shape of its own beside its colour."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF

from fresco_gui.theme import TOKENS
from fresco_gui.timeline.content import KeyframeState

RADIUS = 6.0


def colour_of(state: KeyframeState) -> QColor:
    """The colour of a state."""
    colours = {
        KeyframeState.PLANNED: TOKENS.faint_text,
        KeyframeState.RENDERING: TOKENS.focus,
        KeyframeState.DONE: TOKENS.good,
        KeyframeState.LOCKED: TOKENS.accent,
        KeyframeState.FAILED: TOKENS.bad,
    }
    return QColor(colours[state])


def paint_mark(painter: QPainter, at: QPointF, state: KeyframeState) -> None:
    """Paint the mark of a keyframe around a point."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = colour_of(state)
    painter.setPen(QPen(QColor(0, 0, 0, 160), 3))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _DRAWINGS[state](painter, at, colour, is_shadow=True)
    painter.setPen(QPen(colour, 1.6))
    _DRAWINGS[state](painter, at, colour, is_shadow=False)
    painter.restore()


def _diamond(at: QPointF) -> QPolygonF:
    r = RADIUS
    return QPolygonF(
        [at + QPointF(0, -r), at + QPointF(r, 0), at + QPointF(0, r), at + QPointF(-r, 0)]
    )


def _planned(painter: QPainter, at: QPointF, colour: QColor, *, is_shadow: bool) -> None:
    """A hollow diamond."""
    painter.drawPolygon(_diamond(at))


def _rendering(painter: QPainter, at: QPointF, colour: QColor, *, is_shadow: bool) -> None:
    """A diamond that is half full."""
    painter.drawPolygon(_diamond(at))
    if not is_shadow:
        r = RADIUS
        painter.setBrush(colour)
        painter.drawPolygon(
            QPolygonF([at + QPointF(-r, 0), at + QPointF(r, 0), at + QPointF(0, r)])
        )


def _done(painter: QPainter, at: QPointF, colour: QColor, *, is_shadow: bool) -> None:
    """A full diamond."""
    if not is_shadow:
        painter.setBrush(colour)
    painter.drawPolygon(_diamond(at))


def _locked(painter: QPainter, at: QPointF, colour: QColor, *, is_shadow: bool) -> None:
    """A padlock."""
    painter.drawArc(QRectF(at.x() - 3, at.y() - 6.5, 6, 8), 0, 180 * 16)
    if not is_shadow:
        painter.setBrush(colour)
    painter.drawRect(QRectF(at.x() - 5, at.y() - 1.5, 10, 7))


def _failed(painter: QPainter, at: QPointF, colour: QColor, *, is_shadow: bool) -> None:
    """A cross."""
    r = RADIUS - 1
    if not is_shadow:
        painter.setPen(QPen(colour, 2.4))
    painter.drawLine(at + QPointF(-r, -r), at + QPointF(r, r))
    painter.drawLine(at + QPointF(-r, r), at + QPointF(r, -r))


_DRAWINGS = {
    KeyframeState.PLANNED: _planned,
    KeyframeState.RENDERING: _rendering,
    KeyframeState.DONE: _done,
    KeyframeState.LOCKED: _locked,
    KeyframeState.FAILED: _failed,
}
