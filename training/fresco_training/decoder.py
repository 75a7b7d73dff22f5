"""Training of the autoencoder's decoder on latents of the fixed linear encoder."""

import copy
import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from torch import Tensor, nn

from fresco_training.data import Dataset
from fresco_training.latents import SCALING_FACTOR, PatchBasis, build_autoencoder

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class DecoderSettings:
    """How long and on what the decoder is trained."""

    steps: int = 4000
    batch: int = 24
    side: int = 64
    rate: float = 1.5e-3
    noise: float = 0.15
    ema: float = 0.998


def train_decoder(
    path: Path,
    dataset: Dataset,
    basis: PatchBasis,
    chances: NDArray[np.float64],
    settings: DecoderSettings,
) -> AutoencoderTiny:
    """Trains on from what `path` (a folder) holds, if anything; saves the average to it."""
    known = (path / "config.json").exists()
    autoencoder = AutoencoderTiny.from_pretrained(path) if known else build_autoencoder(basis)
    autoencoder = autoencoder.to(memory_format=torch.channels_last)
    average = copy.deepcopy(autoencoder)
    decoder = autoencoder.decoder
    optimiser = torch.optim.AdamW(decoder.parameters(), lr=settings.rate, fused=True)
    begun = time.monotonic()
    for step in range(settings.steps):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * _rate(step, settings.steps)
        loss = _step(decoder, dataset, basis, chances, settings)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimiser.step()
        _follow(average.decoder, decoder, min(settings.ema, (step + 1) / (step + 10)))
        if step % 100 == 99:
            _log.info("%d loss %.4f %.0f s", step + 1, loss.item(), time.monotonic() - begun)
        if step % 500 == 499:
            average.save_pretrained(path)
    average.save_pretrained(path)
    return average


def _step(
    decoder: nn.Module,
    dataset: Dataset,
    basis: PatchBasis,
    chances: NDArray[np.float64],
    settings: DecoderSettings,
) -> Tensor:
    pixels = dataset.batch(settings.batch, settings.side, chances).styled
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255.0
    latents = basis.encode(images)
    latents = (
        latents + torch.randn_like(latents) * torch.rand(len(latents), 1, 1, 1) * settings.noise
    )
    latents = (latents / SCALING_FACTOR).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        decoded = decoder(latents)
    return _difference(decoded.float() / 2 + 0.5, images)


def _difference(first: Tensor, second: Tensor) -> Tensor:
    """L1 plus L1 of three levels of detail, which counts sharp edges more than L1 alone."""
    error = first - second
    loss = error.abs().mean()
    for _ in range(3):
        coarse = nn.functional.avg_pool2d(error, 2)
        fine = error - nn.functional.interpolate(coarse, scale_factor=2)
        loss = loss + fine.abs().mean()
        error = coarse
    return loss


def _rate(step: int, steps: int) -> float:
    warm = min(1.0, (step + 1) / 100)
    return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


@torch.no_grad()
def _follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
        slow.lerp_(fast, 1.0 - decay)
