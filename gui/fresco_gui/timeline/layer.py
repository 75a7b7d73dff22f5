"""A painting that is kept until what it shows has changed."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtGui import QFont, QPainter, QPixmap
from PyQt6.QtWidgets import QWidget


class Layer:
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
