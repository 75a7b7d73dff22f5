"""The clip's own frame in every look that the model knows, made once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fresco_client import ModelChoice, RestyleSettings, Session
from PyQt6.QtCore import QObject, pyqtSignal

from fresco_gui.clips.readable import ReadableClip
from fresco_gui.looks.kept import LookFiles
from fresco_gui.looks.maker import LookMaker, LookPart, LookPicture, LookRequest
from fresco_gui.project.relink import fingerprint_of
from fresco_gui.stream import Workers

SHEET_SIZE = 256
"""Short side at which the sheet is made: enough to choose by, in seconds each."""
_LONG_SIDE = 512


class StyleLooks(QObject):
    """Makes the sheet of a frame, in the order in which it is seen.

    Signals:
        began(int): the sheet of this frame.
        arrived(str, LookPicture): the frame in this style.
        moved(): another one is being made, or none any more.
    """

    began = pyqtSignal(int)
    arrived = pyqtSignal(str, object)
    moved = pyqtSignal()

    def __init__(self, workers: Workers, files: LookFiles, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workers = workers
        self._files = files
        self._maker = LookMaker(workers, self)
        self._maker.arrived.connect(self._on_arrived)
        self._maker.ended.connect(self._on_ended)
        self._left: list[str] = []
        self._now = ""
        self._clip: ReadableClip | None = None
        self._session: Session | None = None
        self._model = ""
        self._mark = ""
        self.index = 0

    @property
    def now(self) -> str:
        """The style that is being made; empty for none."""
        return self._now

    @property
    def is_at_work(self) -> bool:
        """Whether a sheet is being brought."""
        return self._clip is not None

    def show(
        self, session: Session, clip: ReadableClip, index: int, model: str, styles: Sequence[str]
    ) -> None:
        """Bring this frame in these styles: from what is kept at once, the others one by one."""
        self.stop()
        self._session, self._clip, self.index, self._model = session, clip, index, model
        wanted = tuple(styles)
        self.began.emit(index)

        def known(found: object) -> None:
            if self._clip is not clip or self.index != index or not isinstance(found, tuple):
                return
            self._mark, pictures = found
            for style, data in pictures.items():
                self.arrived.emit(style, self._picture(style, data))
            self._left = [style for style in wanted if style not in pictures]
            self._next()

        self._workers.call(lambda: self._known(clip.path, index, model, wanted), known)

    def want_first(self, style: str) -> None:
        """Make this one next: somebody waits for it."""
        if style in self._left:
            self._left.remove(style)
            self._left.insert(0, style)

    def stop(self) -> None:
        """Make no more."""
        self._left.clear()
        self._clip = None
        self._maker.cancel()

    def settings_of(self, style: str) -> RestyleSettings:
        """What a picture of the sheet is made with."""
        return RestyleSettings(style=style, preset="draft", size=SHEET_SIZE)

    def _known(
        self, path: Path, index: int, model: str, styles: Sequence[str]
    ) -> tuple[str, dict[str, bytes]]:
        """What tells the clip from others, and the pictures of it that were made before."""
        mark = fingerprint_of(path) or str(path)
        kept = {style: self._files.cached(_key(mark, index, model, style)) for style in styles}
        return mark, {style: data for style, data in kept.items() if data is not None}

    def _next(self) -> None:
        if not self._left or self._clip is None or self._session is None:
            self._now = ""
            self.moved.emit()
            return
        self._now = self._left.pop(0)
        self.moved.emit()
        order = LookRequest(
            clip=self._clip.source,
            index=self.index,
            variants=(self.settings_of(self._now),),
            model=ModelChoice(source=self._model) if self._model else None,
            long_side=_LONG_SIDE,
        )
        self._maker.make(self._session, order)

    def _on_arrived(self, look: LookPicture) -> None:
        self._files.cache(_key(self._mark, look.index, self._model, self._now), look.data)
        self.arrived.emit(self._now, look)

    def _on_ended(self) -> None:
        # One that failed, as the daemon went away, leaves its place empty; the next may be made.
        self._next()

    def _picture(self, style: str, data: bytes) -> LookPicture:
        settings = replace(self.settings_of(style))
        return LookPicture(
            part=LookPart(0), index=self.index, settings=settings, data=data, model=self._model
        )


def _key(mark: str, index: int, model: str, style: str) -> dict[str, object]:
    return {"clip": mark, "index": index, "model": model, "style": style, "size": SHEET_SIZE}
