"""Paints the filmstrip's rows, from top to bottom: times, thumbnails, keyframes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fresco_settings.timecode import timecode_of
from PyQt6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QImage, QPainter, QPen, QPixmap, QPolygonF
from PyQt6.QtWidgets import QWidget

from fresco_gui.media.source import FrameInfo
from fresco_gui.media.thumbnails import Thumbnails
from fresco_gui.theme import DARK, TOKENS
from fresco_gui.timeline.content import FilmstripContent
from fresco_gui.timeline.marks import RADIUS, colour_of, paint_mark
from fresco_gui.timeline.scale import Scale


class CachedLayer:
    """Everything on the filmstrip but the playhead, which moves with every frame that is played."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget
        self._pixmap: QPixmap | None = None

    def forget(self) -> None:
        """What it shows has changed."""
        self._pixmap = None

    def pixmap(self, font: QFont, paint: Callable[[QPainter], object]) -> QPixmap:
        """What is kept, or painted now."""
        ratio = self._widget.devicePixelRatioF()
        size = self._widget.size() * ratio
        if self._pixmap is None or self._pixmap.size() != size:
            self._pixmap = QPixmap(size)
            self._pixmap.setDevicePixelRatio(ratio)
            painter = QPainter(self._pixmap)
            painter.setFont(font)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            paint(painter)
            painter.end()
        return self._pixmap


RULER_PX, THUMBNAIL_PX, DONE_PX, KEYS_PX = 20, 54, 5, 44
HEIGHT = RULER_PX + THUMBNAIL_PX + DONE_PX + KEYS_PX
_KEYS_TOP = RULER_PX + THUMBNAIL_PX + DONE_PX
_LABEL_EVERY_PX = 110
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True)
class Strip:
    """What is painted."""

    info: FrameInfo
    scale: Scale
    content: FilmstripContent
    thumbnails: Thumbnails | None
    frame: int
    limits: tuple[int, int]
    hovered: int | None
    selected: int | None
    key_image_width: float


def paint(painter: QPainter, strip: Strip) -> None:
    """All rows and the range."""
    _ruler(painter, strip)
    _thumbnails(painter, strip)
    _shots(painter, strip)
    _done(painter, strip)
    _outside(painter, strip)
    _keyframes(painter, strip)
    _handles(painter, strip)


def _ruler(painter: QPainter, strip: Strip) -> None:
    scale, info = strip.scale, strip.info
    painter.fillRect(QRectF(0, 0, scale.width, RULER_PX), QColor(TOKENS.panel))
    step = _label_step(scale, info)
    first = scale.index(0) - info.first_index
    last = scale.index(scale.width) - info.first_index
    painter.setPen(QColor(TOKENS.faint_text))
    for place in range(first // step * step, last + 1, step):
        x = scale.x(place + info.first_index)
        painter.drawLine(QPointF(x, RULER_PX - 5), QPointF(x, RULER_PX))
        label = timecode_of(place, info.frame_rate)
        # A part of it would be taken for another time.
        if x + 3 + painter.fontMetrics().horizontalAdvance(label) <= scale.width:
            painter.drawText(QPointF(x + 3, RULER_PX - 6), label)


def _label_step(scale: Scale, info: FrameInfo) -> int:
    """Frames from one label to the next."""
    least = _LABEL_EVERY_PX / scale.frame_px
    second = max(1, round(info.frame_rate))
    for frames in (1, 2, 5, 10, *(seconds * second for seconds in _STEPS_S)):
        if frames >= least:
            return frames
    return max(1, round(least))


def _thumbnails(painter: QPainter, strip: Strip) -> None:
    scale = strip.scale
    row = QRectF(0, RULER_PX, scale.width, THUMBNAIL_PX)
    painter.fillRect(row, QColor(TOKENS.field))
    if strip.thumbnails is None:
        return
    painter.save()
    for span in scale.spans(thumbnail_width(strip.info)):
        left, right = scale.x(span.start), scale.x(span.stop)
        image = strip.thumbnails.get(span)
        if image is None:
            continue
        painter.setClipRect(QRectF(left, RULER_PX, right - left, THUMBNAIL_PX))
        width = THUMBNAIL_PX * image.width() / max(image.height(), 1)
        at = left if right - left <= width * 1.5 else left + (right - left - width) / 2
        painter.drawImage(QRectF(at, RULER_PX, width, THUMBNAIL_PX), image)
    painter.restore()


def thumbnail_width(info: FrameInfo) -> float:
    """Pixels that a thumbnail takes."""
    return float(THUMBNAIL_PX * info.width * info.pixel_aspect / info.height)


def _shots(painter: QPainter, strip: Strip) -> None:
    """A gap with a bracket where a shot begins."""
    bottom = RULER_PX + THUMBNAIL_PX
    for number, (start, _) in enumerate(strip.content.shots, 1):
        x = strip.scale.x(start)
        if number > 1:
            painter.fillRect(QRectF(x - 1.5, RULER_PX, 3, THUMBNAIL_PX), QColor(TOKENS.window))
            painter.setPen(QPen(QColor(TOKENS.text), 1))
            painter.drawLine(QPointF(x, RULER_PX), QPointF(x, bottom))
        if len(strip.content.shots) > 1:
            _tag(
                painter,
                QPointF(x + 4, RULER_PX + 4),
                QCoreApplication.translate("Filmstrip", "Shot {n}").format(n=number),
            )


def _tag(painter: QPainter, at: QPointF, text: str) -> None:
    box = QRectF(painter.fontMetrics().boundingRect(text)).adjusted(-4, -1, 4, 1)
    box.moveTopLeft(at)
    painter.fillRect(box, QColor(20, 20, 20, 190))
    painter.setPen(QColor(DARK.text))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _done(painter: QPainter, strip: Strip) -> None:
    top = RULER_PX + THUMBNAIL_PX
    painter.fillRect(QRectF(0, top, strip.scale.width, DONE_PX), QColor(TOKENS.window))
    for start, stop in strip.content.done:
        left, right = strip.scale.x(start), strip.scale.x(stop)
        painter.fillRect(QRectF(left, top + 1, right - left, DONE_PX - 2), QColor(TOKENS.good))
    for index in strip.content.pending:
        left = strip.scale.x(index)
        box = QRectF(left, top, strip.scale.frame_px + 0.5, DONE_PX)
        painter.fillRect(box, QColor(TOKENS.disabled_text))


def _outside(painter: QPainter, strip: Strip) -> None:
    """What lies outside of in and out points is dimmed."""
    first, last = strip.limits
    shade = QColor(20, 20, 20, 170)
    left, right = strip.scale.x(first), strip.scale.x(last + 1)
    height = THUMBNAIL_PX + DONE_PX
    painter.fillRect(QRectF(0, RULER_PX, max(left, 0), height), shade)
    rest = max(strip.scale.width - right, 0)
    painter.fillRect(QRectF(right, RULER_PX, rest, height), shade)


def _keyframes(painter: QPainter, strip: Strip) -> None:
    scale = strip.scale
    painter.fillRect(QRectF(0, _KEYS_TOP, scale.width, KEYS_PX), QColor(TOKENS.window))
    free_from = -1e9
    for index, state in strip.content.keyframes.items():
        x = key_x(scale, index)
        if not -60 < x < scale.width + 60:
            continue
        image = strip.content.images.get(index)
        half = strip.key_image_width / 2
        if image is not None and x - half >= free_from:
            _key_image(painter, x, image, strip, index)
            free_from = x + half + 2
        painter.setPen(QPen(colour_of(state), 1))
        painter.drawLine(QPointF(x, RULER_PX + THUMBNAIL_PX - 4), QPointF(x, _KEYS_TOP + 4))
        at = QPointF(x, _KEYS_TOP + RADIUS + 4)
        if index in (strip.hovered, strip.selected):
            painter.setBrush(QColor(255, 255, 255, 46))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawEllipse(at, RADIUS + 4, RADIUS + 4)
        paint_mark(painter, at, state)


def key_x(scale: Scale, index: int) -> float:
    """Where the mark of a keyframe is: the middle of its frame, inside the strip's ends."""
    middle = scale.x(index) + min(scale.frame_px, 2 * RADIUS) / 2
    is_first, is_last = index == scale.first, index == scale.first + scale.count - 1
    if is_first and scale.offset == 0:
        return max(middle, RADIUS + 2)
    if is_last:
        return min(middle, scale.x(index + 1) - RADIUS - 2)
    return middle


def _key_image(painter: QPainter, x: float, image: QImage, strip: Strip, index: int) -> None:
    width = strip.key_image_width
    left = min(max(x - width / 2, 1.0), strip.scale.width - width - 1)
    box = QRectF(left, _KEYS_TOP + 2, width, KEYS_PX - 4)
    painter.drawImage(box, image)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    is_marked = index == strip.selected
    painter.setPen(QPen(QColor(TOKENS.focus if is_marked else TOKENS.border), 1))
    painter.drawRect(box)


def _handles(painter: QPainter, strip: Strip) -> None:
    """Brackets at in and out points, in the ruler."""
    first, last = strip.limits
    painter.setPen(QPen(QColor(TOKENS.text), 2))
    bottom = RULER_PX + THUMBNAIL_PX
    for x, inward in ((strip.scale.x(first) + 1, 6), (strip.scale.x(last + 1) - 1, -6)):
        painter.drawLine(QPointF(x, 3), QPointF(x, bottom))
        painter.drawLine(QPointF(x, 3), QPointF(x + inward, 3))
        painter.drawLine(QPointF(x, bottom), QPointF(x + inward, bottom))


def paint_playhead(painter: QPainter, strip: Strip) -> None:
    """Where playback is."""
    scale = strip.scale
    x = scale.x(strip.frame)
    middle = x + scale.frame_px / 2
    if scale.frame_px >= 4:
        painter.fillRect(QRectF(x, RULER_PX, scale.frame_px, HEIGHT), QColor(255, 255, 255, 26))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(0, 0, 0, 140), 3))
    painter.drawLine(QPointF(middle, 4), QPointF(middle, HEIGHT))
    painter.setPen(QPen(QColor(TOKENS.focus), 1.4))
    painter.drawLine(QPointF(middle, 4), QPointF(middle, HEIGHT))
    painter.setBrush(QColor(TOKENS.focus))
    painter.setPen(Qt.PenStyle.NoPen)
    points = [QPointF(middle - 5, 2), QPointF(middle + 5, 2), QPointF(middle, 10)]
    painter.drawPolygon(QPolygonF(points))
