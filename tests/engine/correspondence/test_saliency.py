from collections.abc import Callable

import numpy as np
import pytest
from fresco_engine.correspondence.flow import Flow, pixel_grid
from fresco_engine.correspondence.saliency import foreground_mask
from fresco_engine.types import Image

Texture = Callable[..., Image]
BOX = (slice(40, 88), slice(50, 110))


def _camera(height: int, width: int) -> Flow:
    """A camera that pans, zooms and turns a little."""
    grid = pixel_grid(height, width)
    turn = np.array([[0.03, 0.02], [-0.02, 0.03]], np.float32)
    return (grid @ turn.T + np.array([3, -2], np.float32)).astype(np.float32)


def _scene(texture: Texture) -> tuple[list[Image], np.ndarray]:
    """Three frames of a reddish box that moves against a bluish ground under a moving camera."""
    picture = (texture(128, 160) * np.array([0.4, 0.6, 1.0])).astype(np.uint8)
    picture[BOX] = (texture(48, 60, 1) * np.array([1.0, 0.4, 0.3])).astype(np.uint8)
    flow = _camera(128, 160)
    flow[BOX] += np.array([9, 5], np.float32)
    return [picture] * 3, np.stack([flow] * 3)


def _overlap(mask: np.ndarray) -> float:
    """Intersection over union with the box."""
    true = np.zeros(mask.shape, bool)
    true[BOX] = True
    return float((mask & true).sum() / (mask | true).sum())


def test_what_moves_against_the_camera_is_foreground(texture: Texture) -> None:
    frames, flows = _scene(texture)

    masks = foreground_mask(frames, flows)

    assert masks.shape == (3, 128, 160)
    assert masks.dtype == np.bool_
    assert all(_overlap(mask) > 0.85 for mask in masks)


def test_colour_finds_the_object_in_a_frame_where_it_rests(texture: Texture) -> None:
    frames, flows = _scene(texture)
    flows[1] = _camera(128, 160)

    masks = foreground_mask(frames, flows)

    assert masks[0].any()
    assert masks[1][BOX].mean() >= masks[1].mean()


@pytest.mark.parametrize("moves", [False, True], ids=["still", "camera moves"])
def test_a_scene_without_motion_of_its_own_has_no_foreground(texture: Texture, moves: bool) -> None:
    frames = [texture(128, 160)] * 2
    flow = _camera(128, 160) if moves else np.zeros((128, 160, 2), np.float32)

    masks = foreground_mask(frames, np.stack([flow, flow]))

    assert not masks.any()


def test_specks_are_cleaned_away(texture: Texture) -> None:
    frames, flows = _scene(texture)
    still = np.zeros_like(flows)
    still[:, 60:63, 80:83] = 20

    masks = foreground_mask(frames, still)

    assert not masks.any()


def test_pictures_too_small_for_a_fit_have_an_answer(texture: Texture) -> None:
    masks = foreground_mask([texture(3, 4)], np.zeros((1, 3, 4, 2), np.float32))

    assert masks.shape == (1, 3, 4)
    assert not masks.any()
