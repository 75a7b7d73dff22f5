"""Which pixels move on their own, and which follow the camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow
from fresco_engine.correspondence.subject.camera import camera_motion, near_border, weighted_median
from fresco_engine.correspondence.warp import warp_image

FloatMap = NDArray[np.float32]

_MOVES = 0.004
"""Motion beyond the camera's, as a share of the short side, that is an object's own."""
_TEXTURE = 1.8
"""Grey levels per pixel at which flow is believed by half."""
_STEEP = 5.0
"""Grey levels per pixel beyond which more slope holds flow no better."""
_CHANGE = 25.0
"""Difference of colours, of 255, at which they hardly are the same thing's."""
_KEPT = np.float32(0.85)
"""Share of a sign that reaches the next frame."""


@dataclass(frozen=True)
class Signs:
    """What flow tells of f frames."""

    moves: FloatMap
    """(f, h, w), 0 to 2: own motion, in the frame or where the flow brings it from another."""
    rests: FloatMap
    """(f, h, w), 0 or less: how much says that a pixel follows the camera, over all frames."""
    cameras: tuple[list[Flow], list[Flow]]
    """What the camera does from each frame to the next, and back: f - 1 maps (h, w, 2) each, of
    use where those are linked."""
    agreed: list[FloatMap]
    """f - 1 maps (h, w), 0-1: how far the flow from frame i to the next is to be believed."""


def read_signs(
    colours: FloatMap, ahead: Sequence[Flow], behind: Sequence[Flow], linked: Sequence[bool]
) -> Signs:
    """The signs in f frames of `colours` (f, h, w, 3), Lab in 8 bits each.

    `ahead[i]` leads from frame i to the next and `behind[i]` back. What is not `linked` is
    not compared, nor is anything carried over it.
    """
    moves = np.zeros(colours.shape[:3], np.float32)
    rests = np.zeros_like(moves)
    held = [_held(picture[..., 0]) for picture in colours]
    agreed: list[FloatMap] = []
    returned: list[FloatMap] = []
    cameras: tuple[list[Flow], list[Flow]] = ([], [])
    for i, (there, back) in enumerate(zip(ahead, behind, strict=True)):
        trust = np.float32(linked[i])
        agreed.append(trust * _agreement(there, back, colours[i], colours[i + 1]))
        returned.append(trust * _agreement(back, there, colours[i + 1], colours[i]))
        believed = ((i, there, agreed[i]), (i + 1, back, returned[i]))
        for (frame, flow, good), cameras_of_way in zip(believed, cameras, strict=True):
            trust = held[frame] * good
            # Over a step that is not linked nobody asks for the camera's.
            cameras_of_way.append(camera_motion(flow, trust) if linked[i] else flow)
            if linked[i]:
                odds = own_motion(flow, cameras_of_way[-1], trust)
                moves[frame] = np.maximum(moves[frame], odds)
                rests[frame] += np.minimum(odds, 0)
    earlier, later = rests.copy(), rests.copy()
    for i in range(1, len(moves)):
        trust = _KEPT * returned[i - 1]
        moves[i] = np.maximum(moves[i], trust * warp_image(moves[i - 1], behind[i - 1]))
        earlier[i] += trust * warp_image(earlier[i - 1], behind[i - 1])
    for i in reversed(range(len(moves) - 1)):
        trust = _KEPT * agreed[i]
        moves[i] = np.maximum(moves[i], trust * warp_image(moves[i + 1], ahead[i]))
        later[i] += trust * warp_image(later[i + 1], ahead[i])
    return Signs(moves, earlier + later - rests, cameras, agreed)


def own_motion(flow: Flow, camera: Flow, trust: FloatMap) -> FloatMap:
    """(h, w), -0.4 to 2: odds that a pixel moves beyond what the `camera` does; 0 is undecided.

    `trust` (h, w), 0-1, says how far the flow is to be believed.
    """
    beyond = np.linalg.norm(flow - camera, axis=-1)
    # A fit is never perfect: what it leaves over near the borders is noise.
    noise = weighted_median(beyond, trust * near_border(*flow.shape[:2]))
    enough = np.float32(max(_MOVES * min(flow.shape[:2]), 2.5 * noise))
    odds = 2 * np.tanh(1.2 * (beyond / enough - 1))
    # One that stands still may belong to a subject that rests: a weak sign, unlike motion.
    return (np.where(odds > 0, odds, 0.2 * odds) * trust).astype(np.float32)


def _held(light: FloatMap) -> FloatMap:
    """(h, w), 0-1: how well flow is held by the slopes around each pixel."""
    across = cv2.Sobel(light, cv2.CV_32F, 1, 0) / 8
    down = cv2.Sobel(light, cv2.CV_32F, 0, 1) / 8
    # Cut off, or the outline of a subject lends its motion to the flat wall beside it.
    slope = np.minimum(np.sqrt(across**2 + down**2), _STEEP)
    near = cv2.GaussianBlur(slope, (0, 0), 1.5) ** 2
    return (near / (near + _TEXTURE**2)).astype(np.float32)


def _agreement(flow: Flow, back: Flow, first: FloatMap, second: FloatMap) -> FloatMap:
    """(h, w), 0-1: whether a flow leads back, and to the colour (h, w, 3) that it left."""
    error = np.linalg.norm(flow + warp_image(back, flow), axis=-1)
    allowed = 0.01 * min(flow.shape[:2]) + 0.1 * np.linalg.norm(flow, axis=-1)
    change = np.linalg.norm(warp_image(second, flow) - first, axis=-1)
    change = cv2.GaussianBlur(change, (0, 0), 1)
    return np.exp(-((error / allowed) ** 2) - (change / _CHANGE) ** 2).astype(np.float32)
