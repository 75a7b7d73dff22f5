"""The picture above the pointer: hovering over the filmstrip scrubs without moving playback."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from fresco_gui.theme import TOKENS

_LABEL_PX = 20


class Preview(QWidget):
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
