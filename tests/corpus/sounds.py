"""Sound whose place in time can be measured: two chirps in silence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

LENGTH_S = 1.0
CHIRPS_S = (0.15, 0.65)
_CHIRP_S = 0.04
HOLE_S = (0.3, 0.55)
"""Nothing is stored between these times where the sound has a hole."""
EARLY_END_S = 0.35
LATE_START_S = 0.3
TRACK_OFFSET_S = 0.1
"""How much later than those of the first track the second track's chirps are."""


def chirps(rate: int, *, track: int = 0) -> Samples:
    """One channel at `rate` samples a second, within -1 to 1."""
    time = np.arange(round(LENGTH_S * rate)) / rate
    sound = np.zeros_like(time)
    for start in CHIRPS_S:
        since = time - start - track * TRACK_OFFSET_S
        inside = (since >= 0) & (since < _CHIRP_S)
        # Rising from 400 to 2400 Hz: no shift but the right one makes it match itself.
        phase = 2 * np.pi * (400 * since + 25_000 * since**2)
        sound[inside] = (
            0.6 * np.sin(phase[inside]) * np.sin(np.pi * since[inside] / _CHIRP_S) ** 0.5
        )
    return sound.astype(np.float32)


@dataclass(frozen=True)
class Heard:
    """A sound track as it is played: samples at `RATE`, the first of them at `start_s`."""

    start_s: float
    samples: Samples

    RATE = 48000


def lags_s(before: Heard, after: Heard) -> list[float | None]:
    """How much later each chirp of `before` comes in `after`; None where it does not come."""
    found: list[float | None] = []
    length = round(_CHIRP_S * 2 * Heard.RATE)
    for onset in _onsets(before.samples):
        start = max(0, onset - length // 4)
        part = before.samples[start : start + length]
        lag = _lag_s(part, before.start_s + start / Heard.RATE, after)
        found.append(lag)
    return found


def _onsets(samples: Samples) -> list[int]:
    """Where it becomes loud after silence of at least 0.1 s."""
    loud = np.flatnonzero(np.abs(samples) > 0.3 * max(float(np.abs(samples).max()), 1e-6))
    gap = Heard.RATE // 10
    return [int(at) for k, at in enumerate(loud) if k == 0 or at - loud[k - 1] > gap]


def _lag_s(part: Samples, at_s: float, after: Heard) -> float | None:
    """Where in `after` the samples of `part` lie, as seconds later than `at_s`."""
    reach = Heard.RATE // 5
    begin = round((at_s - after.start_s) * Heard.RATE) - reach
    window = _padded(after.samples, begin, len(part) + 2 * reach)
    likeness = np.correlate(window, part, "valid")
    place = int(np.argmax(likeness))
    matched = window[place : place + len(part)]
    strength = float(np.linalg.norm(matched) * np.linalg.norm(part))
    if strength == 0 or likeness[place] < 0.5 * strength:
        return None
    return (begin + place) / Heard.RATE + after.start_s - at_s


def _padded(samples: Samples, begin: int, length: int) -> Samples:
    """`length` samples from `begin` on, silence outside of what there is."""
    window = np.zeros(length, np.float32)
    first, last = max(begin, 0), min(begin + length, len(samples))
    if first < last:
        window[first - begin : last - begin] = samples[first:last]
    return window
