"""Frames of several sources in one row: for each index the first source that has it counts."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtGui import QImage

from fresco_gui.media.source import FrameInfo, FrameSource


class LayeredFrames(FrameSource):
    """Sources on top of each other, the uppermost first. They are not closed with it."""

    def __init__(self, layers: Sequence[FrameSource]) -> None:
        super().__init__()
        self.layers = tuple(layers)
        for layer in self.layers:
            layer.opened.connect(self.opened)
            layer.failed.connect(self.failed)
            layer.arrived.connect(self.arrived)

    @property
    def info(self) -> FrameInfo | None:
        return next((layer.info for layer in self.layers if layer.info is not None), None)

    def frame(self, index: int) -> QImage | None:
        layer = self._holder(index)
        return layer.frame(index) if layer is not None else None

    def peek(self, index: int) -> QImage | None:
        layer = self._holder(index)
        return layer.peek(index) if layer is not None else None

    def can_have(self, index: int) -> bool:
        return self._holder(index) is not None

    def expect(self, index: int, step: int) -> None:
        layer = self._holder(index)
        if layer is not None:
            layer.expect(index, step)

    def close(self) -> None:
        for layer in self.layers:
            layer.opened.disconnect(self.opened)
            layer.failed.disconnect(self.failed)
            layer.arrived.disconnect(self.arrived)
        self.layers = ()

    def _holder(self, index: int) -> FrameSource | None:
        return next((layer for layer in self.layers if layer.can_have(index)), None)
