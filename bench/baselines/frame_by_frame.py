"""Every frame by itself, with noise of its own."""

from __future__ import annotations

from dataclasses import replace

from fresco_engine.diffusion.model import Model
from fresco_engine.settings import RestyleSettings
from fresco_media.types import Image

from baselines.strategy import Keyframes, plain, translated


def frame_by_frame(
    model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> tuple[Image, ...]:
    """The stock image-to-image pipeline, a frame at a time."""
    own_noise = replace(plain(settings), start_noise="own", step_noise="own")
    return translated(model, keyframes, own_noise)
