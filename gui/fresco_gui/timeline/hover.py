"""Hovering scrubs: a picture above the pointer, as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable

from fresco_settings.timecode import timecode_of
from PyQt6.QtCore import QObject, QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from fresco_gui.media.source import FrameInfo
from fresco_gui.media.thumbnails import FrameSpan, Thumbnails
from fresco_gui.theme import TOKENS
from fresco_gui.timeline.scale import Scale

_LABEL_PX = 20


class PreviewPopup(QWidget):
    """One small picture with a line of text, shown as a tool tip is."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.ToolTip)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._image: QImage | None = None
        self._text = ""

    def show_at(self, bottom_middle: QPoint, size: QSize, image: QImage | None, text: str) -> None:
        """Show the picture (the last one until it is there) above a point of the screen."""
        self._image = image or self._image
        self._text = text
        self.resize(size.width() + 4, size.height() + _LABEL_PX + 4)
        self.move(bottom_middle - QPoint(self.width() // 2, self.height() + 4))
        self.update()
        self.show()

    def forget(self) -> None:
        """Hide, and show nothing old next time."""
        self._image = None
        self.hide()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Paint picture and text."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(TOKENS.field))
        painter.setPen(QColor(TOKENS.border))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        place = QRect(2, 2, self.width() - 4, self.height() - _LABEL_PX - 4)
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(place, self._image)
        painter.setPen(QColor(TOKENS.text))
        label = QRect(0, place.bottom(), self.width(), _LABEL_PX)
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, self._text)


HEIGHT_PX = 120
"""Of the picture, in Qt's pixels."""


class HoverPreview(QObject):
    """Shows the frame that is pointed at. `want` is called when another picture is needed."""

    def __init__(self, strip: QWidget, want: Callable[[], object]) -> None:
        super().__init__(strip)
        self._strip = strip
        self._want = want
        self._preview = PreviewPopup(strip)
        self._index: int | None = None

    @property
    def span(self) -> FrameSpan | None:
        """The thumbnail it needs."""
        return None if self._index is None else FrameSpan(self._index, self._index + 1)

    def point_at(self, index: int | None) -> bool:
        """Have this frame shown, or none; whether it is another one than before."""
        if index == self._index:
            return False
        self._index = index
        if index is None:
            self._preview.forget()
        self._want()
        return index is not None

    def show(self, info: FrameInfo, thumbnails: Thumbnails, scale: Scale) -> None:
        """Show the frame that is pointed at, or the one before until it is there."""
        index = self._index
        if index is None:
            return
        width = round(HEIGHT_PX * info.width * info.pixel_aspect / info.height)
        middle = scale.x(index) + scale.frame_px / 2
        inside = round(min(max(middle, 0), self._strip.width()))
        text = f"{timecode_of(index - info.first_index, info.frame_rate)}  ·  {index}"
        self._preview.show_at(
            self._strip.mapToGlobal(QPoint(inside, 0)),
            QSize(width, HEIGHT_PX),
            thumbnails.get(FrameSpan(index, index + 1)),
            text,
        )

    def forget(self) -> None:
        """Hide, and show nothing old next time."""
        self._index = None
        self._preview.forget()
