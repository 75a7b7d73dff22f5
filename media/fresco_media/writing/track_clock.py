"""The clock that a file's pictures are stamped by: the source's own, unless that is too fine.

MP4 and MOV hold how much later than it is decoded each picture is shown, and readers of before 2023
(FFmpeg up to 5.1, which Debian 12 and many programs have) throw all of that away where one such
offset has 2^28 ticks: pictures are lost, and others come in the order of decoding. FFmpeg itself
writes no picture that lasts 2^31 ticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, isqrt

_MOST_TICKS = 1 << 28
# Encoders show a picture at most so many pictures later than they decode it: three that depend on
# it from both sides come between, two more are decoded ahead of their time, and some to spare.
_PICTURES_AHEAD = 8


def track_clock(ticks: Sequence[int], base: Fraction) -> Fraction:
    """Seconds of a tick of the file for pictures that begin at `ticks` of `base`, the last an end.

    There are two at least. It is `base` where that is coarse enough, else one that holds all times
    exactly, else a power of ten, which rounds them.
    """
    ahead = ticks[_PICTURES_AHEAD:] or [ticks[-1]]
    longest = max(later - sooner for sooner, later in zip(ticks, ahead, strict=False))
    least = -(-longest // (_MOST_TICKS - 1))
    if least <= 1:
        return base
    # Files count whole ticks in a second.
    common = gcd(base.denominator, *ticks)
    exact = _divisor_from(common, least)
    if exact is not None:
        return base * exact
    return Fraction(1, 10 ** (len(str(int(1 / (base * least)))) - 1))


def _divisor_from(number: int, least: int) -> int | None:
    """The smallest divisor of `number` that is not below `least`."""
    small = [divisor for divisor in range(1, isqrt(number) + 1) if number % divisor == 0]
    divisors = {*small, *(number // divisor for divisor in small)}
    return min((divisor for divisor in divisors if divisor >= least), default=None)
