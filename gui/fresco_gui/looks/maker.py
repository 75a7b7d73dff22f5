"""Has looks made, one seed after the other."""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
from fresco_client import (
    ClipSource,
    Look,
    LookedPicture,
    LookProgress,
    ModelChoice,
    PictureOptions,
    RestyleSettings,
    Session,
)
from fresco_media.stills.mask_picture import white_of, with_region
from fresco_media.stills.png import decode_mask, decode_png, encode_png
from fresco_settings import ControlChoice, InvalidSettings
from PyQt6.QtCore import QCoreApplication, QObject, pyqtSignal

from fresco_gui.clips.readable import with_files
from fresco_gui.stream import StreamWorker, Workers

_MOST_LETTERS = 40
"""Of a prompt, where it stands for a look."""

translate = QCoreApplication.translate


@dataclass(frozen=True)
class LookPart:
    """What a picture is of: the settings of this number, or what a kind of control shows."""

    number: int
    kind: str = ""
    """Empty for the one that the model recommends."""
    is_control: bool = False


@dataclass(frozen=True, kw_only=True)
class LookRequest:
    """What is to be looked at."""

    clip: ClipSource
    index: int
    """Source frame."""
    variants: tuple[RestyleSettings, ...]
    """One look is made with each."""
    model: ModelChoice | None
    long_side: int = 768
    shows_control: bool = False
    """Whether what binds is to be seen, whatever the settings, instead of the frame restyled."""

    @property
    def parts(self) -> tuple[LookPart, ...]:
        """What the pictures will be of, in their order."""
        if not self.shows_control:
            return tuple(LookPart(number) for number in range(len(self.variants)))
        return tuple(LookPart(0, kind, is_control=True) for kind in self._kinds)

    @property
    def _kinds(self) -> tuple[str, ...]:
        try:
            return ControlChoice.parse(self.variants[0].control or "").kinds
        except InvalidSettings:
            return ("",)  # left to the model; what is no control the daemon says no to


@dataclass(frozen=True, kw_only=True)
class LookPicture:
    """One look."""

    part: LookPart
    index: int
    settings: RestyleSettings
    data: bytes
    """A PNG, opaque where the frame is changed."""
    model: str = ""
    """Its source; empty for the bundled one."""
    seconds: float = 0.0
    file: str = ""
    """Where it is kept, a name in the folder of looks; empty for nowhere."""
    is_pinned: bool = False

    def marked(self) -> bytes | None:
        """The picture with where the frame is changed drawn over it, None where that is all."""
        region, image = decode_mask(self.data), decode_png(self.data)
        if region is None or image is None:
            return None
        return encode_png(with_region(image, region))

    @property
    def title(self) -> str:
        """What it is called: its look, or what of its words there is room for."""
        if self.part.is_control:
            return self.part.kind or translate("looks", "structure")
        prompt = (self.settings.prompt or "").strip()
        if len(prompt) > _MOST_LETTERS:
            prompt = f"{prompt[: _MOST_LETTERS - 1].rstrip()}…"
        return ", ".join(filter(None, (self.settings.style, prompt)))

    @property
    def facts(self) -> str:
        """What makes it another one than those beside it that are called the same."""
        if self.part.is_control:
            return ""
        lines: list[str] = []
        if self.settings.strength is not None:
            lines.append(
                translate("looks", "strength {value}").format(value=f"{self.settings.strength:g}")
            )
        if self.settings.seed:
            lines.append(translate("looks", "seed {seed}").format(seed=self.settings.seed))
        lines.append(translate("looks", "frame {index}").format(index=self.index))
        return " · ".join(lines)

    @property
    def caption(self) -> str:
        """All of it on one line."""
        return " · ".join(filter(None, (self.title, self.facts)))


@dataclass(frozen=True, kw_only=True)
class LookStep:
    """How far the look of this number is, 0 to 1."""

    number: int
    share: float


class LookMaker(QObject):
    """Has looks made on a thread of its own.

    Signals:
        began(LookOrder): nothing of it is there yet.
        moved(int, float): the number that is worked on and its share, 0 to 1.
        arrived(LookPicture): a look is there.
        failed(Exception): it ends here; what has arrived stays.
        ended(): there is nothing more to come, for whatever reason.
    """

    began = pyqtSignal(object)
    moved = pyqtSignal(object, float)
    arrived = pyqtSignal(object)
    failed = pyqtSignal(object)
    ended = pyqtSignal()

    def __init__(self, workers: Workers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workers = workers
        self._worker: StreamWorker | None = None
        self._looks: _Looks | None = None
        # A look that was given up makes room for the next one at the daemon as well.
        self._client_id = uuid.uuid4().hex

    @property
    def is_working(self) -> bool:
        """Whether looks are being made."""
        return self._worker is not None

    def make(self, session: Session, order: LookRequest) -> None:
        """Begin; what was being made is given up."""
        self.cancel()
        self._looks = _Looks(session, order, self._client_id)
        self.began.emit(order)
        self._worker = self._workers.stream(
            self._looks.__iter__, self._on_item, self._on_failed, self._on_completed
        )

    def cancel(self) -> None:
        """Give up what is being made."""
        if self._worker is None:
            return
        worker, self._worker = self._worker, None
        worker.is_stopped = True
        if self._looks is not None:
            self._looks.close()
        self.ended.emit()

    def _on_item(self, item: object) -> None:
        if isinstance(item, LookStep):
            self.moved.emit(item.number, item.share)
        elif isinstance(item, LookPicture):
            self.arrived.emit(item)

    def _on_failed(self, error: Exception) -> None:
        self._worker = None
        self.failed.emit(error)
        self.ended.emit()

    def _on_completed(self) -> None:
        self._worker = None
        self.ended.emit()


class _Looks:
    """The looks of an order, one after the other; any thread may close it."""

    def __init__(self, session: Session, order: LookRequest, client_id: str) -> None:
        self._session = session
        self._order = order
        self._client_id = client_id
        self._look: Look | None = None
        self._is_closed = False

    def close(self) -> None:
        """Give up the look that is being made; no other begins."""
        self._is_closed = True
        if self._look is not None:
            self._look.close()

    def __iter__(self) -> Iterator[object]:
        for number, settings in enumerate(self._order.variants):
            if self._is_closed:
                return
            yield from self._one(number, settings)

    def _one(self, number: int, settings: RestyleSettings) -> Generator[object, None, None]:
        order, began = self._order, time.monotonic()
        parts = [part for part in order.parts if part.number == number]
        yield LookStep(number=number, share=0.0)
        self._look = self._session.look(
            order.clip,
            order.index,
            with_files(self._session, settings, ("reference",)),
            model=order.model,
            options=PictureOptions(encoding="png", long_side=order.long_side * len(parts)),
            client_id=self._client_id,
            shows_control=order.shows_control,
        )
        for item in self._look:
            if isinstance(item, LookProgress):
                yield LookStep(number=number, share=item.done / max(item.total, 1))
                continue
            for part, picture in zip(parts, side_by_side(item, len(parts)), strict=True):
                yield LookPicture(
                    part=part,
                    index=order.index,
                    settings=settings,
                    data=_with_region(picture),
                    model=order.model.source if order.model else "",
                    seconds=time.monotonic() - began,
                )


def _with_region(picture: LookedPicture) -> bytes:
    """Its PNG, opaque where the frame is changed."""
    if picture.region is None:
        return picture.data
    image, region = decode_png(picture.data), decode_png(picture.region.data)
    assert image is not None
    assert region is not None
    return encode_png(image, mask=white_of(region))


def side_by_side(picture: LookedPicture, count: int) -> list[LookedPicture]:
    """The `count` pictures of equal width of which one PNG is made, from left to right."""
    if count == 1:
        return [picture]
    image = decode_png(picture.data)
    assert image is not None
    pieces = np.array_split(image, count, axis=1)
    return [
        replace(picture, data=encode_png(np.ascontiguousarray(one)), width=one.shape[1])
        for one in pieces
    ]
