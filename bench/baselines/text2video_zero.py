"""Text2Video-Zero (arXiv:2303.13439) with a ControlNet: all frames attend to the first.

Its motion in latents and its background smoothing are for clips made from text alone; where
frames have a control image the paper uses neither.
"""

from __future__ import annotations

from contextlib import ExitStack

from fresco_engine.diffusion.model import Model
from fresco_engine.settings import RestyleSettings
from fresco_media.types import Image

from baselines.attention import SharedAttention, attending
from baselines.strategy import Keyframes, plain, translated


def text2video_zero(
    model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> tuple[Image, ...]:
    """Keys and values of every self-attention, the ControlNet's as well, are the first frame's."""
    processor = SharedAttention(len(keyframes.images), shown=1)
    with ExitStack() as stack:
        for network in (model.unet, *(control.network for control in model.controls)):
            stack.enter_context(attending(network, lambda _: processor))
        return translated(model, keyframes, plain(settings))
