"""Exact frame rates."""

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
