"""Takes DATA out of what arrives over HTTP/2, so that h2 need not look at it.

h2 knows HTTP/2 and is asked about everything else. But it writes out every byte of every frame for
a log that nobody keeps, which takes two thirds of the time of a download (measured: h2 4.4).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hyperframe.frame import WindowUpdateFrame

FRAME_BYTES = 256 * 1024
"""Longest frame that the other side may send."""

WINDOW_BYTES = 8 * 1024 * 1024
"""Most bytes of DATA that may be under way."""

_HEAD_BYTES = 9
_DATA, _END_STREAM, _PADDED = 0, 0x1, 0x8


@dataclass(frozen=True)
class Data:
    """A piece of what a stream carries."""

    stream: int
    content: memoryview


class FrameError(Exception):
    """The other side does not keep to HTTP/2."""


class FrameSplitter:
    """Splits what arrives into pieces of DATA and, as bytes, whole frames of all other kinds.

    The end of a stream is left to be seen as an empty frame of DATA.
    """

    def __init__(self) -> None:
        self._begun = bytearray()
        """A frame, or the head of one, that is not whole."""
        self._stream = 0
        self._left = 0
        """Bytes of the current frame of DATA that are still to come."""
        self._padding = 0
        self._ends = False

    def split(self, received: bytes) -> Iterator[Data | bytes]:
        """What these bytes bring.

        Raises:
            FrameError: a frame is longer than allowed.
        """
        rest = memoryview(received)
        while rest:
            if self._left or self._padding:
                size = min(len(rest), self._left or self._padding)
                if self._left:
                    self._left -= size
                    yield Data(self._stream, rest[:size])
                else:
                    self._padding -= size
                rest = rest[size:]
            else:
                rest = self._take_other(rest)
                yield from self._whole()
            if self._ends and not self._left and not self._padding:
                self._ends = False
                yield _head(0, _END_STREAM, self._stream)

    def _take_other(self, rest: memoryview) -> memoryview:
        """Add what belongs to the begun frame; what is left over."""
        wanted = self._size() - len(self._begun)
        self._begun += rest[:wanted]
        return rest[wanted:]

    def _size(self) -> int:
        """How many bytes the begun frame is known to have."""
        if len(self._begun) < _HEAD_BYTES:
            return _HEAD_BYTES
        length = int.from_bytes(self._begun[:3], "big")
        if length > FRAME_BYTES:
            raise FrameError(f"a frame of {length} bytes")
        kind, flags = self._begun[3], self._begun[4]
        if kind == _DATA:  # only its head is gathered
            return _HEAD_BYTES + (1 if flags & _PADDED else 0)
        return _HEAD_BYTES + length

    def _whole(self) -> Iterator[bytes]:
        """The begun frame, if it is whole and not of DATA, the content of which comes by itself."""
        if len(self._begun) < self._size():
            return
        frame = bytes(self._begun)
        self._begun.clear()
        if frame[3] != _DATA:
            yield frame
            return
        length, flags = int.from_bytes(frame[:3], "big"), frame[4]
        self._padding = frame[_HEAD_BYTES] if flags & _PADDED else 0
        self._left = length - self._padding - (1 if flags & _PADDED else 0)
        if self._left < 0:
            raise FrameError("more padding than frame")
        self._stream = int.from_bytes(frame[5:9], "big") & 0x7FFFFFFF
        self._ends = bool(flags & _END_STREAM)


class FlowControlWindow:
    """How much DATA may still come; what was taken is granted anew, in large steps."""

    def __init__(self) -> None:
        self._taken = 0

    def take(self, size: int) -> int:
        """Note that so many bytes were taken; how many are to be granted now, maybe 0."""
        self._taken += size
        if self._taken < WINDOW_BYTES // 2:
            return 0
        granted, self._taken = self._taken, 0
        return granted


def window_update(stream: int, size: int) -> bytes:
    """The frame that grants bytes to a stream, or to the whole connection, which is stream 0."""
    return WindowUpdateFrame(stream, window_increment=size).serialize()


def _head(length: int, flags: int, stream: int) -> bytes:
    return struct.pack(">I", length)[1:] + bytes((_DATA, flags)) + struct.pack(">I", stream)
