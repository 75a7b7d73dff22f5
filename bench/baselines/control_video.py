"""ControlVideo (arXiv:2305.13077): full attention across frames, and interleaved smoothing.

In two steps in the midst of sampling, predicted pictures are replaced by what lies between their
neighbours, first every second one and then the others. The paper interpolates them with RIFE;
here the source's flow leads to the neighbours, which it knows better than a network that has to
guess it from the pictures.
"""

from __future__ import annotations

import torch
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.warp import warp
from fresco_engine.diffusion.latents import decode_latents, encode_images
from fresco_engine.diffusion.model import Model
from fresco_engine.settings import RestyleSettings
from fresco_media.types import Image
from torch import Tensor

from baselines.attention import SharedAttention, attending
from baselines.latents import StepPlace, clean_latents_through
from baselines.strategy import Keyframes, plain, translated

_START = 0.38
"""Steps 19 and 20 of 50 in the paper's setting."""


def control_video(
    model: Model, keyframes: Keyframes, settings: RestyleSettings
) -> tuple[Image, ...]:
    """Every frame attends to all tokens of all frames; every second one is smoothed in turn."""
    frames = len(keyframes.images)
    settings = plain(settings)
    processor = SharedAttention(frames, shown=frames)

    def smooth(clean: Tensor, place: StepPlace) -> Tensor | None:
        turn = place.index - min(int(_START * place.count), place.count - 1)
        if turn not in (0, 1):
            return None
        pictures = decode_latents(model, clean)
        between = interleaved(pictures, keyframes.correspondence, first=1 + turn)
        return encode_images(model, between).to(clean.dtype)

    with (
        attending(model.unet, lambda _: processor),
        clean_latents_through(model, settings, smooth),
    ):
        return translated(model, keyframes, settings)


def interleaved(pictures: Tensor, correspondence: BatchCorrespondence, *, first: int) -> Tensor:
    """(f, 3, H, W) with every second picture from `first` on made of its two neighbours.

    Ends have no two neighbours and stay. What only one neighbour shows is taken from it, what
    neither shows stays.
    """
    made = pictures.clone()
    for i in range(first, len(pictures) - 1, 2):
        before = warp(pictures[i - 1 : i], correspondence.backward[i - 1 : i])[0]
        after = warp(pictures[i + 1 : i + 2], correspondence.forward[i : i + 1])[0]
        shows = ~torch.stack(
            [correspondence.occluded_backward[i - 1], correspondence.occluded_forward[i]]
        )
        weight = shows.to(pictures.dtype)[:, None]  # 2 1 H W
        mean = (weight * torch.stack([before, after])).sum(0) / weight.sum(0).clamp_min(1)
        made[i] = torch.where(shows.any(0), mean, pictures[i])
    return made
