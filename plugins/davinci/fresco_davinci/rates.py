"""Exact frame rates, and timecodes as frame counts."""

from __future__ import annotations

import re
from fractions import Fraction

_NTSC = Fraction(1000, 1001)


def exact_rate(told: object) -> Fraction | None:
    """Frames per second from what Resolve tells: 23.976, "29.97 DF", "24"; None if it is none.

    23.976 is 24000/1001: rates within a hundredth of a whole one by 1.001 are taken for it.
    """
    found = re.search(r"\d+(?:\.\d+)?", str(told))
    value = Fraction(found[0]) if found else Fraction(0)
    if value <= 0:
        return None
    if value.denominator == 1:
        return value
    broadcast = round(value / _NTSC) * _NTSC
    return broadcast if abs(broadcast - value) < Fraction(1, 100) else value


def frame_of(timecode: str, rate: Fraction) -> int | None:
    """The frame that a timecode names, counted from 00:00:00:00; None if it is none.

    Timecodes count whole frames: 30 to the second at 29.97. One with a semicolon is drop-frame,
    which leaves out two numbers of every minute (four at 59.94) but of every tenth.
    """
    parts = re.fullmatch(r"(\d+):(\d+):(\d+)([:;.])(\d+)", timecode.strip())
    if parts is None:
        return None
    hours, minutes, seconds, frames = (int(parts[number]) for number in (1, 2, 3, 5))
    nominal = round(rate)
    total_minutes = hours * 60 + minutes
    frame = (total_minutes * 60 + seconds) * nominal + frames
    if parts[4] == ";":
        frame -= nominal // 15 * (total_minutes - total_minutes // 10)
    return frame
