"""Training of U-Net, ControlNet and text encoder together, resumable at any time."""

import copy
import logging
import math
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from fresco_training import noising, prompts, text
from fresco_training.conditions import ConditionShares, random_conditions
from fresco_training.data import STYLE_NAMES, Batch, Dataset
from fresco_training.latents import PatchBasis
from fresco_training.networks import PlainAttention, build_controlnet, build_scheduler, build_unet

_log = logging.getLogger(__name__)

PHOTO_SHARE = 0.11
FAVOURED_SHARE = 0.22
EMA_EVERY = 4
DETAIL_EXPONENT = 1.3


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """The length of a training and its make-up; steps may be raised when it is resumed."""

    steps: int = 10500
    large_from: float = 0.876
    small: tuple[int, int] = (12, 128)  # Batch and side until `large_from` of the steps,
    large: tuple[int, int] = (6, 256)  # and after it.
    rate: float = 1e-3
    weight_decay: float = 1e-3
    warm_up: int = 150
    ema: float = 0.9985
    save_every_s: float = 120.0
    seed: int = 0
    favour: str | None = None  # A style that lags behind and is drawn more often.


class Networks(nn.Module):
    """What is trained together."""

    def __init__(self, encoder: CLIPTextModel) -> None:
        super().__init__()
        self.text_encoder = encoder
        self.unet: UNet2DConditionModel = build_unet()
        self.controlnet: ControlNetModel = build_controlnet(self.unet)
        self.unet.set_attn_processor(PlainAttention())
        self.controlnet.set_attn_processor(PlainAttention())

    def forward(
        self, noisy: Tensor, times: Tensor, tokens: Tensor, images: Tensor, heard: Tensor
    ) -> Tensor:
        """Velocities (b, 16, h, w); `heard` (b) says where the ControlNet takes part."""
        states = self.text_encoder(tokens).last_hidden_state
        down, middle = self.controlnet(noisy, times, states, images, return_dict=False)
        mask = heard[:, None, None, None]
        return self.unet(
            noisy,
            times,
            states,
            down_block_additional_residuals=tuple(residual * mask for residual in down),
            mid_block_additional_residual=middle * mask,
            return_dict=False,
        )[0]


def style_chances(favour: str | None = None) -> np.ndarray:
    """How often each style is drawn: photographs have a fixed share, so has a favoured style."""
    chances = np.full(len(STYLE_NAMES), (1 - PHOTO_SHARE) / (len(STYLE_NAMES) - 1))
    chances[STYLE_NAMES.index("photo")] = PHOTO_SHARE
    if favour is not None:
        index = STYLE_NAMES.index(favour)
        chances *= (1 - FAVOURED_SHARE) / (1 - chances[index])
        chances[index] = FAVOURED_SHARE
    return chances


class Trainer:
    """Holds everything that a checkpoint holds."""

    def __init__(self, work: Path, settings: TrainSettings) -> None:
        self.settings = settings
        self.checkpoint = work / "unet.pt"
        self.dataset = Dataset(work / "pictures.npy", seed=settings.seed + os.getpid())
        self.basis = PatchBasis.load(work / "basis.npz")
        self.tokenizer = CLIPTokenizer.from_pretrained(work / "tokenizer")
        self.schedule = noising.Schedule.of(build_scheduler())
        self.rng = np.random.default_rng(os.getpid())
        torch.manual_seed(os.getpid())
        # Between errors of whitened latents (0) and of pixels (2): brightness counts, detail too.
        sizes = torch.from_numpy(self.basis.deviation) ** DETAIL_EXPONENT
        self.channels = sizes / sizes.mean()
        self.step = 0
        self._stopped = False
        self.networks = Networks(CLIPTextModel.from_pretrained(work / "text_encoder"))
        self.networks.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.networks)
        self.optimiser = torch.optim.AdamW(
            self.networks.parameters(),
            lr=settings.rate,
            betas=(0.9, 0.99),
            weight_decay=settings.weight_decay,
            fused=True,
        )
        if self.checkpoint.exists():
            self._restore()

    def run(self) -> None:
        """Trains to the last step or a polite kill, logging and saving as it goes."""
        signal.signal(signal.SIGTERM, self._stop)
        losses = _Mean()
        saved = begun = time.monotonic()
        while self.step < self.settings.steps and not self._stopped:
            losses.add(self._train_step())
            self.step += 1
            if self.step % EMA_EVERY == 0:
                self._follow()
            if self.step % 50 == 0:
                rate = time.monotonic() - begun
                _log.info("step %d loss %.4f %.2f s/step", self.step, losses.take(), rate / 50)
                begun = time.monotonic()
            if time.monotonic() - saved > self.settings.save_every_s:
                self.save()
                saved = time.monotonic()
        self.save()

    def _stop(self, *_: object) -> None:
        self._stopped = True

    def _train_step(self) -> float:
        size, side = self._batch_shape()
        batch = self.dataset.batch(size, side, style_chances(self.settings.favour))
        loss = self._loss(batch)
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate * self._rate()
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.networks.parameters(), 1.0)
        self.optimiser.step()
        return loss.item()

    def _batch_shape(self) -> tuple[int, int]:
        late = self.step >= self.settings.large_from * self.settings.steps
        return self.settings.large if late else self.settings.small

    def _loss(self, batch: Batch) -> Tensor:
        target, photo = (self._latents(pixels) for pixels in (batch.styled, batch.photo))
        times = noising.random_times(len(target))
        share = noising.remaining_photo(self.schedule, times)
        mixture = torch.lerp(target, photo, share)
        noisy = noising.noisy_latents(self.schedule, mixture, torch.randn_like(target), times)
        wanted = noising.velocity(self.schedule, noisy, target, times)
        images, heard = random_conditions(batch.photo, ConditionShares(), self.rng)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            predicted = self.networks(
                noisy.contiguous(memory_format=torch.channels_last),
                times,
                text.tokenize(self.tokenizer, self._prompts(batch)),
                images.contiguous(memory_format=torch.channels_last),
                heard,
            ).float()
        weights = noising.loss_weights(self.schedule, times) * self.channels[:, None, None]
        return (weights * (predicted - wanted) ** 2).mean()

    def _latents(self, pixels: np.ndarray) -> Tensor:
        return self.basis.encode(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255.0)

    def _prompts(self, batch: Batch) -> list[str]:
        return list(map(self._prompt, batch.styles))

    def _prompt(self, style: int) -> str:
        """Sometimes an empty one, and more so for photographs: nothing asked, little changed."""
        silent = 0.35 if STYLE_NAMES[style] == "photo" else 0.09
        if self.rng.random() < silent:
            return prompts.negative(self.rng)
        return prompts.prompt(STYLE_NAMES[style], self.rng)

    def _rate(self) -> float:
        progress = self.step / self.settings.steps
        warm = min(1.0, (self.step + 1) / self.settings.warm_up)
        return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(self.settings.ema**EMA_EVERY, (self.step + 1) / (self.step + 40))
        slow, fast = (list(n.parameters()) for n in (self.average, self.networks))
        torch._foreach_lerp_(slow, fast, 1.0 - decay)

    def save(self) -> None:
        """Writes the checkpoint beside the old one, then takes its place."""
        state = {
            "step": self.step,
            "networks": self.networks.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def _restore(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        self.step = state["step"]
        self.networks.load_state_dict(state["networks"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        _log.info("resumed at step %d", self.step)


class _Mean:
    """A mean since it was last taken."""

    def __init__(self) -> None:
        self._values: list[float] = []

    def add(self, value: float) -> None:
        self._values.append(value)

    def take(self) -> float:
        mean = sum(self._values) / len(self._values)
        self._values.clear()
        return mean


def averaged(work: Path) -> tuple[Networks, int]:
    """The averaged networks of the newest checkpoint and its step."""
    encoder = CLIPTextModel.from_pretrained(work / "text_encoder")
    networks = Networks(encoder)
    state = torch.load(work / "unet.pt", weights_only=True)
    networks.load_state_dict(state["average"])
    return networks, state["step"]
