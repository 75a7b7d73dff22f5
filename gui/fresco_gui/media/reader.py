"""Reading chosen frames of a clip, each at the index that its time says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
from fresco_media.sequence import is_sequence_path
from PyQt6.QtGui import QImage

from fresco_gui.media.errors import ClipUnreadable, reading
from fresco_gui.media.index import ClipIndex, frames_of, open_container, packets, read_index
from fresco_gui.media.pictures import to_image, turned
from fresco_gui.media.sequence import PictureReader
from fresco_gui.media.source import FrameInfo

Size = tuple[int, int]
"""Width and height in pixels."""


class ClipReader(Protocol):
    """A clip that is open for reading, on one thread."""

    info: FrameInfo

    def image(self, index: int, size: Size | None = None, *, is_exact: bool = True) -> QImage:
        """The frame at `index`, at `size` or its own; a damaged one is replaced by its neighbour.

        Unless `is_exact`, its colours may be a level or two off.

        Raises:
            MediaError: it cannot be read any more.
        """
        ...

    def cheapest(self, start: int, stop: int) -> int:
        """The index in [start, stop) that takes the least decoding."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def open_reader(
    path: Path,
    *,
    frame_rate: Fraction | None = None,
    first_index: int = 0,
    is_stopped: Callable[[], bool] = lambda: False,
) -> ClipReader | None:
    """Open the clip at `path`; None if `is_stopped` became true meanwhile.

    `frame_rate` is that of an image sequence (24 unless given); a video file knows its own.

    Raises:
        MediaError: it is gone or cannot be read.
    """
    if is_sequence_path(path):
        return PictureReader(path, frame_rate, first_index)
    index = read_index(path, first_index=first_index, is_stopped=is_stopped)
    return None if index is None else VideoReader(path, index)


class VideoReader:
    """A position in a video file that moves by decoding on or by a jump to a sync frame.

    `_held` is the last frame that is not after the wanted one; `_ahead` is the first after it,
    once decoding has had to go that far. Both as (place, frame), places counting from 0.
    """

    def __init__(self, path: Path, index: ClipIndex) -> None:
        self.info = index.info
        self._path = path
        self._index = index
        with reading(path):
            self._container = open_container(path)
        self._stream = self._container.streams[index.stream_index]
        if isinstance(self._stream, av.VideoStream):
            # Threads across frames lose good frames beside damaged ones and delay every seek.
            self._stream.codec_context.thread_type = "SLICE"
        self._place_of = {stamp: place for place, stamp in enumerate(index.stamps)}
        self._syncs = [place for place, _ in index.syncs]
        self._held: tuple[int, av.VideoFrame] | None = None
        self._ahead: tuple[int, av.VideoFrame] | None = None
        self._frames = self._decoded()

    def image(self, index: int, size: Size | None = None, *, is_exact: bool = True) -> QImage:
        with reading(self._path):
            frame = self._frame(index - self.info.first_index)
            turns = self._index.quarter_turns
            coded = (self.info.width, self.info.height)
            coded, stored = ((a, b) if not turns % 2 else (b, a) for a, b in (coded, size or coded))
            image = to_image(frame, stored, coded_size=coded, is_exact=is_exact)
            return turned(image, turns, is_mirrored=self._index.is_mirrored)

    def cheapest(self, start: int, stop: int) -> int:
        first = self.info.first_index
        found = bisect_right(self._syncs, start - first - 1)
        if found < len(self._syncs) and self._syncs[found] + first < stop:
            return self._syncs[found] + first
        return start

    def close(self) -> None:
        self._held = self._ahead = None
        self._frames = iter(())
        self._container.close()

    def _frame(self, place: int) -> av.VideoFrame:
        self._jump_towards(place)
        self._advance(place)
        if self._held is None and place:
            # The jump went too far or into damage: everything before has to be decoded.
            self._restart_at(self._index.stamps[0])
            self._advance(place)
        found = self._held or self._ahead
        if found is None:
            raise ClipUnreadable(self._path, f"frame {place} cannot be decoded; it is damaged")
        return found[1]

    def _advance(self, place: int) -> None:
        if self._ahead is not None and self._ahead[0] <= place:
            self._held, self._ahead = self._ahead, None
        while self._ahead is None and (self._held is None or self._held[0] < place):
            frame = next(self._frames, None)
            if frame is None:
                return
            if frame[0] <= place:
                self._held = frame
            else:
                self._ahead = frame

    def _jump_towards(self, place: int) -> None:
        """Seek where decoding on is impossible (backwards) or takes longer than a jump."""
        position = self._held[0] if self._held else -1
        found = bisect_right(self._syncs, place) - 1
        sync = self._syncs[found] if found >= 0 else 0
        is_backwards = position > place or (self._held is None and self._ahead is not None)
        if not is_backwards and sync <= position + 1:
            return
        stamp = self._index.syncs[found][1] if found >= 0 else self._index.stamps[0]
        if is_backwards or sync > 0:
            self._restart_at(stamp)

    def _restart_at(self, stamp: int) -> None:
        self._held = self._ahead = None
        if self._index.is_timed:
            self._container.seek(stamp, stream=self._stream)
        else:
            self._container.close()
            self._container = open_container(self._path)
            self._stream = self._container.streams[self._index.stream_index]
        self._frames = self._decoded()

    def _decoded(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """Undamaged frames with their places, ascending, from where the file stands."""
        latest = -1
        for packet in packets(self._container, self._stream):
            for frame in frames_of(packet):
                place = self._place_at(frame, latest)
                if place is not None and place > latest:
                    latest = place
                    if not frame.is_corrupt:
                        yield place, frame

    def _place_at(self, frame: av.VideoFrame, latest: int) -> int | None:
        if self._index.is_timed:
            return self._place_of.get(frame.pts) if frame.pts is not None else None
        return latest + 1 if latest + 1 < len(self._index.stamps) else None
