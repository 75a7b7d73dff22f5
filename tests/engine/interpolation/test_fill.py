"""Recolouring the source where no keyframe shows it."""

from __future__ import annotations

import cv2
import numpy as np
from fresco_engine.interpolation.fill import recoloured_share


def recolour(source: np.ndarray, stylised: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return recoloured_share(source, stylised, weight, np.ones_like(weight))


def smooth_picture(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((96, 128, 3)).astype(np.float32)
    return 40 + 60 * cv2.GaussianBlur(noise, (0, 0), 4)


def test_a_hole_is_painted_with_the_colour_map_of_its_surroundings() -> None:
    source = smooth_picture(0)
    mixing = np.array([[0.5, 0.2, 0.0], [0.0, 1.3, 0.1], [0.1, 0.0, 0.8]], np.float32)
    stylised = source @ mixing.T + np.array([20, -5, 8], np.float32)
    weight = np.ones((96, 128), np.float32)
    weight[40:60, 50:80] = 0
    damaged = stylised.copy()
    damaged[40:60, 50:80] = -500

    filled = recolour(source, damaged, weight)

    before = np.abs(source - stylised)[40:60, 50:80].mean()
    assert np.abs(filled - stylised)[40:60, 50:80].mean() < 0.15 * before


def test_with_nothing_known_far_around_the_whole_picture_decides() -> None:
    source = smooth_picture(1)
    stylised = source + np.array([25, 10, -10], np.float32)
    weight = np.zeros((96, 128), np.float32)
    weight[:, :8] = 1

    filled = recolour(source, stylised, weight)

    assert np.abs(filled - stylised)[:, 100:].mean() < 2


def test_sizes_that_do_not_divide_evenly_are_filled_too() -> None:
    source = smooth_picture(3)[:91, :117]

    filled = recolour(source, source + 10, np.ones((91, 117), np.float32))

    np.testing.assert_allclose(filled, source + 10, atol=1)


def test_a_picture_without_any_trusted_pixel_stays_finite() -> None:
    source = smooth_picture(2)

    filled = recolour(source, source, np.zeros((96, 128), np.float32))

    assert np.isfinite(filled).all()
