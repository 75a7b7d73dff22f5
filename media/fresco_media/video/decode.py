"""Decoding chosen frames of a video file, each at the index that its packet says."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Protocol

import av
import av.error

from fresco_media.errors import ClipChanged, ClipUnreadable
from fresco_media.files.faults import NOT_A_VIDEO, reading
from fresco_media.files.state import KnownFile
from fresco_media.video.containers import open_input
from fresco_media.video.order import numbered_frames
from fresco_media.video.packets import Key, PacketTable

Indexed = tuple[int, av.VideoFrame]

_TRIES = 3
"""Keyframes to go back to before everything is decoded from the beginning."""


class FrameCursor(Protocol):
    """A position in a clip's pictures; moves both ways."""

    def at(self, index: int) -> Indexed:
        """The frame at `index`, or the nearest good one before it, else after it, with its index.

        Raises:
            ClipUnreadable: no frame can be decoded any more.
        """
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def decode(
    cursor: FrameCursor, indices: Iterable[int], on_damage: Callable[[int], None]
) -> Iterator[Indexed]:
    """Yield (index, frame) for `indices`; closing the iterator closes the cursor.

    A frame that cannot be decoded is replaced by the one before it (at the start of the clip, by
    the one after it) and reported to `on_damage`, so that count and times hold.

    Raises:
        ClipUnreadable: no frame can be decoded any more.
    """
    try:
        for index in indices:
            shown, frame = cursor.at(index)
            if shown != index:
                on_damage(index)
            yield index, frame
    finally:
        cursor.close()


def first_key(table: PacketTable, start: int, stop: int) -> int:
    """The frame in [start, stop) that takes the least decoding: a keyframe, else the first."""
    place = bisect_left(table.keys, start, key=_frame_of)
    if place < len(table.keys) and table.keys[place].frame < stop:
        return table.keys[place].frame
    return start


def _frame_of(key: Key) -> int:
    return key.frame


class VideoCursor:
    """A position in a stream that moves by decoding on or by a jump to a keyframe.

    `_held` is the last good frame that is not after the wanted one; `_ahead` is the first after
    it, once decoding has had to go that far.
    """

    def __init__(self, path: Path, stream_index: int, table: PacketTable, file: KnownFile) -> None:
        self._path = path
        self._file = file
        self._stream_index = stream_index
        self._table = table
        self._open()

    def at(self, index: int) -> Indexed:
        with reading(self._path):
            has_jumped = self._jump_towards(index)
            self._advance(index)
            if has_jumped and self._held is None:
                self._retreat(index)
        found = self._held or self._ahead
        if found is None:
            raise ClipUnreadable(self._path, f"frame {index} cannot be decoded; {NOT_A_VIDEO}")
        return found

    def close(self) -> None:
        self._held = self._ahead = None
        self._frames = iter(())
        self._container.close()

    def _open(self) -> None:
        with reading(self._path):
            self._file.check()
            self._container = open_input(self._path)
        stream = self._container.streams[self._stream_index]
        if not isinstance(stream, av.VideoStream):
            raise ClipChanged(self._path)
        self._stream = stream
        # Threads across frames would lose good frames beside damaged ones, and hold many in memory.
        self._stream.codec_context.thread_type = "SLICE"
        self._has_palette = self._stream.codec_context.pix_fmt != "pal8"
        self._held: Indexed | None = None
        self._ahead: Indexed | None = None
        self._frames = self._good_frames(
            numbered_frames(self._container, self._stream, _counted(self._table)), 0
        )

    def _advance(self, index: int) -> None:
        if self._ahead is not None and self._ahead[0] <= index:
            self._held, self._ahead = self._ahead, None
        while self._ahead is None and (self._held is None or self._held[0] < index):
            frame = next(self._frames, None)
            if frame is None:
                return
            if frame[0] <= index:
                self._held = frame
            else:
                self._ahead = frame

    def _jump_towards(self, index: int) -> bool:
        """Go where decoding on is impossible (backwards) or takes longer than a jump."""
        is_backwards = self._held[0] > index if self._held else self._ahead is not None
        latest = self._ahead or self._held
        position = latest[0] if latest else 0
        place = bisect_right(self._table.keys, index, key=_frame_of) - 1
        if not is_backwards and (place < 0 or self._table.keys[place].frame <= position + 1):
            return False
        if place < 0:
            self._restart()
            return False
        self._seek(self._table.keys[place])
        return True

    def _retreat(self, index: int) -> None:
        """The jump went too far or into damage: begin earlier, at last with the first packet."""
        place = bisect_right(self._table.keys, index, key=_frame_of) - 1
        for step in range(1, _TRIES + 1):
            place -= step
            if place < 0:
                break
            self._seek(self._table.keys[place])
            self._advance(index)
            if self._held is not None:
                return
        self._restart()
        self._advance(index)

    def _restart(self) -> None:
        """Begin again with the first packet."""
        self._container.close()
        self._open()

    def _seek(self, key: Key) -> None:
        """Go to a keyframe, or to a place before it."""
        self._held = self._ahead = None
        self._fetch_palette()
        try:
            if self._table.joins:
                # Stamps that start over find any of the parts.
                self._container.seek(key.position or 0, unsupported_byte_offset=True)
            else:
                self._container.seek(key.seek, stream=self._stream)
        except av.error.FFmpegError:
            self._restart()
            return
        numbers = _Numbers(self._table)
        frames = numbered_frames(self._container, self._stream, numbers.of)
        self._frames = self._good_frames(frames, None)

    def _fetch_palette(self) -> None:
        """Decode the first picture, with which containers hand out the palette of all of them."""
        if not self._has_palette:
            next(self._frames, None)
            self._has_palette = True

    def _good_frames(self, frames: Iterator[Indexed], first: int | None) -> Iterator[Indexed]:
        """Undamaged frames in ascending order of index.

        What comes before the first keyframe decoded, `first` if it is known, would be made of
        frames that were skipped.
        """
        frame_of = self._table.frame_of
        latest = -1
        for number, frame in frames:
            if not frame_of:
                index = latest + 1 if latest + 1 < len(self._table.stamps) else -1
            else:
                index = frame_of[number] if number < len(frame_of) else -1
            if first is None:
                first = index
            if index > latest and index >= first:
                latest = index
                if not frame.is_corrupt:
                    yield index, frame


def _counted(table: PacketTable) -> Callable[[av.Packet], int | None]:
    """Tells the numbers of packets that are read from the first one on."""
    numbers = count()

    def number_of(_: av.Packet) -> int | None:
        number = next(numbers)
        return number if number >= len(table.sizes) or table.sizes[number] else None

    return number_of


class _Numbers:
    """Finds out after a seek which packets they are that come."""

    def __init__(self, table: PacketTable) -> None:
        self._table = table
        self._next: int | None = None

    def of(self, packet: av.Packet) -> int | None:
        """The number of `packet`; None if it is not known or comes before the first keyframe."""
        if self._next is None:
            self._next = self._first(packet)
        number = self._next
        # What stamps FFmpeg makes up after a seek may be others, but the packets are the same.
        if number is None or not self._is(number, packet):
            return None
        self._next = number + 1
        while self._next < len(self._table.sizes) and not self._table.sizes[self._next]:
            self._next += 1
        return number

    def _first(self, packet: av.Packet) -> int | None:
        mark = packet.dts if packet.pts is None else packet.pts
        if mark is None or not packet.is_keyframe:
            return None
        found = [key for key in self._table.marked.get(mark, ()) if self._is(key.number, packet)]
        if len(found) > 1:
            found = [key for key in found if key.position == packet.pos]
        return found[0].number if len(found) == 1 else None

    def _is(self, number: int, packet: av.Packet) -> bool:
        sizes = self._table.sizes
        return number < len(sizes) and sizes[number] == packet.size
