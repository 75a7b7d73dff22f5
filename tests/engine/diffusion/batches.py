"""Batches of small pictures, and what is translated of them without any of the method's means."""

from __future__ import annotations

import numpy as np
import torch
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.diffusion.batch_run import AnchorLatents, KeyframeBatch, Translation
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.sampler import translate
from fresco_engine.progress_tracker import drained
from fresco_engine.settings import (
    AttentionSettings,
    OptimisationSettings,
    RestyleSettings,
    SmoothingSettings,
)
from fresco_media.types import Image

SIZE = 64
NO_ATTENTION = AttentionSettings(spatial=False, cross_frame=False, temporal=False)
NO_OPTIMISATION = OptimisationSettings(temporal=False, spatial=False)
PLAIN = RestyleSettings(
    prompt="blue",
    negative_prompt="of",
    steps=4,
    strength=0.75,
    guidance_scale=3.0,
    control_scale=0.7,
    seed=3,
    start_noise="shared",
    step_noise="shared",
    attention=NO_ATTENTION,
    optimisation=NO_OPTIMISATION,
    smoothing=SmoothingSettings(is_on=False),
)
CARD = {"name": "tiny", "controls": {"tile": "controlnet"}, "defaults": {"control": "tile"}}
"""Of a tiny model with a ControlNet of its own."""


def moving(width: int = SIZE) -> tuple[Image, ...]:
    """Three frames of coloured squares that move by 4 pixels up and 2 to the left each."""
    random = np.random.default_rng(0)
    squares = random.integers(0, 255, (12, width // 8 + 6, 3))
    picture = np.kron(squares, np.ones((8, 8, 1))).astype(np.uint8)
    return tuple(
        np.ascontiguousarray(picture[4 * i : 4 * i + SIZE, 2 * i : 2 * i + width]) for i in range(3)
    )


def batch_of(images: tuple[Image, ...], settings: RestyleSettings = PLAIN) -> KeyframeBatch:
    """Frames numbered from 0, with the settings' words each."""
    return KeyframeBatch(
        indices=tuple(range(len(images))), images=images, prompts=(settings.prompt,) * len(images)
    )


def latents_of(translation: Translation, place: int) -> tuple[torch.Tensor, ...]:
    """Those of one frame, as another batch begins with them."""
    return tuple(x[place][None] for x in translation.latents)


def anchors_of(translation: Translation, first: int = 0, before: int = -1) -> AnchorLatents:
    """Two frames of a batch as another begins with them."""
    origins = translation.origins[before]
    return AnchorLatents(latents_of(translation, first), latents_of(translation, before), origins)


def run(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    settings: RestyleSettings,
) -> Translation:
    """The batch translated, with what settings leave to the model resolved."""
    settings = model.resolved(settings)
    return drained(translate(model, batch_of(images, settings), settings, correspondence))
