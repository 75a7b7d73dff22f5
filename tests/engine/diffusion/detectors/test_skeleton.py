"""People drawn as the pose ControlNet knows them."""

from __future__ import annotations

import numpy as np
import pytest
from fresco_engine.diffusion.detectors.skeleton import (
    COLOURS,
    LIMB_SHADE,
    LIMBS,
    draw_people,
    joints_of,
)
from numpy.typing import NDArray

SIZE = (512, 640)
NOBODY = np.full((18, 2), np.nan, np.float32)


def standing() -> NDArray[np.float32]:
    """Joints on a circle, far enough from each other for every limb's colour to be seen."""
    turns = np.arange(18) / 18 * 2 * np.pi
    return np.stack([320 + 230 * np.cos(turns), 256 + 230 * np.sin(turns)], 1).astype(np.float32)


def only(*joints: int) -> NDArray[np.float32]:
    seen = NOBODY.copy()
    seen[list(joints)] = standing()[list(joints)]
    return seen


@pytest.mark.parametrize("limb", range(17))
def test_a_limb_has_its_colour_a_shade_darker_than_joints(limb: int) -> None:
    begin, end = LIMBS[limb]

    picture = draw_people([only(begin, end)], *SIZE)

    x, y = np.rint(standing()[[begin, end]].mean(axis=0)).astype(int)
    assert tuple(picture[y, x]) == tuple(int(LIMB_SHADE * level) for level in COLOURS[limb])


@pytest.mark.parametrize("joint", range(18))
def test_a_joint_alone_is_a_disc_of_its_colour(joint: int) -> None:
    picture = draw_people([only(joint)], *SIZE)

    x, y = np.rint(standing()[joint]).astype(int)
    assert tuple(picture[y, x]) == COLOURS[joint]
    area = (picture.max(axis=2) > 127).sum()
    assert area == pytest.approx(np.pi * 4**2, abs=12)


def test_a_limb_with_an_end_unseen_is_not_drawn() -> None:
    shoulder_and_wrist = only(2, 4)

    picture = draw_people([shoulder_and_wrist], *SIZE)

    assert (picture.max(axis=2) > 0).sum() < 2 * 12**2


def test_nobody_is_black() -> None:
    assert draw_people([], *SIZE).max() == 0
    assert draw_people([NOBODY], *SIZE).max() == 0


def test_what_is_drawn_grows_with_the_picture() -> None:
    small = draw_people([standing() / 2], 256, 320)
    large = draw_people([standing()], *SIZE)

    # Pixels at smooth edges count as far as they are lit.
    assert small.mean() == pytest.approx(large.mean(), rel=0.05)


def test_joints_outside_the_picture_do_no_harm() -> None:
    outside = standing() + np.float32(600)

    assert draw_people([outside], *SIZE).max() == 0


def test_points_of_coco_come_in_the_order_of_openpose_with_a_neck_between_the_shoulders() -> None:
    points = np.stack([np.arange(17), 100 + np.arange(17)], 1).astype(np.float32)

    joints = joints_of(points, np.ones(17, np.float32), 0.3)

    nose, neck, right_shoulder, left_ankle, left_ear = (joints[n, 0] for n in (0, 1, 2, 13, 17))
    assert (nose, neck, right_shoulder, left_ankle, left_ear) == (0, 5.5, 6, 15, 3)


def test_points_that_are_not_certain_are_not_seen_and_take_the_neck_with_them() -> None:
    certainty = np.ones(17, np.float32)
    certainty[[5, 9]] = 0.2

    joints = joints_of(np.zeros((17, 2), np.float32), certainty, 0.3)

    unseen = np.flatnonzero(np.isnan(joints[:, 0]))
    assert unseen.tolist() == [1, 5, 7]
