"""Latents as the finished networks make them from photographs, for training the decoder on."""

from pathlib import Path

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor2_0
from torch import Tensor
from transformers import CLIPTokenizer

from fresco_training import prompts, text
from fresco_training.data import STYLE_NAMES, Batch
from fresco_training.latents import PatchBasis
from fresco_training.networks import build_scheduler
from fresco_training.train import averaged

STEPS, SKIPPED = 4, 1  # As the model's defaults have it: strength 0.75.


class Restyler:
    """The averaged networks of `work`, restyling batches as users will have them restyled."""

    def __init__(self, work: Path, device: torch.device, seed: int) -> None:
        networks, _ = averaged(work)
        self._networks = networks.to(device, memory_format=torch.channels_last).eval()
        if device.type == "cuda":
            self._networks.use(AttnProcessor2_0())
        self._basis = PatchBasis.load(work / "basis.npz")
        self._tokenizer = CLIPTokenizer.from_pretrained(work / "tokenizer")
        self._device = device
        self._rng = np.random.default_rng(seed)

    @torch.no_grad()
    def __call__(self, batch: Batch) -> Tensor:
        """Latents (b, 16, h, w) of the photographs in their styles."""
        pixels = torch.from_numpy(batch.photo).to(self._device).permute(0, 3, 1, 2)
        photo = pixels.float() / 255.0
        names = [STYLE_NAMES[style] for style in batch.styles]
        words = [prompts.prompt(name, self._rng) for name in names]
        tokens = text.tokenize(self._tokenizer, words).to(self._device)
        heard = torch.ones(len(photo), dtype=torch.bool, device=self._device)
        scheduler = build_scheduler()
        scheduler.set_timesteps(STEPS)
        times = scheduler.timesteps[SKIPPED:]
        clean = self._basis.encode(photo)
        latents = scheduler.add_noise(clean, torch.randn_like(clean), times[:1])
        for time in times:
            with torch.autocast(self._device.type, dtype=torch.bfloat16):
                every = time.expand(len(photo)).to(self._device)
                velocity = self._networks(latents, every, tokens, photo, heard)
            latents = scheduler.step(velocity.float(), int(time), latents).prev_sample
        return latents
