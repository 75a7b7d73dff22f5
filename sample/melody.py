"""The sound of the sample clip: a music-box tune with a train puffing under it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
BEAT_S = 0.28125
# Sixteen beats fill the 4.5 s of the clip; numbers are MIDI notes, on beats.
TUNE = (
    (0, 76), (1, 79), (2, 84), (3, 83), (3.5, 81), (4, 79), (5, 76), (6, 77), (7, 79), (7.5, 77),
    (8, 76), (9, 72), (10, 74), (10.5, 76), (11, 77), (12, 79), (13, 83), (14, 84),
)  # fmt: skip
BASS = ((0, 48), (2, 55), (4, 45), (6, 53), (8, 48), (10, 50), (12, 43), (14, 48))
CHORDS = ((1, (64, 67)), (3, (64, 67)), (5, (60, 64)), (7, (65, 69)), (9, (64, 67)), (11, (65, 69)),
          (13, (62, 65)), (15, (64, 67)))  # fmt: skip

Sound = NDArray[np.float64]


def melody(duration_s: float) -> NDArray[np.float32]:
    """Stereo samples in -1..1, shape (2, n), exactly as long as asked for."""
    mix = np.zeros((2, round(duration_s * RATE)))
    for beat, note in TUNE:
        _place(mix, beat, _pluck(note, 1.5, brightness=0.5), gain=0.34, pan=0.12)
    for beat, note in BASS:
        _place(mix, beat, _pluck(note, 1.4, brightness=0.25), gain=0.42, pan=-0.05)
    for beat, notes in CHORDS:
        for side, note in zip((-0.45, 0.45), notes, strict=True):
            _place(mix, beat, _pluck(note, 0.8, brightness=0.3), gain=0.15, pan=side)
    for puff in range(32):
        accent = 0.09 if puff % 4 == 0 else 0.05
        _place(mix, puff / 2, _puff(puff), gain=accent, pan=-0.5 + puff / 31)
    fade = np.clip((duration_s - np.arange(mix.shape[1]) / RATE) / 0.35, 0, 1)
    mix *= fade
    return (0.8 * mix / np.abs(mix).max()).astype(np.float32)


def _pluck(note: int, length_s: float, brightness: float) -> Sound:
    """A struck tine: a few partials, the high ones dying first."""
    time = np.arange(round(length_s * RATE)) / RATE
    pitch = 440.0 * 2 ** ((note - 69) / 12)
    tone = np.zeros_like(time)
    for partial, loudness in ((1, 1.0), (2, 0.5), (3, 0.3), (5.4, 0.2)):
        decay = np.exp(-time * (2.2 + 2.6 * partial))
        tone += (
            loudness
            * brightness ** (partial - 1)
            * decay
            * np.sin(2 * np.pi * pitch * partial * time)
        )
    attack = np.clip(time / 0.004, 0, 1)
    return tone * attack


def _puff(number: int) -> Sound:
    """A soft breath of steam: noise, smoothed and quickly gone."""
    time = np.arange(round(0.13 * RATE)) / RATE
    noise = np.random.default_rng(number).standard_normal(time.size)
    smooth = np.convolve(noise, np.hanning(24) / 12, mode="same")
    return smooth * np.clip(time / 0.012, 0, 1) * np.exp(-time * 32)


def _place(mix: Sound, beat: float, sound: Sound, gain: float, pan: float) -> None:
    start = round(beat * BEAT_S * RATE)
    kept = sound[: mix.shape[1] - start]
    mix[0, start : start + kept.size] += gain * np.sqrt((1 - pan) / 2) * kept
    mix[1, start : start + kept.size] += gain * np.sqrt((1 + pan) / 2) * kept
