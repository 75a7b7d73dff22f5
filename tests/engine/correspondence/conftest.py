"""Pictures with structure at every scale, and an estimator that knows the answer."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from fresco_media.types import Image
from numpy.typing import NDArray


def _texture(height: int, width: int, seed: int = 0) -> Image:
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for scale in (16.0, 6.0, 2.0):
        noise = cv2.GaussianBlur(
            random.normal(size=picture.shape).astype(np.float32), (0, 0), scale
        )
        picture += noise / noise.std()
    return np.clip(128 + 30 * picture, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def texture() -> Callable[..., Image]:
    """Makes a picture of (height, width) from a seed."""
    return _texture


class _KnownFlow:
    """Everything moves by the same vector from any frame to any other."""

    def __init__(self, x: float, y: float) -> None:
        self.vector = np.array([x, y], np.float32)

    def __call__(self, first: Image, second: Image) -> NDArray[np.float32]:
        return np.broadcast_to(self.vector, (*first.shape[:2], 2)).copy()


@pytest.fixture
def known_flow() -> type[_KnownFlow]:
    """An estimator that always answers with one vector."""
    return _KnownFlow
