import itertools

import cv2
import numpy as np
import pytest
from fresco_training.scenes import scene
from fresco_training.styles import STYLES, apply_style
from fresco_training.styles.parts import enliven


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return scene(np.random.default_rng(7), 128)


@pytest.mark.parametrize("name", STYLES)
def test_a_style_keeps_shape_type_and_range(name: str, picture: np.ndarray) -> None:
    wide = np.ascontiguousarray(picture[:90, :121])

    styled = apply_style(name, wide)

    assert styled.shape == wide.shape
    assert styled.dtype == np.float32
    assert 0.0 <= styled.min() <= styled.max() <= 1.0


@pytest.mark.parametrize("name", STYLES)
def test_a_style_gives_the_same_picture_every_time(name: str, picture: np.ndarray) -> None:
    before = picture.copy()

    first, second = apply_style(name, picture), apply_style(name, picture)

    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(picture, before)


def test_a_photo_stays_as_it_is(picture: np.ndarray) -> None:
    np.testing.assert_array_equal(apply_style("photo", picture), picture)


def test_any_two_styles_differ_clearly(picture: np.ndarray) -> None:
    styled = {name: apply_style(name, picture) for name in STYLES}

    differences = {
        (a, b): float(np.abs(styled[a] - styled[b]).mean())
        for a, b in itertools.combinations(STYLES, 2)
    }

    assert min(differences.values()) > 0.02, min(differences, key=differences.__getitem__)


def test_filter_sizes_follow_the_picture() -> None:
    small = scene(np.random.default_rng(3), 192)
    large = cv2.resize(small, (384, 384), interpolation=cv2.INTER_CUBIC).clip(0, 1)

    styled_small, styled_large = (apply_style("pop art", p) for p in (small, large))

    shrunk = cv2.resize(styled_large, (192, 192), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk - styled_small).mean() < 0.04


def test_pixel_art_consists_of_flat_blocks(picture: np.ndarray) -> None:
    blocks = apply_style("pixel art", picture, scale=1.0).reshape(16, 8, 16, 8, 3)

    assert np.ptp(blocks, axis=(1, 3)).max() == 0.0


@pytest.mark.parametrize("name", sorted(set(STYLES) - {"pixel art"}))
def test_marks_lie_on_the_picture_and_not_on_the_screen(name: str) -> None:
    whole = scene(np.random.default_rng(5), 256)

    styled = apply_style(name, whole, scale=0.5)[96:160, 96:160]

    # Neither a border far away nor where the picture begins changes what a place looks like.
    alone = apply_style(name, np.ascontiguousarray(whole[29:224, 27:224]), scale=0.5)
    away = np.abs(alone[67:131, 69:133] - styled)
    assert away.mean() < 0.003
    assert np.quantile(away, 0.99) < 0.05


def test_livelier_colours_leave_skin_more_as_it_is() -> None:
    skin, leaf = (np.float32(colour) * np.ones((8, 8, 3), np.float32) for colour in (SKIN, LEAF))

    change = [np.ptp(enliven(colour, 2.0)[0, 0]) / np.ptp(colour[0, 0]) for colour in (skin, leaf)]

    assert 1.0 < change[0] < 1.5 < change[1]


SKIN, LEAF = (0.75, 0.58, 0.47), (0.42, 0.6, 0.44)
