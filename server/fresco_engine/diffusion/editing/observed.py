"""What a pass over the input's own latents shows, for the same step of an edit to hold on to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn

from fresco_engine.diffusion.attention import RecordingAttention
from fresco_engine.diffusion.editing.words import WordMaps
from fresco_engine.diffusion.hooks import decoder_attentions, processed_by


@dataclass
class Observed:
    """What one pass shows of f frames.

    `attention` holds queries and keys, f n heads d, of the decoder's self-attentions, `features`
    what the block returns that plug-and-play injects, f c h w, `words` what the prompt speaks of.
    """

    attention: dict[str, tuple[Tensor, Tensor]] = field(
        default_factory=dict[str, tuple[Tensor, Tensor]]
    )
    features: Tensor | None = None
    words: WordMaps = field(default_factory=WordMaps)


def _injected(unet: UNet2DConditionModel) -> nn.Module:
    """The residual block whose output is injected: the second of the decoder's second level.

    Source: layer 4 of section 4 of plug-and-play (arXiv:2211.12572), counted from 1.
    """
    blocks: Any = unet.up_blocks
    resnets = blocks[min(1, len(blocks) - 1)].resnets
    return resnets[min(1, len(resnets) - 1)]


@contextmanager
def observing_layout(unet: UNet2DConditionModel) -> Iterator[Observed]:
    """Inside, one forward of the U-Net on f frames fills attention and features of what is
    yielded; the pass itself stays bitwise the plain one.
    """
    seen = Observed()

    def keep(_: nn.Module, __: Any, output: Tensor) -> None:
        seen.features = output.detach().clone()

    with ExitStack() as stack:
        for name, attn in decoder_attentions(unet).items():
            processor = RecordingAttention(partial(_keep, seen, name))
            stack.enter_context(processed_by(name, attn, processor))
        stack.callback(_injected(unet).register_forward_hook(keep).remove)
        yield seen


def _keep(seen: Observed, name: str, query: Tensor, key: Tensor) -> None:
    seen.attention[name] = (query.detach(), key.detach())


@contextmanager
def holding_features(unet: UNet2DConditionModel, seen: Observed | None) -> Iterator[None]:
    """Inside, the features that were seen take the place of the U-Net's own, in every half."""
    if seen is None or seen.features is None:
        yield
        return
    features = seen.features

    def put_in(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        return features.repeat(len(output) // len(features), 1, 1, 1)

    handle = _injected(unet).register_forward_hook(put_in)
    try:
        yield
    finally:
        handle.remove()
