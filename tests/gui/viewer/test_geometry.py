"""Zoom, pan and what is drawn from them."""

from __future__ import annotations

import numpy as np
import pytest
from fresco_gui.media.pictures import from_bgr, read_pixels_of, to_rgb
from fresco_gui.viewer.camera import Camera, Placement
from fresco_gui.viewer.overlay import read
from fresco_gui.viewer.rendering import GROUND, difference, onion, rendered
from hypothesis import given
from hypothesis import strategies as st

SIZES = st.tuples(st.floats(50, 3000), st.floats(50, 3000))


@given(SIZES, SIZES)
def test_a_picture_that_is_fitted_lies_whole_in_the_middle(
    pane: tuple[float, float], picture: tuple[float, float]
) -> None:
    place = Camera().place(pane, picture)

    assert place.width == pytest.approx(pane[0]) or place.height == pytest.approx(pane[1])
    assert place.width <= pane[0] + 1e-6
    assert place.height <= pane[1] + 1e-6
    assert place.left * 2 + place.width == pytest.approx(pane[0], abs=1e-6)
    assert place.top * 2 + place.height == pytest.approx(pane[1], abs=1e-6)


@given(st.floats(0.3, 0.7), st.floats(0.3, 0.7), st.floats(2, 6))
def test_zooming_keeps_what_is_under_the_pointer(x: float, y: float, factor: float) -> None:
    pane, picture = (800.0, 600.0), (800.0, 600.0)
    camera = Camera(2.0)
    at = (pane[0] * x, pane[1] * y)

    before = camera.place(pane, picture).to_picture(at)
    after = camera.zoomed(factor, at, pane, picture).place(pane, picture).to_picture(at)

    assert after == pytest.approx(before, abs=1e-6)


@given(st.floats(-5000, 5000), st.floats(-5000, 5000))
def test_panning_leaves_no_empty_ground(x: float, y: float) -> None:
    pane, picture = (800.0, 600.0), (1920.0, 1080.0)

    place = Camera(1.0).panned((x, y), pane, picture).place(pane, picture)

    assert place.left <= 1e-6
    assert place.top <= 1e-6
    assert place.left + place.width >= pane[0] - 1e-6
    assert place.top + place.height >= pane[1] - 1e-6


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def test_at_100_percent_every_pixel_is_itself() -> None:
    drawn = noise(40, 60)

    out = rendered(from_bgr(drawn), Placement(10, 5, 60, 40), (80, 50), is_fine=True)

    shown = read_pixels_of(out)[..., :3]
    assert np.array_equal(shown[5:45, 10:70], drawn)
    assert (shown[:5] == GROUND).all()
    assert (shown[45:] == GROUND).all()
    assert (shown[:, :10] == GROUND).all()


def test_from_200_percent_on_pixels_are_squares() -> None:
    drawn = noise(10, 12)

    out = rendered(from_bgr(drawn), Placement(-12, -8, 48, 40), (30, 20), is_fine=True)

    squares = drawn.repeat(4, axis=0).repeat(4, axis=1)
    assert np.array_equal(read_pixels_of(out)[..., :3], squares[8:28, 12:42])


@pytest.mark.parametrize("is_fine", [True, False])
def test_a_large_picture_shrinks_to_the_mean_of_what_it_shows(is_fine: bool) -> None:
    drawn = np.full((1080, 1920, 3), 90, np.uint8)
    drawn[:, 960:] = 180

    out = rendered(from_bgr(drawn), Placement(0, 0, 480, 270), (480, 270), is_fine=is_fine)

    shown = read_pixels_of(out)[..., 0]
    assert (shown[:, :230] == 90).all()
    assert (shown[:, 250:] == 180).all()


def test_difference_is_black_where_pictures_agree_and_bright_by_its_gain() -> None:
    first, second = noise(8, 8), noise(8, 8).copy()
    second[0, 0] = first[0, 0] ^ 8

    out = to_rgb(difference(from_bgr(first), from_bgr(second), 4.0))

    assert (out[1:] == 0).all()
    assert (out[0, 0] == 32).all()


def test_onion_skin_mixes_by_its_share() -> None:
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 200, np.uint8)

    out = to_rgb(onion(from_bgr(black), from_bgr(white), 0.25))

    assert (out == 50).all()


def test_the_read_out_tells_the_pixel_of_pictures_of_any_size() -> None:
    source, result = np.zeros((10, 20, 3), np.uint8), np.zeros((20, 40, 3), np.uint8)
    source[5, 10] = (30, 20, 10)
    result[10:12, 20:22] = (33, 22, 11)

    reading = read((10.4 / 20, 5.4 / 10), (20, 10), from_bgr(source), from_bgr(result))

    assert reading is not None
    assert (reading.x, reading.y) == (10, 5)
    assert reading.source == (10, 20, 30)
    assert reading.result == (11, 22, 33)
    assert "+1" in reading.words()
    assert "+3" in reading.words()


@pytest.mark.parametrize("share", [(-0.01, 0.5), (0.5, 1.0), (1.2, 0.2)])
def test_nothing_is_read_beside_the_picture(share: tuple[float, float]) -> None:
    assert read(share, (20, 10), from_bgr(noise(10, 20)), None) is None
