"""What a picture says to a U-Net: keys and values for its cross-attentions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from einops import repeat
from torch import Tensor
from torch.nn import functional as F

MOST_TOKENS = 257
"""What any adapter makes of a picture; of most it is 4 or 16."""


@dataclass(frozen=True, kw_only=True)
class PicturePrompt:
    """A picture as the cross-attentions of a U-Net read it, by their full names.

    `layers` are their K and V, b m heads d each: b = 2 says nothing and the picture, in the order
    of the halves of classifier-free guidance; after `for_batch` it is (b f). They do not change
    with the steps, so neither encoder nor adapter is needed while these are made.
    """

    layers: Mapping[str, tuple[Tensor, Tensor]]
    strength: float = 1.0

    @classmethod
    @torch.no_grad()
    def of(
        cls, unet: UNet2DConditionModel, tokens: Tensor, weights: Iterable[tuple[Tensor, Tensor]]
    ) -> PicturePrompt:
        """From an adapter's `tokens` 2 m c and its `weights` of K and V, layer by layer."""
        layers: dict[str, tuple[Tensor, Tensor]] = {}
        for (name, attn), both in zip(cross_attentions(unet).items(), weights, strict=True):
            key, value = (
                F.linear(tokens, weight.to(tokens)).unflatten(-1, (attn.heads, -1))
                for weight in both
            )
            layers[name] = key, value
        return cls(layers=layers)

    @classmethod
    def unseen(cls, unet: UNet2DConditionModel, tokens: int) -> PicturePrompt:
        """That of a picture of which only the number of tokens is known, on the U-Net's device."""
        layers: dict[str, tuple[Tensor, Tensor]] = {}
        for name, attn in cross_attentions(unet).items():
            shape = (2, tokens, attn.heads, attn.inner_dim // attn.heads)
            nothing = torch.empty(shape, device=unet.device, dtype=unet.dtype)
            layers[name] = nothing, nothing
        return cls(layers=layers)

    def for_batch(self, halves: int, frames: int) -> PicturePrompt:
        """For (b f) latents: `halves` of guidance, of which a single one is the picture's."""

        def spread(x: Tensor) -> Tensor:
            return repeat(x[-halves:], "b m heads d -> (b f) m heads d", f=frames)

        layers = {name: (spread(key), spread(value)) for name, (key, value) in self.layers.items()}
        return replace(self, layers=layers)


def cross_attentions(unet: UNet2DConditionModel) -> dict[str, Attention]:
    """The layers in which a U-Net reads the prompt, by their names, in the order of adapters."""
    names = (name.removesuffix(".processor") for name in unet.attn_processors)
    return {name: unet.get_submodule(name) for name in names if name.endswith("attn2")}  # pyright: ignore[reportReturnType]
