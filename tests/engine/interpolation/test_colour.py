"""Bytes to Lab and back."""

from __future__ import annotations

import numpy as np
from fresco_engine.interpolation.colour import from_lab, to_lab


def test_every_colour_comes_back_from_lab_within_one_level() -> None:
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    image = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(52 * 4, -1, 3)

    back = from_lab(to_lab(image))

    assert np.abs(back.astype(int) - image).max() <= 1


def test_colours_are_rounded_not_cut_off() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)

    drift = from_lab(to_lab(image)).astype(int) - image

    assert abs(drift.mean()) < 0.01
