"""Colour options move statistics, and do nothing at their neutral value."""

import cv2
import numpy as np
import pytest
from fresco_engine.colours import colourise, keep_colours
from fresco_media.types import Image


@pytest.fixture
def pair() -> tuple[Image, Image]:
    random = np.random.default_rng(0)
    result = random.integers(60, 160, (32, 40, 3), np.uint8)
    source = random.integers(90, 200, (32, 40, 3), np.uint8)
    source[..., 2] //= 2
    return result, source


def lab(image: Image) -> np.ndarray:
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def test_share_zero_leaves_the_result_untouched(pair: tuple[Image, Image]) -> None:
    result, source = pair

    assert keep_colours(result, source, 0.0) is result


def test_share_one_gives_the_sources_mean_colour(pair: tuple[Image, Image]) -> None:
    result, source = pair

    kept = keep_colours(result, source, 1.0)

    np.testing.assert_allclose(lab(kept).mean((0, 1)), lab(source).mean((0, 1)), atol=2.5)


def test_colourising_keeps_the_sources_light(pair: tuple[Image, Image]) -> None:
    result, source = pair

    coloured = colourise(result, source)

    difference = np.abs(lab(coloured)[..., 0] - lab(source)[..., 0])
    assert np.median(difference) < 1.0
