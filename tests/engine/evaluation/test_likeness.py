"""PSNR and SSIM of pictures whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest
from fresco_engine.evaluation.likeness import psnr, ssim

from tests.engine.evaluation.conftest import texture


def test_psnr_of_a_known_error() -> None:
    levels = np.full((4, 4, 3), 100, np.uint8)

    assert psnr(levels, levels + 51) == pytest.approx(20 * np.log10(5))
    assert psnr(levels / 255, (levels + 51) / 255, peak=1) == pytest.approx(20 * np.log10(5))
    assert psnr(levels, levels) == pytest.approx(100)


def test_ssim_is_1_for_equal_pictures_and_falls_with_noise() -> None:
    picture, noise = texture(), np.random.default_rng(0).normal(size=texture().shape)

    likeness = [
        ssim(picture, np.clip(picture + level * noise, 0, 255).astype(np.uint8))
        for level in (0, 5, 20, 60)
    ]

    assert likeness[0] == pytest.approx(1)
    assert likeness == sorted(likeness, reverse=True)
    assert likeness[-1] < 0.5
