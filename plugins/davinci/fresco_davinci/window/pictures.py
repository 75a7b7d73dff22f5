"""A picture with its caption, as large as there is room."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QWidget


class PictureView(QWidget):
    """Shows a picture, or words in its place."""

    def __init__(self, caption: str, words: str) -> None:
        super().__init__()
        self.setMinimumSize(300, 190)
        self._caption = caption
        self._words = words
        self._picture: QPixmap | None = None

    def sizeHint(self) -> QSize:
        """See QWidget."""
        return QSize(420, 260)

    @property
    def has_picture(self) -> bool:
        """Whether a picture is shown."""
        return self._picture is not None

    def show_picture(self, data: bytes, caption: str | None = None) -> None:
        """Show an encoded picture; what cannot be read changes nothing."""
        picture = QPixmap()
        if picture.loadFromData(data):
            self._picture = picture
            self._caption = caption or self._caption
            self.update()

    def show_words(self, words: str) -> None:
        """Show words; a picture that is shown stays."""
        self._words = words
        self.update()

    def clear(self, words: str) -> None:
        """Show words and no picture."""
        self._picture = None
        self.show_words(words)

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """See QWidget."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#181818"))
        room = self.rect().adjusted(0, 22, 0, 0)
        painter.setPen(QColor("#b8b8b8"))
        head = QRect(8, 0, self.width() - 16, 22)
        painter.drawText(head, Qt.AlignmentFlag.AlignVCenter, self._caption)
        if self._picture is None:
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room.adjusted(16, 0, -16, 0), flags, self._words)
            return
        size = self._picture.size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(room.topLeft(), size)
        place.moveCenter(room.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(place, self._picture)
