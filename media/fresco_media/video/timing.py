"""Exact frame times: recognising constant rates behind rounded time stamps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import gcd

DEFAULT_RATE = Fraction(24)


@dataclass(frozen=True)
class Timing:
    """Frame times in ticks of `time_base`, ascending, and the rate they follow."""

    times: tuple[int, ...]
    time_base: Fraction
    frame_rate: Fraction
    is_variable: bool


# Rates that cameras, editors and screens use. What FFmpeg computes from a container's rounded
# stamps may lie beside them: 19001/317 for 60000/1001 in Matroska, 989/33 for 30000/1001 in FLV.
COMMON_RATES = (
    *(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 72, 120, 240)),
    *map(Fraction, (5, 6, 8, 10, 12, 15, 16, 18, 20, 24, 25, 30, 48, 50, 60, 72, 90)),
    *map(Fraction, (100, 120, 144, 200, 240)),
    Fraction(25, 2),
)
_NEAR = Fraction(1, 100)
# What containers, encoders and FFmpeg itself hold as numerators and denominators.
_LARGEST = 2**31 - 1


def exact_timing(
    stamps: Sequence[int], time_base: Fraction, stated_rates: Iterable[Fraction | None]
) -> Timing:
    """The times that ascending time stamps of a file stand for.

    Containers round: Matroska to milliseconds, MPEG-TS to 1/90000 s. Where all stamps are what
    rounding makes of a constant rate, the times become exact multiples of that rate's frame
    duration: a common rate that the file states, else the common rate that explains the stamps
    best, else one that is stated, else their mean. Otherwise they stay as they are and the rate
    is their mean. All rates and ticks are fractions of at most 31 bits.
    """
    stated = [_limited(rate) for rate in stated_rates if rate and rate > 0]
    if len(stamps) < 2:
        rate = next((rate for rate in stated if rate in COMMON_RATES), None)
        rate = rate or (stated[0] if stated else DEFAULT_RATE)
        return Timing(tuple(stamps), time_base, rate, False)
    mean = _limited((len(stamps) - 1) / ((stamps[-1] - stamps[0]) * time_base))
    common = [
        rate
        for rate in COMMON_RATES
        if any(abs(rate / near - 1) < _NEAR for near in (*stated, mean))
    ]
    explained = [rate for rate in common if _follows(stamps, time_base, rate)]
    explained.sort(key=lambda rate: (rate not in stated, _spread(stamps, time_base, rate)))
    for rate in (*explained, *stated, mean):
        if rate in explained or _follows(stamps, time_base, rate):
            return _regular(stamps, time_base, rate)
    return Timing(tuple(stamps), time_base, mean, True)


def _limited(rate: Fraction) -> Fraction:
    """The fraction nearest to `rate` that 31 bits hold, above and below the line."""
    largest = min(1_000_000, max(1, int(_LARGEST // max(rate, 1))))
    return rate.limit_denominator(largest) or Fraction(1, largest)


def ascending(stamps: Sequence[int | None], step: int) -> tuple[int, ...]:
    """The times of frames in order, from stamps of which some repeat, step back or are missing.

    All stamps that are there keep their places in time. A frame that has none of its own comes
    `step` ticks, or the usual distance, after the one before, or less if there is no room.
    """
    known = sorted({stamp for stamp in stamps if stamp is not None})
    if len(known) == len(stamps):
        return tuple(known)
    anchors = _anchors(stamps)
    if len(anchors) > 1:
        steps = sorted(
            (later - earlier) // (following - place)
            for (place, earlier), (following, later) in pairwise(anchors)
        )
        step = max(1, steps[(len(steps) - 1) // 2])
    first_place, first = anchors[0]
    times = [first - step * (first_place - place) for place in range(first_place)]
    for number, (place, stamp) in enumerate(anchors):
        following, spacing = len(stamps), Fraction(step)
        if number + 1 < len(anchors):
            following, later = anchors[number + 1]
            spacing = min(spacing, Fraction(later - stamp, following - place))
        for step_count in range(following - place):
            # Where there is no room at all, the next ones have to make it.
            earliest = times[-1] + 1 if times else stamp
            times.append(max(stamp + int(spacing * step_count), earliest))
    return tuple(times)


def _anchors(stamps: Sequence[int | None]) -> list[tuple[int, int]]:
    """The places of frames whose time is known, ascending, with that time."""
    ordered = iter(sorted(stamp for stamp in stamps if stamp is not None))
    anchors: list[tuple[int, int]] = []
    for place, own in enumerate(stamps):
        stamp = None if own is None else next(ordered)
        if stamp is not None and (not anchors or stamp > anchors[-1][1]):
            anchors.append((place, stamp))
    return anchors or [(0, 0)]


def _follows(stamps: Sequence[int], time_base: Fraction, rate: Fraction) -> bool:
    """Whether every stamp lies within one tick of its place at a constant `rate`.

    Where a tick is nearly as long as a frame, only the very place will do.
    """
    if len(stamps) < 2:
        return False
    # In whole numbers: |stamp * per_stamp - index * per_frame| < per_stamp, for speed.
    step = 1 / (rate * time_base)
    per_stamp, per_frame = step.denominator, step.numerator
    if per_frame < 2 * per_stamp:
        return all(later - earlier == step for earlier, later in pairwise(stamps))
    first, last = stamps[0], len(stamps) - 1
    if abs((stamps[last] - first) * per_stamp - last * per_frame) >= per_stamp:
        return False
    return all(
        abs((stamp - first) * per_stamp - index * per_frame) < per_stamp
        for index, stamp in enumerate(stamps)
    )


def _spread(stamps: Sequence[int], time_base: Fraction, rate: Fraction) -> Fraction:
    """How far apart, in ticks, the stamps lie that are earliest and latest for a constant rate."""
    step = 1 / (rate * time_base)
    per_stamp, per_frame = step.denominator, step.numerator
    off = [stamp * per_stamp - index * per_frame for index, stamp in enumerate(stamps)]
    return Fraction(max(off) - min(off), per_stamp)


def _regular(stamps: Sequence[int], time_base: Fraction, rate: Fraction) -> Timing:
    duration = 1 / rate
    base = time_base
    if (duration / base).denominator != 1:
        base = duration if stamps[0] == 0 else common_time_base(time_base, duration)
    if base.denominator > _LARGEST:
        return Timing(tuple(stamps), time_base, rate, False)
    first = int(stamps[0] * (time_base / base))
    step = int(duration / base)
    times = tuple(range(first, first + step * len(stamps), step))
    return Timing(times, base, rate, False)


def common_time_base(first: Fraction, second: Fraction) -> Fraction:
    """The longest tick of which both are whole multiples."""
    denominator = first.denominator * second.denominator
    ticks = gcd(first.numerator * second.denominator, second.numerator * first.denominator)
    return Fraction(ticks, denominator)
