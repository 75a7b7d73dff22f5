"""Exact frame times: recognising constant rates behind rounded time stamps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

DEFAULT_RATE = Fraction(24)


@dataclass(frozen=True)
class Timing:
    """Frame times in ticks of `time_base`, ascending, and the rate they follow."""

    times: tuple[int, ...]
    time_base: Fraction
    frame_rate: Fraction
    is_variable: bool


def exact_timing(
    stamps: Sequence[int], time_base: Fraction, stated_rates: Iterable[Fraction | None]
) -> Timing:
    """The times that time stamps of a file stand for.

    Containers round: Matroska to milliseconds, MPEG-TS to 1/90000 s. Where all stamps are what
    rounding makes of one of `stated_rates`, the times become exact multiples of that rate's
    frame duration. Otherwise they stay as they are and the rate is their mean.
    """
    rates = [rate for rate in stated_rates if rate]
    for rate in rates:
        if _follows(stamps, time_base, rate):
            return _regular(stamps, time_base, rate)
    if len(stamps) < 2:
        return Timing(tuple(stamps), time_base, rates[0] if rates else DEFAULT_RATE, False)
    mean_rate = (len(stamps) - 1) / ((stamps[-1] - stamps[0]) * time_base)
    if _follows(stamps, time_base, mean_rate):
        return _regular(stamps, time_base, mean_rate)
    return Timing(tuple(stamps), time_base, mean_rate, True)


def _follows(stamps: Sequence[int], time_base: Fraction, rate: Fraction) -> bool:
    """Whether every stamp lies within one tick of its place at a constant `rate`."""
    if len(stamps) < 2:
        return False
    # In whole numbers: |stamp * per_stamp - index * per_frame| < per_stamp, for speed.
    step = 1 / (rate * time_base)
    per_stamp, per_frame = step.denominator, step.numerator
    if per_frame < per_stamp:
        return False
    first = stamps[0]
    return all(
        abs((stamp - first) * per_stamp - index * per_frame) < per_stamp
        for index, stamp in enumerate(stamps)
    )


def _regular(stamps: Sequence[int], time_base: Fraction, rate: Fraction) -> Timing:
    duration = 1 / rate
    base = time_base
    if (duration / base).denominator != 1:
        base = duration if stamps[0] == 0 else common_time_base(time_base, duration)
    first = int(stamps[0] * (time_base / base))
    step = int(duration / base)
    times = tuple(range(first, first + step * len(stamps), step))
    return Timing(times, base, rate, False)


def common_time_base(first: Fraction, second: Fraction) -> Fraction:
    """The longest tick of which both are whole multiples."""
    denominator = first.denominator * second.denominator
    ticks = gcd(first.numerator * second.denominator, second.numerator * first.denominator)
    return Fraction(ticks, denominator)
