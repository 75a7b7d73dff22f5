"""Puts composed pictures onto the canvas, with a label that says which is which."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QCoreApplication, QPoint, QRect, Qt
from PyQt6.QtGui import QColor, QImage, QPainter

from fresco_gui.theme import TOKENS
from fresco_gui.viewer.compositor import ComposedScene
from fresco_gui.viewer.overlay import paint_label, paint_line
from fresco_gui.viewer.panes import Panes, ViewMode

translate = QCoreApplication.translate


@dataclass(frozen=True, kw_only=True)
class CanvasPicture:
    """What is painted."""

    composed: ComposedScene
    panes: Panes
    has_result: bool
    """Whether there is a result at all, which may miss this frame yet."""
    has_source: bool
    """Whether the clip's frame is there."""


def paint(painter: QPainter, picture: CanvasPicture) -> None:
    """Source and result, as the mode has them."""
    composed, panes = picture.composed, picture.panes
    whole = _Side(panes.rect.topLeft(), panes.rect, Qt.Corner.TopLeftCorner)
    source, result = translate("Canvas", "A source"), translate("Canvas", "B result")
    mode = composed.scene.mode
    if mode.is_wipe and picture.has_result:
        first, second = panes.sides()
        at = panes.rect.topLeft()
        _paint(painter, picture, composed.source, _Side(at, first, _corner(panes, first)), source)
        _paint(painter, picture, composed.result, _Side(at, second, _corner(panes, second)), result)
        paint_line(painter, mode, panes.line, panes.rect)
    elif mode is ViewMode.SIDE_BY_SIDE:
        first, second = (_Side(half.topLeft(), half, whole.corner) for half in panes.halves())
        _paint(painter, picture, composed.source, first, source)
        _paint(painter, picture, composed.result, second, result)
    elif mode is ViewMode.RESULT:
        _paint(painter, picture, composed.result, whole, result)
    else:
        _paint(painter, picture, composed.source, whole, _single_label(picture))


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
    elif label and picture.has_source:
        painter.setPen(QColor(TOKENS.faint_text))
        painter.drawText(
            side.clip, Qt.AlignmentFlag.AlignCenter, translate("Canvas", "Not restyled yet")
        )
    if label:
        paint_label(painter, side.clip, label, side.corner)
    painter.restore()


def _single_label(picture: CanvasPicture) -> str:
    scene = picture.composed.scene
    if not picture.has_result:
        return ""
    is_mixed = scene.mode.is_mixed and scene.result is not None
    if is_mixed and scene.mode is ViewMode.DIFFERENCE:
        return translate("Canvas", "Difference ×{gain}").format(gain=f"{scene.gain:g}")
    if is_mixed:
        return translate("Canvas", "Onion {share} %").format(share=round(scene.share * 100))
    return translate("Canvas", "A source")


def _corner(panes: Panes, side: QRect) -> Qt.Corner:
    """Where the label does not jump about while the line is dragged."""
    if panes.mode is ViewMode.WIPE_VERTICAL and side.left() > 0:
        return Qt.Corner.TopRightCorner
    if panes.mode is ViewMode.WIPE_HORIZONTAL and side.top() > 0:
        return Qt.Corner.BottomLeftCorner
    return Qt.Corner.TopLeftCorner
