from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from fresco_engine.correspondence.flow import Flow
from fresco_engine.correspondence.subject.camera_match import CameraMatch, match_camera
from fresco_media.types import Image
from numpy.typing import NDArray

Texture = Callable[..., Image]
FloatMap = NDArray[np.float32]

_SIZE = (96, 128)


@pytest.fixture
def ground(texture: Texture) -> FloatMap:
    """(h, w, 3): a coarse pattern, so that a place is unlike those around it."""
    coarse = cv2.resize(texture(24, 32), _SIZE[::-1], interpolation=cv2.INTER_NEAREST)
    return coarse.astype(np.float32)


def _still(frames: int) -> list[Flow]:
    return [np.zeros((*_SIZE, 2), np.float32) for _ in range(frames - 1)]


def _match(
    colours: list[FloatMap],
    *,
    flows: tuple[list[Flow], list[Flow]] | None = None,
    cameras: tuple[list[Flow], list[Flow]] | None = None,
    linked: list[bool] | None = None,
) -> CameraMatch:
    still = _still(len(colours))
    return match_camera(
        np.stack(colours),
        flows or (still, still),
        cameras or (still, still),
        linked or [True] * len(still),
    )


def test_ground_that_flow_takes_along_is_seen_to_stay(ground: FloatMap) -> None:
    astray = _still(3)
    for flow in astray:
        flow[30:60, 30:90] = (17, 0)

    found = _match([ground] * 3, flows=(astray, astray))

    assert found.stays[:, 32:58, 32:88].mean() > 0.4
    assert found.stays[:, :28].max() == 0
    assert found.unexplained.max() == 0


def test_what_the_flow_explains_is_not_said_to_stay(ground: FloatMap) -> None:
    frames = [np.roll(ground, 8 * step, axis=1) for step in range(3)]
    ahead, behind = _still(3), _still(3)
    for there, back in zip(ahead, behind, strict=True):
        there[..., 0], back[..., 0] = 8, -8

    found = _match(frames, flows=(ahead, behind))

    assert found.stays[:, :, 20:100].mean() < 0.02


def test_one_frame_that_fits_by_chance_does_not_make_a_place_stay(ground: FloatMap) -> None:
    other = 255 - ground
    astray = _still(4)
    for flow in astray:
        flow[..., 0] = 17

    found = _match([ground, other, ground, other], flows=(astray, astray))

    assert found.stays.max() < 0.2


def test_flat_ground_is_never_seen_to_stay() -> None:
    flat = np.full((*_SIZE, 3), 120, np.float32)
    frames = [flat + 20 * step for step in range(3)]

    assert _match(frames).stays.max() == 0


def test_what_is_in_one_frame_only_is_unexplained_there(ground: FloatMap) -> None:
    smoke = ground.copy()
    smoke[20:50, 40:80] = 255

    found = _match([ground, smoke, ground])

    assert found.unexplained[1, 24:46, 44:76].mean() > 30
    assert found.unexplained[1, 60:].max() == 0
    # What it hides there is seen in the other of both.
    assert found.unexplained[0].max() == 0


def test_what_the_camera_has_left_behind_is_not_unexplained(ground: FloatMap) -> None:
    ahead, behind = _still(2), _still(2)
    ahead[0][..., 0], behind[0][..., 0] = -40, 40
    following = np.roll(ground, -40, axis=1)
    following[:, -40:] = 255 - following[:, -40:]

    found = _match([ground, following], flows=(ahead, behind), cameras=(ahead, behind))

    assert found.unexplained.max() < 1


def test_frames_that_are_not_linked_are_not_compared(ground: FloatMap) -> None:
    found = _match([ground, 255 - ground], linked=[False])

    assert found.unexplained.max() == 0
    assert found.stays.max() == 0
