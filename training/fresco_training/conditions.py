"""Condition images for the ControlNet: the source frame itself, or its edges."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from fresco_training.data import Pixels

CANNY_THRESHOLDS = ((50, 120), (100, 200))


@dataclass(frozen=True, kw_only=True)
class ConditionShares:
    """What part of the samples gets which condition."""

    none: float = 0.08
    canny: float = 0.16
    blurred: float = 0.08
    grey: float = 0.05


def canny(photo: Pixels, thresholds: tuple[int, int]) -> Pixels:
    """White edges on black, three channels."""
    edges = cv2.Canny(np.ascontiguousarray(photo), *thresholds)
    return np.repeat(edges[..., None], 3, axis=2)


def random_conditions(
    photos: Pixels, shares: ConditionShares, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Images (b, 3, h, w) in [0, 1], and (b) whether the ControlNet is heard at all."""
    images = np.stack([_condition(photo, shares, rng) for photo in photos])
    heard = torch.from_numpy(rng.random(len(photos)) >= shares.none)
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255.0, heard


def _condition(photo: Pixels, shares: ConditionShares, rng: np.random.Generator) -> Pixels:
    draw = rng.random()
    if draw < shares.canny:
        return canny(photo, CANNY_THRESHOLDS[rng.integers(2)])
    draw -= shares.canny
    if draw < shares.blurred:
        return cv2.GaussianBlur(np.ascontiguousarray(photo), (0, 0), rng.uniform(1.0, 5.0))
    if draw < shares.blurred + shares.grey:
        grey = cv2.cvtColor(np.ascontiguousarray(photo), cv2.COLOR_RGB2GRAY)
        return np.repeat(grey[..., None], 3, axis=2)
    return photo
