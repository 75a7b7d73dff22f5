"""Timecodes, as editors count frames; hosts, files and screens share them."""

from __future__ import annotations

import re
from fractions import Fraction


def frame_of(timecode: str, rate: Fraction) -> int | None:
    """The frame that a timecode names, counted from 00:00:00:00; None if it is none.

    Timecodes count whole frames: 30 to the second at 29.97. One with a semicolon is drop-frame,
    which leaves out two numbers of every minute (four at 59.94) but of every tenth.
    """
    parts = re.fullmatch(r"(\d+):(\d+):(\d+)([:;.])(\d+)", timecode.strip())
    if parts is None:
        return None
    hours, minutes, seconds, frames = (int(parts[number]) for number in (1, 2, 3, 5))
    nominal = _nominal(rate)
    total_minutes = hours * 60 + minutes
    frame = (total_minutes * 60 + seconds) * nominal + frames
    if parts[4] == ";":
        frame -= _dropped(nominal) * (total_minutes - total_minutes // 10)
    return frame


def timecode_of(frame: int, rate: Fraction, *, is_drop_frame: bool = False) -> str:
    """The timecode of a frame, counted from 00:00:00:00, no earlier."""
    frame = max(frame, 0)
    nominal = _nominal(rate)
    if is_drop_frame:
        dropped = _dropped(nominal)
        of_minute = 60 * nominal - dropped
        tens, rest = divmod(frame, 10 * of_minute + dropped)
        # The first minute of ten has all its numbers.
        minutes = 0 if rest < 60 * nominal else 1 + (rest - 60 * nominal) // of_minute
        frame += dropped * (9 * tens + minutes)
    seconds, frames = divmod(frame, nominal)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    digits = max(2, len(str(nominal - 1)))
    mark = ";" if is_drop_frame else ":"
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{mark}{frames:0{digits}d}"


def _nominal(rate: Fraction) -> int:
    return max(1, round(rate))


def _dropped(nominal: int) -> int:
    """How many numbers a minute of drop-frame counting leaves out."""
    return nominal // 15
