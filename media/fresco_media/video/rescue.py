"""Pictures of a file that could not be finished: found again in it and written without its sound.

An unfinished MP4 or MOV file has no index, so that no program can open it. What was encoded lies
in it all the same, as hours of work.
"""

from __future__ import annotations

import mmap
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import av.container

_START_CODE = b"\0\0\1"
_HEAD_BYTES = 8
# Muxers hold back what they wait for sound with; it is not in the file yet.
_RECENT_BYTES = 1 << 25


class _Noted(NamedTuple):
    """One packet of pictures: where it belongs, and by what its bytes are known in a file."""

    pts: int
    dts: int
    duration: int
    is_keyframe: bool
    head: bytes
    size: int
    checksum: int


class PictureJournal:
    """What is to be known of every packet of pictures to find it in the file again."""

    def __init__(self) -> None:
        self._noted: list[_Noted] = []
        self._recent: deque[bytes] = deque()
        self._recent_bytes = 0
        self._time_base = Fraction(1)
        self._is_h264 = False

    def note(self, packet: av.Packet) -> None:
        """Take note of a packet that is about to be muxed."""
        data = bytes(packet)
        self._is_h264 = self._is_h264 or data.startswith((_START_CODE, b"\0" + _START_CODE))
        stored = _with_lengths(data) if self._is_h264 else data
        self._time_base = packet.time_base
        pts = packet.pts or 0
        self._noted.append(
            _Noted(
                pts,
                pts if packet.dts is None else packet.dts,
                packet.duration or 0,
                packet.is_keyframe,
                stored[:_HEAD_BYTES],
                len(stored),
                zlib.crc32(stored),
            )
        )
        self._recent.append(stored)
        self._recent_bytes += len(stored)
        while self._recent_bytes > _RECENT_BYTES:
            self._recent_bytes -= len(self._recent.popleft())

    def rewrite(
        self,
        broken: Path,
        output: av.container.OutputContainer,
        add_stream: Callable[[av.container.OutputContainer], av.VideoStream],
    ) -> None:
        """Write all packets, out of the file at `broken`, to `output`, and close that.

        Raises:
            ValueError: they are not all there.
            FFmpegError, OSError: it cannot be written.
        """
        try:
            stream = add_stream(output)
            output.start_encoding()
            for noted, data in zip(self._noted, self._found(broken), strict=True):
                packet = av.Packet(_with_start_codes(data) if self._is_h264 else data)
                packet.pts, packet.dts, packet.duration = noted.pts, noted.dts, noted.duration
                packet.time_base, packet.is_keyframe = self._time_base, noted.is_keyframe
                packet.stream = stream
                output.mux(packet)
        finally:
            output.close()

    def _found(self, broken: Path) -> Iterator[bytes]:
        held_from = len(self._noted) - len(self._recent)
        with (
            broken.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            place = 0
            for number, noted in enumerate(self._noted):
                if number >= held_from:
                    yield self._recent[number - held_from]
                    continue
                place = _place_of(noted, content, place)
                yield content[place : place + noted.size]
                place += noted.size


def _place_of(noted: _Noted, content: mmap.mmap, begin: int) -> int:
    place = content.find(noted.head, begin)
    while place >= 0:
        if zlib.crc32(content[place : place + noted.size]) == noted.checksum:
            return place
        place = content.find(noted.head, place + 1)
    raise ValueError("a picture is not in the file")


def _with_lengths(data: bytes) -> bytes:
    """H.264 as files store it: the length before each unit instead of a start code."""
    units: list[bytes] = []
    begin = data.find(_START_CODE) + len(_START_CODE)
    while begin >= len(_START_CODE):
        end = data.find(_START_CODE, begin)
        unit = (data[begin:end] if end >= 0 else data[begin:]).rstrip(b"\0")
        units.append(len(unit).to_bytes(4, "big") + unit)
        if end < 0:
            break
        begin = end + len(_START_CODE)
    return b"".join(units)


def _with_start_codes(stored: bytes) -> bytes:
    parts: list[bytes] = []
    place = 0
    while place < len(stored):
        size = int.from_bytes(stored[place : place + 4], "big")
        parts += [b"\0", _START_CODE, stored[place + 4 : place + 4 + size]]
        place += 4 + size
    return b"".join(parts)
