"""Frames as people read them."""

from __future__ import annotations

from fractions import Fraction


def timecode(place: int, frame_rate: Fraction) -> str:
    """Hours, minutes, seconds and frames of the frame `place` places after the first.

    As editors count where no frame numbers are dropped: 30000/1001 frames a second count as 30.
    """
    nominal = max(1, round(frame_rate))
    seconds, frames = divmod(max(place, 0), nominal)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    digits = len(str(nominal - 1))
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}:{frames:0{max(2, digits)}d}"
