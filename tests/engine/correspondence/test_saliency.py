from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from fresco_engine.correspondence.batch import correspond
from fresco_engine.correspondence.flow import DisFlow, Flow, pixel_grid, track
from fresco_engine.correspondence.saliency import foreground_mask
from fresco_engine.sample import sample_clip_path
from fresco_media.clip import Clip
from fresco_media.types import Image

Texture = Callable[..., Image]


def _camera(height: int, width: int) -> Flow:
    """A camera that pans, zooms and turns a little."""
    grid = pixel_grid(height, width)
    turn = np.array([[0.03, 0.02], [-0.02, 0.03]], np.float32)
    return (grid @ turn.T + np.array([3, -2], np.float32)).astype(np.float32)


def _box(step: int) -> tuple[slice, slice]:
    """Where the box is after `step` steps of (9, 5) pixels."""
    return slice(40 + 5 * step, 88 + 5 * step), slice(40 + 9 * step, 100 + 9 * step)


def _scene(texture: Texture) -> tuple[list[Image], list[Flow], list[Flow]]:
    """Three frames of a reddish box that moves over a bluish ground, and the flows both ways."""
    ground = (texture(128, 160) * np.array([0.4, 0.6, 1.0])).astype(np.uint8)
    box = (texture(48, 60, 1) * np.array([1.0, 0.4, 0.3])).astype(np.uint8)
    frames = [ground.copy() for _ in range(3)]
    forward = [_camera(128, 160) for _ in range(2)]
    backward = [-_camera(128, 160) for _ in range(2)]
    for step in range(3):
        frames[step][_box(step)] = box
    for step in range(2):
        forward[step][_box(step)] = (9, 5)
        backward[step][_box(step + 1)] = (-9, -5)
    return frames, forward, backward


def _overlap(mask: np.ndarray, step: int) -> float:
    """Intersection over union with the box."""
    true = np.zeros(mask.shape, bool)
    true[_box(step)] = True
    return float((mask & true).sum() / (mask | true).sum())


def test_what_moves_against_the_camera_is_foreground(texture: Texture) -> None:
    masks = foreground_mask(*_scene(texture))

    assert masks.shape == (3, 128, 160)
    assert masks.dtype == np.bool_
    assert all(_overlap(mask, step) > 0.75 for step, mask in enumerate(masks))


def test_an_object_at_rest_is_foreground_where_it_moves_in_another_frame(texture: Texture) -> None:
    frames, forward, backward = _scene(texture)
    still = np.zeros_like(forward[0])

    masks = foreground_mask([*frames[:2], frames[1]], [forward[0], still], [backward[0], still])

    assert _overlap(masks[2], 1) > 0.85


def test_a_wide_step_says_nothing_about_the_subject(texture: Texture) -> None:
    frames, forward, backward = _scene(texture)
    still = np.zeros_like(forward[0])
    pictures = [*frames[:2], frames[1]]
    tracks = [(forward[0], backward[0]), (still, still)]

    followed = correspond(pictures, DisFlow(), tracks=tracks)
    unrelated = correspond(pictures, DisFlow(), tracks=tracks, linked=[False, True])

    assert followed.foreground[1].any()
    assert not unrelated.foreground.any()


@pytest.mark.parametrize("moves", [False, True], ids=["still", "camera moves"])
def test_a_scene_without_motion_of_its_own_has_no_foreground(texture: Texture, moves: bool) -> None:
    flow = _camera(128, 160) if moves else np.zeros((128, 160, 2), np.float32)

    masks = foreground_mask([texture(128, 160)] * 2, [flow], [flow])

    assert not masks.any()


def test_specks_are_cleaned_away(texture: Texture) -> None:
    flow = np.zeros((128, 160, 2), np.float32)
    flow[60:63, 80:83] = 20

    masks = foreground_mask([texture(128, 160)] * 2, [flow], [flow])

    assert not masks.any()


def test_a_lone_frame_has_no_foreground(texture: Texture) -> None:
    masks = foreground_mask([texture(32, 40)], [], [])

    assert masks.shape == (1, 32, 40)
    assert not masks.any()


def test_pictures_too_small_for_a_fit_have_an_answer(texture: Texture) -> None:
    still = np.zeros((3, 4, 2), np.float32)

    masks = foreground_mask([texture(3, 4)] * 2, [still], [still])

    assert masks.shape == (2, 3, 4)
    assert not masks.any()


def test_masks_are_the_same_every_time(texture: Texture) -> None:
    assert np.array_equal(foreground_mask(*_scene(texture)), foreground_mask(*_scene(texture)))


def test_a_face_that_moves_once_is_foreground_in_every_frame(texture: Texture) -> None:
    frames, forward, backward = _scene(texture)
    still = np.zeros_like(forward[0])

    masks = foreground_mask(
        [frames[0]] * 3 + [frames[1]] * 3,
        [still, still, forward[0], still, still],
        [still, still, backward[0], still, still],
    )

    assert all(
        _overlap(mask, step) > 0.75 for mask, step in zip(masks, (0, 0, 0, 1, 1, 1), strict=True)
    )


def test_ground_that_passes_faster_the_nearer_it_is_is_not_foreground(texture: Texture) -> None:
    frames, forward, backward = _scene(texture)
    near = (np.arange(128, dtype=np.float32) / 16)[:, None]
    for step in range(2):
        for flow, sign, place in ((forward, 1, step), (backward, -1, step + 1)):
            moving = flow[step][_box(place)].copy()
            flow[step][..., 0], flow[step][..., 1] = sign * near, 0
            flow[step][_box(place)] = moving

    masks = foreground_mask(frames, forward, backward)

    assert all(_overlap(mask, step) > 0.75 for step, mask in enumerate(masks))


def test_a_link_between_frames_far_apart_is_no_evidence(texture: Texture) -> None:
    frames, forward, backward = _scene(texture)
    wild = np.zeros_like(forward[0])
    wild[:, :80] = (25, -12)

    masks = foreground_mask(
        [frames[2], *frames], [wild, *forward], [-wild, *backward], linked=[False, True, True]
    )

    assert all(_overlap(mask, step) > 0.75 for mask, step in zip(masks, (2, 0, 1, 2), strict=True))


@pytest.mark.parametrize("size", [(16, 600), (600, 16), (1, 7), (7, 1), (1, 1)])
@pytest.mark.parametrize("is_flat", [True, False], ids=["flat", "textured"])
def test_pictures_of_any_shape_have_an_answer(
    texture: Texture, size: tuple[int, int], is_flat: bool
) -> None:
    picture = np.full((*size, 3), 90, np.uint8) if is_flat else texture(*size)
    flow = np.zeros((*size, 2), np.float32)
    flow[size[0] // 2 :, size[1] // 2 :] = (6, 0)

    masks = foreground_mask([picture] * 3, [flow] * 2, [-flow] * 2)

    assert masks.shape == (3, *size)
    assert not (is_flat and masks.any())


def test_what_moves_in_the_sample_is_foreground() -> None:
    """Against masks cast from the clip's scene: the train, its smoke, the balloon, the sails."""
    keys = (0, 11, 22, 34, 46)
    pictures = [frame.image for frame in Clip.open(sample_clip_path()).frames(0, keys[-1] + 1)]
    tracks = [track(pictures[a : b + 1], DisFlow("fast")) for a, b in pairwise(keys)]

    masks = foreground_mask(
        [pictures[key] for key in keys],
        [there for there, _ in tracks],
        [back for _, back in tracks],
    )

    true = [_drawn(key) for key in keys[::2]]
    found = list(masks[::2])
    shared = sum(int((a & b).sum()) for a, b in zip(found, true, strict=True))
    assert shared / sum(int((a | b).sum()) for a, b in zip(found, true, strict=True)) > 0.7


def _drawn(frame: int) -> np.ndarray:
    path = Path(__file__).parent / "subject_masks" / f"{frame:04d}.png"
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    return mask > 127
