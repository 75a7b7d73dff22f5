"""Puts composed pictures onto the canvas, with a label that says which is which."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QCoreApplication, QPoint, QRect, Qt
from PyQt6.QtGui import QColor, QImage, QPainter

from fresco_gui.theme import DARK
from fresco_gui.viewer.compositor import ComposedScene
from fresco_gui.viewer.overlay import paint_badge, paint_label, paint_line
from fresco_gui.viewer.panes import Panes, ViewMode

translate = QCoreApplication.translate
_VEIL = QColor(38, 38, 38, 150)
_DISTANCE_PX = 40
"""Of a badge from the lower edge."""


@dataclass(frozen=True, kw_only=True)
class ResultNote:
    """What is to be known of the result at a frame."""

    name: str = ""
    """What B is, if not the result."""
    badge: str = ""
    """Said over its picture; empty for nothing."""
    is_faded: bool = False
    """Whether the picture will soon be another."""


@dataclass(frozen=True, kw_only=True)
class CanvasPicture:
    """What is painted."""

    composed: ComposedScene
    panes: Panes
    has_result: bool
    """Whether there is a result at all, which may miss this frame yet."""
    note: ResultNote = ResultNote()
    source_name: str = ""
    """What A is, if not the clip."""


def paint(painter: QPainter, picture: CanvasPicture) -> None:
    """Source and result, as the mode has them."""
    composed, panes = picture.composed, picture.panes
    whole = _Side(panes.rect.topLeft(), panes.rect, Qt.Corner.TopLeftCorner)
    source = picture.source_name or translate("Canvas", "A source")
    result = picture.note.name or translate("Canvas", "B result")
    mode = composed.scene.mode
    if mode.is_wipe and picture.has_result:
        first, second = panes.sides()
        at = panes.rect.topLeft()
        _paint(painter, picture, composed.source, _Side(at, first, _corner(panes, first)), source)
        _paint_result(painter, picture, _Side(at, second, _corner(panes, second)), result)
        paint_line(painter, mode, panes.line, panes.rect)
    elif mode is ViewMode.SIDE_BY_SIDE:
        first, second = (_Side(half.topLeft(), half, whole.corner) for half in panes.halves())
        _paint(painter, picture, composed.source, first, source)
        _paint_result(painter, picture, second, result)
    elif mode is ViewMode.RESULT:
        _paint_result(painter, picture, whole, result)
    else:
        _paint(painter, picture, composed.source, whole, _single_label(picture, source))
        if mode.is_mixed:
            _paint_note(painter, picture.note, whole.clip)


def _paint_result(painter: QPainter, picture: CanvasPicture, side: _Side, label: str) -> None:
    """The result; what stands in for it where it is not there, with a badge that says so."""
    composed = picture.composed
    image = composed.source if composed.result is None else composed.result
    _paint(painter, picture, image, side, label)
    _paint_note(painter, picture.note, side.clip)


def _paint_note(painter: QPainter, note: ResultNote, clip: QRect) -> None:
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


def _single_label(picture: CanvasPicture, source: str) -> str:
    scene = picture.composed.scene
    if not picture.has_result:
        return ""
    is_mixed = scene.mode.is_mixed and scene.result is not None
    if is_mixed and scene.mode is ViewMode.DIFFERENCE:
        return translate("Canvas", "Difference ×{gain}").format(gain=f"{scene.gain:g}")
    if is_mixed:
        return translate("Canvas", "Onion {share} %").format(share=round(scene.share * 100))
    return source


def _corner(panes: Panes, side: QRect) -> Qt.Corner:
    """Where the label does not jump about while the line is dragged."""
    if panes.mode is ViewMode.WIPE_VERTICAL and side.left() > 0:
        return Qt.Corner.TopRightCorner
    if panes.mode is ViewMode.WIPE_HORIZONTAL and side.top() > 0:
        return Qt.Corner.BottomLeftCorner
    return Qt.Corner.TopLeftCorner
