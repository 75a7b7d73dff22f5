"""What the camera's motion alone explains of a picture, and what it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow, chain_flows, pixel_grid
from fresco_engine.correspondence.warp import warp_image

FloatMap = NDArray[np.float32]
BoolMap = NDArray[np.bool_]

_HOPS = 5
"""Frames to either side that are compared."""
_FIRM = 6.0
"""Levels by which two explanations must differ to be told apart."""
_LEADS_ASTRAY = (6.0, 16.0)
"""Levels by which the flow misses a colour: from where on, and from where wholly."""
_AROUND = 0.027
"""How far off a pixel is compared with its own frame, as a share of the short side."""
_ERRS = 0.1
"""Pixels by which a fit of the camera misses, for each that the camera moves."""


@dataclass(frozen=True)
class CameraMatch:
    """What f frames (h, w) say of the camera, each compared with others of the batch."""

    stays: FloatMap
    """(f, h, w), 0-1: how surely a pixel follows the camera though its flow says otherwise."""
    unexplained: FloatMap
    """(f, h, w), levels, 0 or more: how far off its colour is in every frame that should show it
    if it followed the camera."""


def match_camera(
    colours: FloatMap,
    flows: tuple[Sequence[Flow], Sequence[Flow]],
    cameras: tuple[Sequence[Flow], Sequence[Flow]],
    linked: Sequence[bool],
) -> CameraMatch:
    """Compare f frames of `colours` (f, h, w, 3), Lab in 8 bits each, along the camera's motion.

    `flows` are those from each frame to the next and those back, f - 1 each; `cameras` is what the
    camera does of them. Over what is not `linked` nothing is compared.

    Flow is drawn along by what moves nearby, and loses what turns or dissolves. Colours err
    otherwise: ground that flow takes for part of a train is found again where the camera says, in
    more than one frame, and unlike what surrounds it; a sail or smoke is found nowhere.
    """
    stays = np.zeros(colours.shape[:3], np.float32)
    unexplained = np.zeros_like(stays)
    for i in range(len(colours)):
        missed, away = [], []
        for j, camera in _views(i, cameras, linked):
            seen = warp_image(colours[j], camera)
            inside = _inside(camera)
            missed.append(_within(_distance(seen, colours[i]), inside))
            away.append(_within(_outside(colours[i], seen, camera), inside))
        if missed:
            stays[i] = _stay(colours[i], _again(missed), _along(i, colours, flows, linked))
            nearest = np.min(away, axis=0)
            unexplained[i] = np.where(np.isfinite(nearest), nearest, 0)
    return CameraMatch(stays, unexplained)


def _views(
    start: int, cameras: tuple[Sequence[Flow], Sequence[Flow]], linked: Sequence[bool]
) -> Iterator[tuple[int, Flow]]:
    """Frames that frame `start` is compared with, and the camera's motion to them."""
    for way, cameras_of_way in zip((1, -1), cameras, strict=True):
        total: Flow | None = None
        for hop in range(_HOPS):
            step = start + way * hop - (way < 0)
            if not 0 <= step < len(linked) or not linked[step]:
                break
            one = cameras_of_way[step]
            total = one if total is None else chain_flows([total, one])
            yield start + way * (hop + 1), total


def _along(
    i: int,
    colours: FloatMap,
    flows: tuple[Sequence[Flow], Sequence[Flow]],
    linked: Sequence[bool],
) -> FloatMap:
    """(h, w), levels: how far flow misses the colours of frame i, the better of its neighbours."""
    neighbours = ((i, i + 1, flows[0]), (i - 1, i - 1, flows[1]))
    errors = [
        _blurred(_distance(warp_image(colours[j], flow[step]), colours[i]))
        for step, j, flow in neighbours
        if 0 <= step < len(linked) and linked[step]
    ]
    return np.asarray(np.min(errors, axis=0), np.float32)


def _again(errors: Sequence[FloatMap]) -> FloatMap:
    """(h, w): the second best of several `errors`, as one may fit by chance; of one, that one."""
    return np.partition(np.stack(errors), min(1, len(errors) - 1), axis=0)[min(1, len(errors) - 1)]


def _stay(colours: FloatMap, by_camera: FloatMap, by_flow: FloatMap) -> FloatMap:
    """(h, w), 0-1: what the camera explains and the flow does not, and what nothing else would.

    `by_camera` and `by_flow` (h, w) are levels by which these miss the colour.
    """
    certain = np.isfinite(by_camera)
    by_camera = np.where(certain, by_camera, 0)
    better = np.clip((by_flow - by_camera) / (by_flow + by_camera + _FIRM), 0, 1)
    least, most = _LEADS_ASTRAY
    astray = np.clip((by_flow - least) / (most - least), 0, 1)
    around = _unlike_surroundings(colours)
    unlike = np.clip(2 * (around - by_camera) / (around + by_camera + _FIRM), 0, 1)
    return np.asarray(certain * better * astray * unlike, np.float32)


def _unlike_surroundings(colours: FloatMap) -> FloatMap:
    """(h, w), levels: how far a pixel is from most of those that lie in a ring around it."""
    height, width = colours.shape[:2]
    radius = max(1, round(_AROUND * min(height, width)))
    padded = np.pad(colours, ((radius, radius), (radius, radius), (0, 0)), "edge")
    around = []
    for angle in np.arange(8) * np.pi / 4:
        y, x = (radius + round(radius * part) for part in (np.sin(angle), np.cos(angle)))
        around.append(_blurred(_distance(padded[y : y + height, x : x + width], colours)))
    return np.partition(np.stack(around), 2, axis=0)[2]


def _outside(colours: FloatMap, seen: FloatMap, camera: Flow) -> FloatMap:
    """(h, w), levels: how far `colours` lie beyond the range of what is `seen` near there."""
    moved = float(np.median(np.linalg.norm(camera, axis=-1)))
    near = np.ones((3 + 2 * int(_ERRS * moved),) * 2, np.uint8)
    below, above = cv2.erode(seen, near) - colours, colours - cv2.dilate(seen, near)
    return np.linalg.norm(np.maximum(0, np.maximum(below, above)), axis=-1).astype(np.float32)


def _inside(camera: Flow) -> BoolMap:
    """(h, w): whether the camera leaves a pixel within the picture."""
    height, width = camera.shape[:2]
    places = pixel_grid(height, width) + camera
    bounds = np.array([width - 0.5, height - 0.5], np.float32)
    return np.asarray(((places >= -0.5) & (places <= bounds)).all(axis=-1), np.bool_)


def _within(errors: FloatMap, inside: BoolMap) -> FloatMap:
    """(h, w): `errors` blurred, infinite where the other frame does not reach."""
    return np.where(inside, _blurred(errors * inside), np.float32(np.inf))


def _distance(first: FloatMap, second: FloatMap) -> FloatMap:
    return np.linalg.norm(first - second, axis=-1).astype(np.float32)


def _blurred(values: FloatMap) -> FloatMap:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), 1), np.float32)
