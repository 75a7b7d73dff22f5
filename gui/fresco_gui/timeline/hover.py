"""Hovering scrubs: a picture above the pointer, as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, QPoint, QSize
from PyQt6.QtWidgets import QWidget

from fresco_gui.media.source import FrameInfo
from fresco_gui.media.thumbnails import Span, Thumbnails
from fresco_gui.timeline.preview import Preview
from fresco_gui.timeline.scale import Scale
from fresco_gui.viewer.timecode import timecode

HEIGHT_PX = 120
"""Of the picture, in Qt's pixels."""


class Hover(QObject):
    """Shows the frame that is pointed at. `want` is called when another picture is needed."""

    def __init__(self, strip: QWidget, want: Callable[[], object]) -> None:
        super().__init__(strip)
        self._strip = strip
        self._want = want
        self._preview = Preview(strip)
        self._index: int | None = None

    @property
    def span(self) -> Span | None:
        """The thumbnail it needs."""
        return None if self._index is None else Span(self._index, self._index + 1)

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
        text = f"{timecode(index - info.first_index, info.frame_rate)}  ·  {index}"
        self._preview.show_at(
            self._strip.mapToGlobal(QPoint(inside, 0)),
            QSize(width, HEIGHT_PX),
            thumbnails.get(Span(index, index + 1)),
            text,
        )

    def forget(self) -> None:
        """Hide, and show nothing old next time."""
        self._index = None
        self._preview.forget()
