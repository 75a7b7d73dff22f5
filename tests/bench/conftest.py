"""A tiny random model and a few keyframes for the methods that FRESCO is compared with."""

from __future__ import annotations

import numpy as np
import pytest
from baselines.strategy import Keyframes
from fresco_engine.correspondence.batch import correspond
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.settings import RestyleSettings
from fresco_media.types import Image

from tests.engine.conftest import scene, write_tiny_model


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A whole model with tiny random networks."""
    return load_model(write_tiny_model(tmp_path_factory.mktemp("tiny")), device="cpu")


@pytest.fixture(scope="session")
def settings(model: Model) -> RestyleSettings:
    """Two late steps, so that little noise magnifies rounding, with guidance.

    Noise along the flow would let every frame depend on those before it.
    """
    return model.resolved(
        RestyleSettings(
            prompt="a blue o",
            size=64,
            steps=5,
            strength=0.4,
            start_noise="shared",
            step_noise="shared",
        )
    )


def keyframes_of(images: list[Image]) -> Keyframes:
    """Keyframes that show these pictures."""
    return Keyframes(
        tuple(range(len(images))), tuple(images), correspond(images, DisFlow(), device="cpu")
    )


@pytest.fixture(scope="session")
def keyframes() -> Keyframes:
    """Four frames of a pan with a square that moves on its own."""
    return keyframes_of([np.ascontiguousarray(one) for one in scene(4, size=(64, 64))])
