"""Puts composed pictures onto the canvas, with labels that say which is which."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QCoreApplication, QPoint, QRect, Qt
from PyQt6.QtGui import QColor, QImage, QPainter

from fresco_gui.theme import DARK
from fresco_gui.viewer.compositor import ComposedScene
from fresco_gui.viewer.overlay import paint_badge, paint_label, paint_line
from fresco_gui.viewer.panes import Panes, ViewMode
from fresco_gui.viewer.side import SideNote

translate = QCoreApplication.translate
_VEIL = QColor(38, 38, 38, 150)
_DISTANCE_PX = 40
"""Of a badge from the lower edge."""


@dataclass(frozen=True, kw_only=True)
class CanvasPicture:
    """What is painted."""

    composed: ComposedScene
    panes: Panes
    has_result: bool
    """Whether A and B are two, one of which may miss this frame."""
    first: SideNote
    """Of A."""
    note: SideNote
    """Of B."""


def paint(painter: QPainter, picture: CanvasPicture) -> None:
    """A and B, as the mode has them."""
    composed, panes = picture.composed, picture.panes
    whole = _Side(panes.rect.topLeft(), panes.rect, Qt.Corner.TopLeftCorner)
    mode = composed.scene.mode
    if mode.is_wipe and picture.has_result:
        first, second = panes.sides()
        at = panes.rect.topLeft()
        _paint_first(painter, picture, _Side(at, first, _corner(panes, first)))
        _paint_second(painter, picture, _Side(at, second, _corner(panes, second)))
        paint_line(painter, mode, panes.line, panes.rect)
    elif mode is ViewMode.SIDE_BY_SIDE:
        first, second = (_Side(half.topLeft(), half, whole.corner) for half in panes.halves())
        _paint_first(painter, picture, first)
        _paint_second(painter, picture, second)
    elif mode is ViewMode.RESULT:
        _paint_second(painter, picture, whole)
    elif mode.is_mixed:
        _paint(painter, picture, composed.source, whole, _mixed_label(picture))
        _paint_note(painter, picture.note, whole.clip)
    elif picture.has_result:
        _paint_first(painter, picture, whole)
    else:
        _paint(painter, picture, composed.source, whole, "")


def _paint_first(painter: QPainter, picture: CanvasPicture, side: _Side) -> None:
    _paint(painter, picture, picture.composed.source, side, picture.first.name)
    _paint_note(painter, picture.first, side.clip)


def _paint_second(painter: QPainter, picture: CanvasPicture, side: _Side) -> None:
    """B; where the clip is to stand in for it and is A as well, that is there once."""
    composed = picture.composed
    image = composed.source if composed.result is None else composed.result
    _paint(painter, picture, image, side, picture.note.name)
    _paint_note(painter, picture.note, side.clip)


def _paint_note(painter: QPainter, note: SideNote, clip: QRect) -> None:
    painter.save()
    painter.setClipRect(clip)
    if note.is_faded:
        painter.fillRect(clip, _VEIL)
    if note.badge:
        paint_badge(painter, clip, note.badge, _DISTANCE_PX)
    painter.restore()


@dataclass(frozen=True)
class _Side:
    at: QPoint
    clip: QRect
    corner: Qt.Corner


def _paint(
    painter: QPainter, picture: CanvasPicture, image: QImage | None, side: _Side, label: str
) -> None:
    painter.save()
    painter.setClipRect(side.clip)
    if image is not None:
        image.setDevicePixelRatio(picture.panes.ratio)
        painter.drawImage(side.at, image)
    else:
        painter.setPen(QColor(DARK.faint_text))
        painter.drawText(side.clip, Qt.AlignmentFlag.AlignCenter, translate("Canvas", "Opening…"))
    if label:
        paint_label(painter, side.clip, label, side.corner)
    painter.restore()


def _mixed_label(picture: CanvasPicture) -> str:
    scene, first, second = picture.composed.scene, picture.first.name, picture.note.name
    if scene.result is None:
        return translate("Canvas", "Source")
    if scene.mode is ViewMode.DIFFERENCE:
        words = translate("Canvas", "Difference ×{gain}").format(gain=f"{scene.gain:g}")
    else:
        words = translate("Canvas", "Onion {share} %").format(share=round(scene.share * 100))
    return f"{words}: {first} / {second}"


def _corner(panes: Panes, side: QRect) -> Qt.Corner:
    """Where the label does not jump about while the line is dragged."""
    if panes.mode is ViewMode.WIPE_VERTICAL and side.left() > 0:
        return Qt.Corner.TopRightCorner
    if panes.mode is ViewMode.WIPE_HORIZONTAL and side.top() > 0:
        return Qt.Corner.BottomLeftCorner
    return Qt.Corner.TopLeftCorner
