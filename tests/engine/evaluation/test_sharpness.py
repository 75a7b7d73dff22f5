"""Sharpness of pictures that were blurred by a known amount, as a whole and in parts."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from fresco_engine.evaluation.sharpness import Sharpness, gradient_energy
from fresco_media.types import Image

from tests.engine.evaluation.conftest import HEIGHT, WIDTH, texture


def _blurred(image: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def _of(*images: Image) -> float:
    sharpness = Sharpness()
    for image in images:
        sharpness.add(image)
    return sharpness.whole


def test_a_ramp_has_the_energy_of_its_slope() -> None:
    ramp = np.repeat(np.arange(0, 192, 3).astype(np.uint8)[None, :, None], 3, axis=2)
    ramp = np.repeat(ramp, HEIGHT, axis=0)

    energy = gradient_energy(ramp)

    assert energy[:, 1:-1] == pytest.approx((3 / 255) ** 2, rel=1e-4)


def test_the_more_a_picture_is_blurred_the_less_sharp_it_is() -> None:
    picture = texture()

    figures = [_of(_blurred(picture, sigma)) for sigma in (0.3, 0.7, 1.5, 3.0)]

    assert figures == sorted(figures, reverse=True)
    assert figures[0] < 1.01 * _of(picture)
    assert figures[-1] < 0.2 * _of(picture)


def test_frames_count_alike() -> None:
    sharp, soft = texture(), _blurred(texture(), 2)

    assert _of(sharp, soft) == pytest.approx((_of(sharp) + _of(soft)) / 2)


def test_blur_outside_the_subject_shows_outside_only() -> None:
    picture = texture()
    subject = np.zeros((HEIGHT, WIDTH), np.bool_)
    subject[:, : WIDTH // 2] = True
    half = picture.copy()
    half[:, WIDTH // 2 + 8 :] = _blurred(picture, 3)[:, WIDTH // 2 + 8 :]

    before, after = Sharpness(), Sharpness()
    before.add(picture, subject)
    after.add(half, subject)

    assert after.inside == before.inside
    assert after.outside < 0.6 * before.outside
    assert after.whole == pytest.approx((after.inside + after.outside) / 2)


def test_without_a_mask_there_is_no_inside_and_outside() -> None:
    sharpness = Sharpness()
    sharpness.add(texture())

    assert math.isnan(sharpness.inside)
    assert math.isnan(sharpness.outside)
    assert math.isnan(Sharpness().whole)
