"""Frames that are fetched one by one when they are wanted, such as a job's from its daemon."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtGui import QImage

from fresco_gui.media.loading import DEFAULT_LIMIT, LoadedFrames
from fresco_gui.media.pictures import decoded
from fresco_gui.media.source import FrameInfo


class FetchedFrames(LoadedFrames):
    """Frames as `fetch` returns them: PNG or JPEG bytes, or None for one that is not there.

    `fetch` is called on the thread that loads or exports, and may take its time; a sentence in the
    `MediaError` that it raises reaches the user.
    """

    def __init__(
        self, info: FrameInfo, fetch: Callable[[int], bytes | None], *, limit: int = DEFAULT_LIMIT
    ) -> None:
        super().__init__(limit)
        self._info = info
        self._fetch = fetch
        self._absent_ones: set[int] = set()
        self._start_soon()

    @property
    def info(self) -> FrameInfo | None:
        return self._info

    def load_now(self, index: int) -> QImage | None:
        """The frame at `index` on the calling thread; None if it is not there."""
        return self._load(index, is_exact=True)

    def _open(self) -> bool:
        return True

    def _load(self, index: int, *, is_exact: bool) -> QImage | None:
        encoded = self._fetch(index)
        return decoded(encoded) if encoded is not None else None

    def _absent(self, index: int) -> None:
        self._absent_ones.add(index)

    def _is_loadable(self, index: int) -> bool:
        return index not in self._absent_ones and super()._is_loadable(index)
