from collections.abc import Callable

import numpy as np
from fresco_engine.correspondence.occlusion import occlusion
from fresco_media.types import Image
from numpy.typing import NDArray

Texture = Callable[..., Image]
FloatFlow = NDArray[np.float32]


def _square_scene(texture: Texture) -> tuple[Image, Image, FloatFlow, FloatFlow]:
    """A 16x16 square that moves 12 pixels to the right over a still ground, with true flows."""
    ground, square = texture(64, 80, 1), texture(16, 16, 2)
    first, second = ground.copy(), ground.copy()
    first[20:36, 20:36] = square
    second[20:36, 32:48] = square
    forward, backward = np.zeros((2, 64, 80, 2), np.float32)
    forward[20:36, 20:36] = (12, 0)
    backward[20:36, 32:48] = (-12, 0)
    return first, second, forward, backward


def test_a_still_picture_hides_nothing(texture: Texture) -> None:
    picture, still = texture(32, 40), np.zeros((32, 40, 2), np.float32)

    hidden = occlusion(still, still, picture, picture)

    assert hidden.dtype == np.bool_
    assert not hidden.any()


def test_a_moving_square_hides_the_ground_before_it_and_nothing_else(texture: Texture) -> None:
    first, second, forward, backward = _square_scene(texture)

    hidden = occlusion(forward, backward, first, second)

    true = np.zeros((64, 80), bool)
    true[20:36, 36:48] = True
    assert hidden[true].all()
    assert not hidden[~true].any()


def test_a_moving_square_uncovers_the_ground_behind_it(texture: Texture) -> None:
    first, second, forward, backward = _square_scene(texture)

    hidden = occlusion(backward, forward, second, first)

    true = np.zeros((64, 80), bool)
    true[20:36, 20:32] = True
    assert (hidden == true).all()


def test_pixels_that_leave_the_picture_are_hidden(texture: Texture) -> None:
    picture = texture(32, 40)
    forward = np.full((32, 40, 2), (5, 0), np.float32)

    hidden = occlusion(forward, -forward, np.roll(picture, -5, 1), picture)

    assert hidden[:, -5:].all()
    assert not hidden[:, :-5].any()


def test_pixels_that_change_by_more_than_a_quarter_of_the_range_are_hidden() -> None:
    still = np.zeros((8, 8, 2), np.float32)
    first = np.full((8, 8, 3), 100, np.uint8)
    second = first.copy()
    second[:, 4:] = 100 + 65
    second[:, :4] = 100 + 62

    hidden = occlusion(still, still, first, second)

    assert hidden[:, 4:].all()
    assert not hidden[:, :4].any()


def test_flows_may_disagree_by_half_a_pixel_and_a_hundredth_of_the_way() -> None:
    picture = np.full((16, 200, 3), 90, np.uint8)
    forward = np.full((16, 200, 2), (50, 0), np.float32)
    agreeing = -forward + np.array([1.4, 0], np.float32)
    disagreeing = -forward + np.array([1.7, 0], np.float32)

    kept = occlusion(forward, agreeing, picture, picture)
    hidden = occlusion(forward, disagreeing, picture, picture)

    assert not kept[:, :150].any()
    assert hidden[:, :150].all()
