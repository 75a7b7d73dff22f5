"""Decoding chosen frames of a video file, each at the index that its time says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import av.container
import av.error
from av.video.codeccontext import VideoCodecContext

from fresco_media.decoder import decoder_of
from fresco_media.errors import ClipUnreadable
from fresco_media.faults import NOT_A_VIDEO, reading
from fresco_media.packets import demuxed
from fresco_media.probe import Probe, open_input

Indexed = tuple[int, av.VideoFrame]


def decode(
    path: Path, probe: Probe, indices: Iterable[int], on_damage: Callable[[int], None]
) -> Iterator[Indexed]:
    """Yield (index, frame) for ascending `indices`; closing the iterator closes the file.

    A frame that cannot be decoded is replaced by the one before it (at the start of the clip, by
    the one after it) and reported to `on_damage`, so that count and times hold.

    Raises:
        ClipUnreadable: no frame can be decoded any more.
    """
    with reading(path):
        container = open_input(path)
    try:
        cursor = _Cursor(path, container, probe)
        for index in indices:
            with reading(path):
                shown, frame = cursor.at(index)
            if shown != index:
                on_damage(index)
            yield index, frame
    finally:
        container.close()


class _Cursor:
    """A position in a stream that moves forward, by decoding or by a jump to a keyframe.

    `_held` is the last good frame that is not after the wanted one; `_ahead` is the first after
    it, once decoding has had to go that far.
    """

    def __init__(self, path: Path, container: av.container.InputContainer, probe: Probe) -> None:
        self._path = path
        self._container = container
        self._stream = container.streams[probe.stream_index]
        # Threads across frames would lose good frames beside damaged ones, and hold many in memory.
        self._stream.codec_context.thread_type = "SLICE"
        self._decoder = decoder_of(self._stream)
        self._table = probe.table
        self._index_of = {stamp: index for index, stamp in enumerate(probe.table.stamps)}
        self._keys = [index for index, _ in probe.table.keys]
        self._held: Indexed | None = None
        self._ahead: Indexed | None = None
        self._frames = self._good_frames()

    def at(self, index: int) -> Indexed:
        """The frame at `index`, or the nearest good one: before it, else after it."""
        has_jumped = self._jump_towards(index)
        self._advance(index)
        if has_jumped and self._held is None:
            # The jump went too far or into damage: everything before has to be decoded.
            self._restart_at(self._table.stamps[0])
            self._advance(index)
        found = self._held or self._ahead
        if found is None:
            raise ClipUnreadable(self._path, f"frame {index} cannot be decoded; {NOT_A_VIDEO}")
        return found

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
        """Seek to the last keyframe not after `index` if that saves decoding."""
        place = bisect_right(self._keys, index) - 1
        latest = self._ahead or self._held
        position = latest[0] if latest else 0
        if place < 0 or self._keys[place] <= position + 1:
            return False
        self._restart_at(self._table.keys[place][1])
        return True

    def _restart_at(self, stamp: int) -> None:
        self._held = self._ahead = None
        self._container.seek(stamp, stream=self._stream)
        if self._decoder is not self._stream.codec_context:
            self._decoder.flush_buffers()
        self._frames = self._good_frames()

    def _good_frames(self) -> Iterator[Indexed]:
        """Undamaged frames in ascending order of index, from where the container stands."""
        latest = -1
        for packet in demuxed(self._container, self._stream):
            if packet.is_corrupt and packet.pts not in self._index_of:
                continue  # The end of the file cuts through it; the table leaves it out.
            for frame in _decoded(self._decoder, packet):
                index = self._index_at(frame, latest)
                if index is not None and index > latest:
                    latest = index
                    if not frame.is_corrupt:
                        yield index, frame

    def _index_at(self, frame: av.VideoFrame, latest: int) -> int | None:
        if self._table.is_timed:
            return self._index_of.get(frame.pts) if frame.pts is not None else None
        return latest + 1 if latest + 1 < len(self._table.stamps) else None


def _decoded(decoder: VideoCodecContext, packet: av.Packet) -> list[av.VideoFrame]:
    """The frames that come out when `packet` goes in; what is missing shows by its index."""
    try:
        # An empty packet, the last one, makes the decoder give what it still holds.
        return decoder.decode(packet if packet.size else None)
    except av.error.FFmpegError:
        return []
