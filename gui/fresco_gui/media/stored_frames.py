"""Frames that come one by one, as encoded pictures, from a running job."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable
from typing import BinaryIO, cast

from PyQt6.QtGui import QImage

from fresco_gui.media.cache import ByteCache
from fresco_gui.media.loading import LoadedFrames
from fresco_gui.media.pictures import decoded
from fresco_gui.media.source import FrameInfo

logger = logging.getLogger(__name__)

_ENCODED_LIMIT = 128 * 2**20
_DECODED_LIMIT = 192 * 2**20


class StoredFrames(LoadedFrames):
    """Frames by index as `put` gives them; those not put yet are simply not there.

    Encoded pictures beyond `limit` bytes are written to a temporary file, or, where `ask_again` is
    given, forgotten and asked for with it (on the thread that loads) when they are wanted.
    """

    def __init__(
        self,
        info: FrameInfo,
        *,
        ask_again: Callable[[int], None] | None = None,
        limit: int = _ENCODED_LIMIT,
        decoded_limit: int = _DECODED_LIMIT,
    ) -> None:
        super().__init__(decoded_limit)
        self._info = info
        self._ask_again = ask_again
        self._encoded: ByteCache[int, bytes] = ByteCache(limit, len)
        self._known: set[int] = set()
        self._asked: set[int] = set()
        self._spill = _SpillFile()
        self._start_soon()

    @property
    def info(self) -> FrameInfo | None:
        return self._info

    @property
    def indices(self) -> frozenset[int]:
        """The frames that were put so far."""
        return frozenset(self._known)

    def put(self, index: int, encoded: bytes) -> None:
        """Take the PNG or JPEG bytes of the frame at `index`; the newest ones count."""
        evicted = self._encoded.put(index, encoded)
        self._cache.discard(index)
        self._exact.discard(index)
        if self._ask_again is None:
            for old_index, old in evicted:
                self._spill.write(old_index, old)
        with self._wake:
            self._known.add(index)
            self._asked.discard(index)
            self._wake.notify_all()
        self.arrived.emit(index)

    def remove(self, index: int) -> None:
        """Forget a frame that has become void."""
        with self._wake:
            self._known.discard(index)
        self._encoded.discard(index)
        self._spill.discard(index)
        self._cache.discard(index)
        self._exact.discard(index)

    def load_now(self, index: int) -> QImage | None:
        """The frame at `index` on the calling thread; None if it was not put, or is forgotten."""
        return self._load(index, is_exact=True)

    def close(self) -> None:
        super().close()
        self._encoded.clear()
        self._spill.close()

    def _open(self) -> bool:
        return True

    def _load(self, index: int, *, is_exact: bool) -> QImage | None:
        encoded = self._encoded.get(index) or self._spill.read(index)
        return decoded(encoded) if encoded is not None else None

    def _absent(self, index: int) -> None:
        with self._wake:
            self._asked.add(index)
        if self._ask_again is not None:
            self._ask_again(index)

    def _is_loadable(self, index: int) -> bool:
        return index in self._known and index not in self._asked


class _SpillFile:
    """A temporary file of encoded pictures, deleted when closed or when the program ends."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._places: dict[int, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def write(self, index: int, encoded: bytes) -> None:
        with self._lock:
            try:
                if self._file is None:
                    self._file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
                start = self._file.seek(0, 2)
                self._file.write(encoded)
                self._places[index] = (start, len(encoded))
            except OSError as error:
                # A preview is lost, not the result: the daemon keeps that.
                logger.warning("frame %d cannot be kept: %s", index, error)

    def read(self, index: int) -> bytes | None:
        with self._lock:
            place = self._places.get(index)
            if place is None or self._file is None:
                return None
            self._file.seek(place[0])
            return self._file.read(place[1])

    def discard(self, index: int) -> None:
        with self._lock:
            self._places.pop(index, None)

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None
            self._places.clear()
