"""After FateZero (arXiv:2303.09535): the source's own attention, fused into the result's.

Every frame attends to itself and to the middle frame, and for most of the steps by the attention
maps that the source has there. The paper stores the maps while it inverts the source by DDIM;
here the source is noised to each step instead, as the sampler starts from noise and not from an
inversion. Its blending of cross-attention is for edits of single things and left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from einops import rearrange
from fresco_engine.diffusion.attention import (
    SelfAttention,
    attend,
    project_out,
    split_heads,
)
from fresco_engine.diffusion.latents import encode_images
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.prompting.encoding import encode_prompt
from fresco_engine.diffusion.samplers import executed_steps
from fresco_engine.diffusion.schedule import make_scheduler
from fresco_engine.settings import RestyleSettings
from fresco_media.types import Image
from torch import Tensor

from baselines.attention import attending
from baselines.strategy import Keyframes, plain, translated

_FUSED = 0.8
"""Share of the steps in which the source's maps are used."""


@dataclass
class _SourceMaps:
    """Queries and keys of the source, by layer; kept while `is_kept`, used when it is over."""

    is_kept: bool = False
    by_layer: dict[str, tuple[Tensor, Tensor]] = field(
        default_factory=dict[str, tuple[Tensor, Tensor]]
    )


def fate_zero(model: Model, keyframes: Keyframes, settings: RestyleSettings) -> tuple[Image, ...]:
    """Spatial-temporal attention by the source's maps, later by the result's own."""
    maps = _SourceMaps()
    settings = plain(settings)
    frames = len(keyframes.images)
    with (
        attending(model.unet, lambda name: _FusedAttention(name, frames, maps)),
        _looking_at_source(model, keyframes, settings, maps),
    ):
        return translated(model, keyframes, settings)


@contextmanager
def _looking_at_source(
    model: Model, keyframes: Keyframes, settings: RestyleSettings, maps: _SourceMaps
) -> Iterator[None]:
    """Inside, each step of the U-Net is preceded by one for the source, which fills `maps`."""
    assert settings.steps is not None
    scheduler: Any = make_scheduler(model, settings.steps)
    pixels = torch.from_numpy(np.stack(keyframes.images)).permute(0, 3, 1, 2)
    clean = encode_images(model, pixels.to(model.device, torch.float32) / 127.5 - 1).float()
    sources = torch.Generator().manual_seed(settings.seed)
    noise = torch.randn(clean[:1].shape, generator=sources).to(clean).expand_as(clean)
    words = encode_prompt(model, [""] * len(clean))
    until = max(1, round(_FUSED * executed_steps(settings)))
    done = 0

    def before(unet: Any, args: tuple[Any, ...], _: dict[str, Any]) -> None:
        nonlocal done
        if maps.is_kept:
            return
        maps.by_layer.clear()
        done += 1
        if done > until:
            return
        t = args[1]
        noisy = scheduler.add_noise(clean, noise, t.reshape(1)).to(model.dtype)
        maps.is_kept = True
        unet(noisy, t, encoder_hidden_states=words, return_dict=False)
        maps.is_kept = False

    handle = model.unet.register_forward_pre_hook(before, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


class _FusedAttention:
    """Keeps the maps of the source's pass, and uses them in the pass that follows it."""

    def __init__(self, name: str, frames: int, maps: _SourceMaps) -> None:
        self._name = name
        self._frames = frames
        self._maps = maps

    def __call__(
        self,
        attn: SelfAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """The layer's output for `hidden_states` (b f) n c, of the same shape."""
        query = split_heads(attn.to_q(hidden_states), attn)
        key, value = (
            self._with_middle(split_heads(project(hidden_states), attn))
            for project in (attn.to_k, attn.to_v)
        )
        kept = self._maps.by_layer.get(self._name)
        if self._maps.is_kept:
            self._maps.by_layer[self._name] = query, key
        elif kept is not None:
            halves = len(query) // len(kept[0])
            query, key = (torch.cat([part] * halves) for part in kept)
        return project_out(attn, attend(query, key, value))

    def _with_middle(self, own: Tensor) -> Tensor:
        """(b f) n heads d to (b f) 2n heads d: each frame's own, then the middle frame's."""
        by_frame = rearrange(own, "(b f) n heads d -> b f n heads d", f=self._frames)
        middle = by_frame[:, self._frames // 2, None].expand_as(by_frame)
        return rearrange(torch.cat([by_frame, middle], 2), "b f n heads d -> (b f) n heads d")
