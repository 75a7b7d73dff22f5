"""Samples of tracks whose channels nobody placed."""

import numpy as np
from fresco_media.sound.samples import _mixed  # pyright: ignore[reportPrivateUsage]


def test_channels_that_nobody_placed_go_left_and_right_by_turns() -> None:
    samples = np.tile(np.array([1, 10, 3, 30, 8, 80, 4], np.int16), (5, 1))

    mixed = _mixed(samples)

    assert mixed.dtype == np.int16
    assert mixed.tolist() == [[4, 40]] * 5
