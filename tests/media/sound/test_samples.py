"""Samples of tracks whose channels nobody placed, and of those whose stamps are coarse."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from fresco_media.sound.samples import (
    Block,
    SampleFormat,
    Samples,
    Timeline,
    _mixed,  # pyright: ignore[reportPrivateUsage]
)

_MONO = SampleFormat("s16", "mono", 48_000)


def placed(stamped: list[tuple[int, int]]) -> tuple[Samples, Samples]:
    """What is made of blocks of so many samples at so many milliseconds, and the blocks joined."""
    random = np.random.default_rng(5)
    blocks = [
        Block(Fraction(ms, 1000), random.integers(1, 9999, (count, 1), np.int16))
        for ms, count in stamped
    ]
    line = Timeline(_MONO, Fraction(0))
    made = [one for block in blocks for one in line.add(block)] + list(line.finish())
    return np.concatenate(made), np.concatenate([block.samples for block in blocks])


def test_stamps_that_run_early_and_are_put_right_again_cut_nothing() -> None:
    # As mkvmerge stamps the short and long blocks of Vorbis: each rounded down from the one before.
    stamped: list[tuple[int, int]] = []
    ms, true = 0, 0
    for _ in range(6):
        for count in (*(1024,) * 4, *(128,) * 4, *(1024,) * 4):
            stamped.append((ms, count))
            ms += count * 1000 // 48_000
            true += count
        ms = round(true / 48)

    made, joined = placed(stamped)

    np.testing.assert_array_equal(made, joined)


def test_a_hole_of_five_milliseconds_is_found_within_a_few_blocks() -> None:
    stamped = [(20 * place + (5 if place >= 10 else 0), 960) for place in range(40)]

    made, joined = placed(stamped)

    assert len(made) == len(joined) + 240
    np.testing.assert_array_equal(made[-20 * 960 :], joined[-20 * 960 :])


def test_channels_that_nobody_placed_go_left_and_right_by_turns() -> None:
    samples = np.tile(np.array([1, 10, 3, 30, 8, 80, 4], np.int16), (5, 1))

    mixed = _mixed(samples)

    assert mixed.dtype == np.int16
    assert mixed.tolist() == [[4, 40]] * 5
