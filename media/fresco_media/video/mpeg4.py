"""Times that MPEG-4 pictures carry themselves (ISO/IEC 14496-2), where a container leaves them out.

MPEG program streams give a time to the first picture of a block only, and FFmpeg does not guess
those of the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

_HEADER = re.compile(rb"\x00\x00\x01([\x20-\x2f\xb3\xb6])", re.DOTALL)
_GROUP, _PICTURE = 0xB3, 0xB6
_BIDIRECTIONAL = 2
_OWN_ASPECT = 15
_VBV_BITS = 79
_GREY_SHAPE = 3
# Groups of pictures begin at a time of day.
_DAY_S = Fraction(24 * 60 * 60)


class _Bits:
    """Reads numbers of any length; beyond the end there are zeros."""

    def __init__(self, data: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in data)
        self._place = 0

    def take(self, count: int) -> int:
        found = self._bits[self._place : self._place + count]
        self._place += count
        return int(found.ljust(count, "0") or "0", 2)


class PictureClock:
    """Reads the times of pictures, whose packets it is given in the order of the file."""

    def __init__(self, settings: bytes = b"") -> None:
        self._resolution = 0
        self._second = self._earlier_second = 0
        self.time_s(settings)

    def time_s(self, data: bytes) -> Fraction | None:
        """When the first picture in a packet is shown; None where there is none."""
        for header in _HEADER.finditer(data):
            code, body = header[1][0], _Bits(data[header.end() : header.end() + 64])
            if code == _PICTURE:
                return self._picture(body)
            if code == _GROUP:
                hours, minutes = body.take(5), body.take(6)
                body.take(1)
                self._second = (hours * 60 + minutes) * 60 + body.take(6)
            else:
                self._resolution = _resolution(body)
        return None

    def _picture(self, body: _Bits) -> Fraction | None:
        if not self._resolution:
            return None
        kind = body.take(2)
        seconds = 0
        while body.take(1):
            seconds += 1
        if kind == _BIDIRECTIONAL:
            second = self._earlier_second + seconds
        else:
            self._earlier_second = self._second
            self._second = second = self._second + seconds
        body.take(1)
        ticks = body.take(max(1, (self._resolution - 1).bit_length()))
        return second + Fraction(ticks, self._resolution)


def _resolution(body: _Bits) -> int:
    """The ticks of a second, from the header of a video object layer."""
    body.take(1 + 8)
    version = 1
    if body.take(1):
        version = body.take(4)
        body.take(3)
    if body.take(4) == _OWN_ASPECT:
        body.take(16)
    if body.take(1):
        body.take(2 + 1)
        if body.take(1):
            body.take(_VBV_BITS)
    if body.take(2) == _GREY_SHAPE and version != 1:
        body.take(4)
    body.take(1)
    return body.take(16)


def filled_stamps(
    stamps: Sequence[int | None], times_s: Sequence[Fraction | None], time_base: Fraction
) -> list[int | None]:
    """`stamps` of packets in ticks, with those that are missing or repeat an earlier one.

    They lie as far from the last one that is there as the pictures' own times do.
    """
    filled: list[int | None] = []
    start: tuple[int, Fraction] | None = None
    known: set[int] = set()
    for stamp, time_s in zip(stamps, times_s, strict=True):
        own = None if stamp in known else stamp
        if own is None and time_s is not None and start is not None:
            later_s = (time_s - start[1] + _DAY_S / 2) % _DAY_S - _DAY_S / 2
            filled.append(start[0] + round(later_s / time_base))
            continue
        filled.append(own)
        if own is not None and time_s is not None:
            start = (own, time_s)
            known.add(own)
    return filled
