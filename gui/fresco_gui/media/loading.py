"""Frames loaded on a thread of their own: what is wanted first, what is likely wanted next."""

from __future__ import annotations

import logging
import threading
from abc import abstractmethod
from collections.abc import Iterator

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QImage

from fresco_gui.media import threads
from fresco_gui.media.cache import ByteCache
from fresco_gui.media.errors import MediaError
from fresco_gui.media.source import FrameInfo, FrameSource

logger = logging.getLogger(__name__)

DEFAULT_LIMIT = 256 * 2**20
# Frames loaded before they are due. More would only delay the answer to a jump.
_AHEAD = 12
# Backwards, decoding still runs forwards, so as many frames are made in one go.
_BACKWARDS = 12
_REST_AHEAD, _REST_BEHIND = 3, 8


class LoadedFrames(FrameSource):
    """Frames that a thread loads into a cache of at most `limit` bytes."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        super().__init__()
        self._cache: ByteCache[int, QImage] = ByteCache(limit, _size_of)
        self._exact: set[int] = set()
        self._limit = limit
        self._wake = threading.Condition()
        self._urgent: int | None = None
        self._step = 0
        self._is_closed = False
        self._has_ended = False
        self._thread: threading.Thread | None = None

    @property
    def used_bytes(self) -> int:
        """The bytes of all pictures held."""
        return self._cache.used_bytes

    def frame(self, index: int) -> QImage | None:
        self._want(index)
        return self._cache.get(index)

    def peek(self, index: int) -> QImage | None:
        return self._cache.get(index)

    def can_have(self, index: int) -> bool:
        return not self._has_ended and (index in self._cache or self._is_loadable(index))

    def expect(self, index: int, step: int) -> None:
        self._want(index, step)

    def close(self) -> None:
        with self._wake:
            self._is_closed = True
            self._wake.notify_all()
        if self._thread is not None:
            threads.leave_to_end(self._thread, self)
        self._cache.clear()

    def _start_soon(self) -> None:
        """Begin to load when the caller has connected its slots: opening may fail at once."""
        QTimer.singleShot(0, self._start)

    def _start(self) -> None:
        if not self._is_closed:
            self._thread = threads.start(self._run, type(self).__name__)

    @abstractmethod
    def _open(self) -> bool:
        """Prepare on the thread; False to end it. May raise MediaError."""
        raise NotImplementedError

    @abstractmethod
    def _load(self, index: int, *, is_exact: bool) -> QImage | None:
        """The frame at `index`, or None if it is not there (yet). May raise MediaError."""
        raise NotImplementedError

    def _leave(self) -> None:
        """Free on the thread what `_open` prepared."""

    def _want(self, index: int, step: int | None = None) -> None:
        with self._wake:
            changed = index != self._urgent or step not in (None, self._step)
            self._urgent = index
            self._step = self._step if step is None else step
            if changed:
                self._wake.notify_all()

    def _run(self) -> None:
        try:
            is_known = self.info is not None
            if self._open():
                if not is_known:
                    self._announce_opened()
                self._load_until_closed()
        except MediaError as error:
            self._announce_failure(str(error))
        except Exception as error:
            logger.exception("loading frames failed")
            self._announce_failure(f"The frames cannot be shown: {error}. Open the clip again.")
        finally:
            self._has_ended = True
            self._leave()
            if self._is_closed:
                self._cache.clear()

    def _load_until_closed(self) -> None:
        while (wish := self._next()) is not None:
            index, is_exact = wish
            image = self._load(index, is_exact=is_exact)
            if image is None:
                self._absent(index)
                continue
            self._keep(index, image, is_exact=is_exact)
            if not self._is_closed:
                self.arrived.emit(index)

    def _keep(self, index: int, image: QImage, *, is_exact: bool) -> None:
        if self._is_closed:
            return
        evicted = self._cache.put(index, image)
        self._exact.difference_update(gone for gone, _ in evicted)
        if is_exact:
            self._exact.add(index)

    def _absent(self, index: int) -> None:
        """`_load` had nothing."""

    def _next(self) -> tuple[int, bool] | None:
        """The frame to load now, and whether exactly; waits for one, and is None when closed."""
        with self._wake:
            while not self._is_closed:
                for index, is_exact in self._wanted():
                    is_missing = index not in self._cache or (is_exact and index not in self._exact)
                    if is_missing and self._is_loadable(index):
                        return index, is_exact
                self._wake.wait()
        return None

    def _is_loadable(self, index: int) -> bool:
        info = self.info
        return info is not None and info.first_index <= index < info.stop

    def _wanted(self) -> Iterator[tuple[int, bool]]:
        """Indices in the order in which they are to be loaded, and whether exactly.

        A frame that stays on screen is shown as soon as can be, then with its exact colours.
        """
        at, info = self._urgent, self.info
        if at is None or info is None:
            return
        room = self._room(info)
        if self._step > 0:
            last = at + self._step * min(_AHEAD, room)
            yield from ((index, False) for index in range(at, last, self._step))
        elif self._step < 0:
            chunk = self._wanted_backwards(at, min(_BACKWARDS, room))
            yield from ((index, False) for index in chunk)
        else:
            yield at, False
            yield at, True
            behind = min(_REST_BEHIND, max(room - 1 - _REST_AHEAD, 0))
            yield from ((i, False) for i in range(at + 1, at + 1 + min(_REST_AHEAD, room - 1)))
            yield from ((i, False) for i in range(at - behind, at))

    def _wanted_backwards(self, at: int, count: int) -> Iterator[int]:
        """The chunk that holds the first missing frame before `at`, in order of decoding."""
        step = -self._step
        for index in range(at, at - count * step, -step):
            if index not in self._cache:
                lowest = index - (count // 2) * step
                yield from range(lowest, index + 1, step)
                return

    def _room(self, info: FrameInfo) -> int:
        """How many frames may be wanted at once, so that none pushes out another."""
        return max(1, self._limit // max(1, info.width * info.height * 4) - 1)

    def _announce_opened(self) -> None:
        if not self._is_closed:
            self.opened.emit()

    def _announce_failure(self, message: str) -> None:
        if not self._is_closed:
            self.failed.emit(message)


def _size_of(image: QImage) -> int:
    return image.sizeInBytes()
