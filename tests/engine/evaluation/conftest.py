"""A pan over a picture, and results of it whose faults are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from fresco_engine.correspondence.flow import Flow
from fresco_media.types import Image

STEP = 4
HEIGHT, WIDTH = 48, 64


def texture(height: int = HEIGHT, width: int = WIDTH, seed: int = 0) -> Image:
    """A picture with structure at two scales."""
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for scale in (12.0, 1.5):
        noise = cv2.GaussianBlur(
            random.normal(size=picture.shape).astype(np.float32), (0, 0), scale
        )
        picture += noise / noise.std()
    return np.clip(128 + 30 * picture, 0, 255).astype(np.uint8)


def pan(count: int = 4, seed: int = 0, step: int = STEP) -> list[Image]:
    """The frames of a camera that pans to the right over a wide picture."""
    wide = texture(HEIGHT, WIDTH + step * count, seed)
    return [wide[:, i * step : i * step + WIDTH].copy() for i in range(count)]


class KnownPan:
    """The true flow between the frames of a pan, which are known by what they show."""

    def __init__(self, frames: Sequence[Image], step: int = STEP) -> None:
        self._places = {frame.tobytes(): index for index, frame in enumerate(frames)}
        self._step = step

    def __call__(self, first: Image, second: Image) -> Flow:
        steps = self._places[second.tobytes()] - self._places[first.tobytes()]
        flow = np.zeros((*first.shape[:2], 2), np.float32)
        flow[..., 0] = -self._step * steps
        return flow


MakePan = Callable[..., list[Image]]


@pytest.fixture
def sources() -> list[Image]:
    """Four frames of a pan by four pixels a frame."""
    return pan()
