"""Training of the autoencoder's decoder on latents of the fixed linear encoder."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from torch import Tensor, nn

from fresco_training.data import Batch, Dataset
from fresco_training.latents import SCALING_FACTOR, PatchBasis, build_autoencoder
from fresco_training.pace import Pace, save, training_device


@dataclass(frozen=True, kw_only=True)
class DecoderSettings:
    """How long and on what the decoder is trained."""

    steps: int = 4000
    minutes: float | None = None  # The length of the training instead of `steps`.
    batch: int = 24
    side: int = 64
    rate: float = 1.5e-3
    noise: float = 0.15
    ema: float = 0.998
    made: float = 0.6  # Share of the samples that a restyler makes, where there is one.
    seed: int = 0
    compile: bool = False
    save_every_s: float = 120.0


class DecoderTrainer:
    """Trains on from its checkpoint, else from the autoencoder in `folder`, else from nothing.

    With a `restyler` it also learns to see the filter's picture in what the U-Net makes of the
    photograph, which is softer than the filter's and has a faint grain.
    The averaged autoencoder is in `folder` whenever a checkpoint was saved.
    """

    def __init__(
        self,
        folder: Path,
        dataset: Dataset,
        basis: PatchBasis,
        chances: NDArray[np.float64],
        settings: DecoderSettings,
        restyler: Callable[[Batch], Tensor] | None = None,
    ) -> None:
        self.restyler = restyler
        self.folder, self.checkpoint = folder, folder.with_suffix(".pt")
        self.dataset, self.basis, self.chances = dataset, basis, chances
        self.settings, self.device = settings, training_device()
        self.pace = Pace(settings.steps, settings.minutes, settings.save_every_s)
        torch.manual_seed(settings.seed)
        known = (folder / "config.json").exists()
        start = AutoencoderTiny.from_pretrained(folder) if known else build_autoencoder(basis)
        self.average = start.to(self.device, memory_format=torch.channels_last)
        self.decoder = copy.deepcopy(self.average.decoder)
        self.optimiser = torch.optim.AdamW(self.decoder.parameters(), lr=settings.rate, fused=True)
        if self.checkpoint.exists():
            self._restore()
        self.forward = torch.compile(self.decoder) if settings.compile else self.decoder
        torch.manual_seed(settings.seed + self.pace.step)
        dataset.reseed(settings.seed + self.pace.step)

    def run(self) -> AutoencoderTiny:
        """Trains to the end or a polite kill; returns the averaged autoencoder."""
        self.pace.begin()
        while self.pace.goes_on:
            self.pace.count(self._train_step())
            steps = self.pace.step
            _follow(self.average.decoder, self.decoder, min(self.settings.ema, steps / (steps + 9)))
            if self.pace.is_due:
                self.save()
        self.save()
        return self.average

    def _train_step(self) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate * self.pace.rate(warm_up=100, least=0.02)
        loss = self._loss()
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.decoder.parameters(), 1.0)
        self.optimiser.step()
        return loss.item()

    def _loss(self) -> Tensor:
        settings = self.settings
        batch = self.dataset.batch(settings.batch, settings.side, self.chances)
        images = torch.from_numpy(batch.styled).to(self.device).permute(0, 3, 1, 2).float() / 255.0
        latents = self.basis.encode(images)
        strength = torch.rand(len(latents), 1, 1, 1, device=self.device) * settings.noise
        latents = latents + torch.randn_like(latents) * strength
        if self.restyler is not None:
            made = round(settings.made * settings.batch)
            latents[:made] = self.restyler(batch.part(made))
        latents = (latents / SCALING_FACTOR).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            decoded = self.forward(latents)
        return _difference(decoded.float() / 2 + 0.5, images)

    def save(self) -> None:
        """Writes the checkpoint and the averaged autoencoder."""
        state = {
            **self.pace.state(),
            "decoder": self.decoder.state_dict(),
            "average": self.average.decoder.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        save(state, self.checkpoint)
        self.average.save_pretrained(self.folder)

    def _restore(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True, map_location=self.device)
        self.pace.restore(state)
        self.decoder.load_state_dict(state["decoder"])
        self.average.decoder.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])


@torch.no_grad()
def blend(folder: Path, before: Path, share: float) -> None:
    """Leaves the autoencoder in `folder` by `share` (0 to 1) what it is, the rest that in `before`.

    A decoder trained on from `before` with a restyler passes over the U-Net's grain but has lost
    some of a photograph's detail; the mean of the weights keeps most of both.
    """
    autoencoder = AutoencoderTiny.from_pretrained(folder)
    other = AutoencoderTiny.from_pretrained(before)
    _follow(autoencoder, other, share)
    autoencoder.save_pretrained(folder)


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


@torch.no_grad()
def _follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
        slow.lerp_(fast, 1.0 - decay)
