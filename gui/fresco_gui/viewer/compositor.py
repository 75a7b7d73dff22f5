"""Renders what the canvas shows, on a thread; only the newest wish counts."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage

from fresco_gui.media import threads
from fresco_gui.viewer.camera import Placement
from fresco_gui.viewer.panes import ViewMode
from fresco_gui.viewer.rendering import difference, onion, rendered

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class CanvasScene:
    """Everything that decides what the canvas shows, but the position of the wipe."""

    index: int
    mode: ViewMode
    source: QImage | None
    result: QImage | None
    place: Placement
    pane: tuple[int, int]
    """Device pixels of one pane; there are two side by side, else one."""
    gain: float = 4.0
    """Of the difference."""
    share: float = 0.5
    """Of the result in an onion skin."""
    is_fine: bool = True


@dataclass(frozen=True, kw_only=True)
class ComposedScene:
    """A scene as pictures of the size of its pane; a mixed one is `source` alone."""

    scene: CanvasScene
    source: QImage | None
    result: QImage | None


class Compositor(QObject):
    """Composes scenes one at a time.

    Signals:
        composed(object): a `ComposedScene` is there.
    """

    composed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wake = threading.Condition()
        self._wanted: CanvasScene | None = None
        self._is_closed = False
        self._kept: dict[object, QImage] = {}
        self._thread = threads.start(self._run, "compositor")

    def compose(self, scene: CanvasScene) -> None:
        """Compose `scene` next; one that was not begun yet is dropped."""
        with self._wake:
            self._wanted = scene
            self._wake.notify()

    def close(self) -> None:
        """End the thread."""
        with self._wake:
            self._is_closed = True
            self._wake.notify()
        threads.leave_to_end(self._thread, self)

    def _run(self) -> None:
        while (scene := self._next()) is not None:
            try:
                made = self._compose(scene)
            except Exception:
                logger.exception("a frame cannot be drawn")
                continue
            if not self._is_closed:
                self.composed.emit(made)

    def _next(self) -> CanvasScene | None:
        with self._wake:
            while self._wanted is None and not self._is_closed:
                self._wake.wait()
            scene, self._wanted = self._wanted, None
            return None if self._is_closed else scene

    def _compose(self, scene: CanvasScene) -> ComposedScene:
        kept, self._kept = self._kept, {}
        source = self._rendered(scene.source, scene, kept)
        result = self._rendered(scene.result, scene, kept)
        if scene.mode.is_mixed and source is not None and result is not None:
            if scene.mode is ViewMode.DIFFERENCE:
                mixed = difference(source, result, scene.gain)
            else:
                mixed = onion(source, result, scene.share)
            return ComposedScene(scene=scene, source=mixed, result=None)
        return ComposedScene(scene=scene, source=source, result=result)

    def _rendered(
        self, image: QImage | None, scene: CanvasScene, kept: dict[object, QImage]
    ) -> QImage | None:
        """The picture in its pane; the last one again if nothing has changed for it."""
        if image is None or not scene.pane[0] or not scene.pane[1]:
            return None
        key = (image.cacheKey(), scene.place, scene.pane, scene.is_fine)
        made = kept.get(key)
        if made is None:
            made = rendered(image, scene.place, scene.pane, is_fine=scene.is_fine)
        self._kept[key] = made
        return made
