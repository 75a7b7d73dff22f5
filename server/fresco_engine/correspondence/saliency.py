"""Foreground without a network: what moves on its own, and what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow
from fresco_engine.correspondence.subject.camera_match import CameraMatch, match_camera
from fresco_engine.correspondence.subject.colours import colour_odds
from fresco_engine.correspondence.subject.cut import cut
from fresco_engine.correspondence.subject.edges import enlarged
from fresco_engine.correspondence.subject.geodesic import FAR, geodesic_odds
from fresco_engine.correspondence.subject.own_motion import read_signs
from fresco_engine.correspondence.subject.patches import SPACING, Links, Patches

FloatMap = NDArray[np.float32]
BoolMap = NDArray[np.bool_]
Floats = NDArray[np.float64]

_SHORT_SIDE = 224
_SURE = 0.4
"""Mean sign of motion in a patch below which it is noise."""
_EXPLAINED = 10.0
"""Levels by which the camera's motion may miss a patch that follows it."""
_ROUNDS = 2
"""How often colours are learned anew from the labels."""
_DOUBT = -0.2
"""Odds of a patch of which nothing is known."""


def foreground_mask(
    frames: Sequence[Image],
    forward: Sequence[Flow],
    backward: Sequence[Flow],
    *,
    linked: Sequence[bool] | None = None,
) -> BoolMap:
    """(f, h, w) bool, True where a frame shows the subject.

    `forward[i]` leads from frame i to the next, `backward[i]` back from there: f - 1 each. Where
    `linked` is given, f - 1 long, frames i and i + 1 are neighbours in time only where it is True;
    others are too far apart to tell who moves.

    The subject moves against the camera in some frame, and so does what hangs together with it:
    by the flow, by colours, and by paths of one colour that do not come from the borders. One cut
    through small patches of all frames joins these signs, so that a face that rests for some
    frames stays subject (the idea of Papazoglou and Ferrari 2013, with signs of our own). Where
    flow errs, colours say what the camera explains and what it does not (`match_camera`). A batch
    in which nothing moves on its own has no foreground.
    """
    height, width = frames[0].shape[:2]
    scale = min(1.0, _SHORT_SIDE / min(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    colours = np.stack([_small_lab(frame, size) for frame in frames])
    ahead = [_shrink(flow, size, scale) for flow in forward]
    behind = [_shrink(flow, size, scale) for flow in backward]
    linked = linked or [True] * len(ahead)
    signs = read_signs(colours, ahead, behind, linked)
    patches = Patches(colours)
    moves = patches.mean(signs.moves)
    if not (moves > _SURE).any():
        return np.zeros((len(frames), height, width), np.bool_)
    match = match_camera(colours, (ahead, behind), signs.cameras, linked)
    motion = _motion(moves, patches.mean(signs.rests), patches, match)
    labels = _labels(patches, moves, motion, patches.along(ahead, signs.agreed))
    masks = labels[patches.labels]
    return np.stack([enlarged(mask, frame) for mask, frame in zip(masks, frames, strict=True)])


def _motion(moves: Floats, rests: Floats, patches: Patches, match: CameraMatch) -> Floats:
    """(n,), -2 to 2.5: odds that a patch moves on its own, by flow and where it errs by colours."""
    stays = np.maximum(0, patches.mean(match.stays) - 0.05)
    moves = moves * np.maximum(0, 1 - 4 * stays)
    beyond = np.maximum(0, patches.mean(match.unexplained) - _EXPLAINED)
    lost = 1.5 * np.tanh(beyond / (2 * _EXPLAINED))
    rests = rests * np.maximum(0, 1 - moves) * np.maximum(0, 1 - lost)
    return np.clip(1.5 * np.maximum(0, moves - _SURE) + rests + lost - 12 * stays, -2, 2.5)


def _labels(patches: Patches, moves: Floats, motion: Floats, along: Links) -> NDArray[np.bool_]:
    """(n,), True for subject: the cheapest cut, its colours learned from the cut before."""
    beside = patches.beside()
    nearness = _nearness(patches, beside, moves, motion)
    # Motion is heard first; nearness speaks where it says little.
    known = motion + 1.5 * nearness * np.maximum(0, 1 - np.abs(motion) / 2) + _DOUBT
    pairs = np.concatenate([beside.pairs, along.pairs])
    costs = _costs(beside, along)
    features = patches.features()
    chances = 1 / (1 + np.exp(-2 * (motion + 2 * nearness)))
    labels = known > 0
    for _ in range(_ROUNDS):
        labels = cut(known + colour_odds(features, patches.sizes, chances), pairs, costs)
        chances = np.where(labels, 0.9, 0.1)
    return labels


def _nearness(patches: Patches, beside: Links, moves: Floats, motion: Floats) -> Floats:
    """(n,), -1 to 1: whether a patch is nearer to sure motion than to what surely is none.

    Surely none are patches at the left, right and upper border, which a subject seldom fills, and
    those that follow the camera in frame after frame. Weak motion is a costly place to begin: it
    may be a flat wall's beside the outline of a subject.
    """
    strong = np.quantile(moves[moves > _SURE], 0.98)
    subject = np.where(moves > 0.3, 8 * np.maximum(0, strong - moves), FAR)
    around = (patches.at_border() & (moves < 0.5)) | (motion < -1)
    steps = beside.contrast / 150 + 0.005
    return geodesic_odds(beside.pairs, steps, subject, np.where(around, 0.0, FAR))


def _costs(beside: Links, along: Links) -> Floats:
    """What it costs to cut each link: much between patches of one colour, little at edges."""
    usual = 2 * float(beside.contrast.mean()) + 1e-9 if len(beside.contrast) else 1.0
    within = 0.5 * beside.shared / SPACING * (0.05 + np.exp(-beside.contrast / usual))
    between = 1.6 * along.shared / SPACING**2 * np.exp(-along.contrast / usual)
    return np.concatenate([within, between])


def _small_lab(frame: Image, size: tuple[int, int]) -> FloatMap:
    small = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)


def _shrink(flow: Flow, size: tuple[int, int], scale: float) -> Flow:
    small = cv2.resize(flow, size, interpolation=cv2.INTER_AREA) * np.float32(scale)
    return np.asarray(small, np.float32)
