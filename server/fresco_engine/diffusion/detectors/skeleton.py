"""People as the pose ControlNet knows them: OpenPose's joints, limbs and colours.

Eighteen joints, seventeen limbs, each in a colour of its own around the wheel: a fact of what the
ControlNet was trained on (Zhang et al., arXiv:2302.05543, with OpenPose, arXiv:1812.08008).
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

Joints = NDArray[np.float32]
"""(18, 2): x and y of a person's joints in pixels, NaN where a joint is not seen."""
_FROM_COCO = (0, -1, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
"""COCO's number of each joint; it has no neck."""
_NECK, _SHOULDERS = 1, (5, 6)
LIMBS = (
    (1, 2),
    (1, 5),
    (2, 3),
    (3, 4),
    (5, 6),
    (6, 7),
    (1, 8),
    (8, 9),
    (9, 10),
    (1, 11),
    (11, 12),
    (12, 13),
    (1, 0),
    (0, 14),
    (14, 16),
    (0, 15),
    (15, 17),
)
COLOURS = (
    (255, 0, 0),
    (255, 85, 0),
    (255, 170, 0),
    (255, 255, 0),
    (170, 255, 0),
    (85, 255, 0),
    (0, 255, 0),
    (0, 255, 85),
    (0, 255, 170),
    (0, 255, 255),
    (0, 170, 255),
    (0, 85, 255),
    (0, 0, 255),
    (85, 0, 255),
    (170, 0, 255),
    (255, 0, 255),
    (255, 0, 170),
    (255, 0, 85),
)
LIMB_SHADE = 0.6
"""How bright limbs are beside joints."""
_RADIUS, _AT = 4, 512
"""Half the thickness of a limb and the radius of a joint, in a picture of so short a side."""
_CORNERS = 36
_FRACTION_BITS = 4
_FINE_SIDE, _FINEST = 2048, 4
"""The short side up to which it is drawn larger, and how often at most."""


def joints_of(points: Joints, certainty: NDArray[np.float32], least: float) -> Joints:
    """A person's joints of COCO's seventeen points (17, 2); those below `least` are not seen.

    The neck lies between the shoulders and is seen where both are.
    """
    seen = np.where((certainty >= least)[:, None], points, np.nan).astype(np.float32)
    joints = seen[list(_FROM_COCO)]
    joints[_NECK] = seen[list(_SHOULDERS)].mean(axis=0)
    return joints


def draw_people(people: Iterable[Joints], height: int, width: int) -> Image:
    """A black picture with `people`; the last are in front.

    It is drawn larger and made smaller, so that edges are smooth and nothing is thicker than meant.
    """
    times = min(max(_FINE_SIDE // min(height, width), 1), _FINEST)
    picture = np.zeros((times * height, times * width, 3), np.uint8)
    radius = times * _RADIUS * min(height, width) / _AT
    for person in people:
        # The middle of a pixel stays the middle of what it is drawn with.
        _draw(picture, times * (person + 0.5) - 0.5, radius)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)


def _draw(picture: Image, joints: Joints, radius: float) -> None:
    for (begin, end), colour in zip(LIMBS, COLOURS, strict=False):
        if np.isfinite(joints[[begin, end]]).all():
            shade = tuple(int(LIMB_SHADE * level) for level in colour)
            limb = _ellipse(joints[begin], joints[end], radius)
            cv2.fillPoly(picture, [limb], shade, shift=_FRACTION_BITS)
    for joint, colour in zip(joints, COLOURS, strict=True):
        if np.isfinite(joint).all():
            disc = _ellipse(joint, joint, radius, radius)
            cv2.fillPoly(picture, [disc], colour, shift=_FRACTION_BITS)


def _ellipse(begin: Joints, end: Joints, radius: float, reach: float = 0.0) -> NDArray[np.int32]:
    """Corners of an ellipse that reaches beyond `begin` and `end`, in OpenCV's fractions."""
    along = (end - begin) / 2
    length = float(np.hypot(*along))
    direction = along / length if length > 0 else np.array([1.0, 0.0])
    turns = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    forwards = np.cos(turns)[:, None] * direction * (length + reach)
    sideways = np.sin(turns)[:, None] * (-direction[1], direction[0]) * radius
    corners = (begin + end) / 2 + forwards + sideways
    return np.rint(corners * 2**_FRACTION_BITS).astype(np.int32)
