"""Self-attention that looks at other frames, for as long as it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from fresco_engine.diffusion.attention import (
    GuidedAttention,
    LayerGuidance,
    SelfAttention,
    is_plain,
)
from torch import Tensor, nn

Processor = Callable[..., Tensor]


def self_attentions(network: nn.Module) -> dict[str, Attention]:
    """All self-attention layers of a U-Net or a ControlNet by their full names."""
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, Attention) and name.endswith("attn1")
    }


@contextmanager
def attending(network: nn.Module | None, make: Callable[[str], Processor]) -> Iterator[None]:
    """Inside, every self-attention of `network` works by the processor made for its name."""
    with ExitStack() as stack:
        for name, layer in self_attentions(network).items() if network is not None else ():
            assert is_plain(layer), f"{name} is not a plain self-attention"
            stack.callback(layer.set_processor, layer.processor)
            made: Any = make(name)
            layer.set_processor(made)
        yield


class SharedAttention:
    """All frames look at the same tokens: those of the first `shown` of `frames` frames."""

    def __init__(self, frames: int, shown: int) -> None:
        self._frames = frames
        self._shown = shown

    def __call__(
        self,
        attn: SelfAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """The layer's output for `hidden_states` (b f) n c, of the same shape."""
        tokens = self._shown * hidden_states.shape[1]
        attended = torch.arange(tokens, device=hidden_states.device)
        guidance = LayerGuidance(frames=self._frames, attended=attended)
        return GuidedAttention(lambda: guidance)(attn, hidden_states, encoder_hidden_states)
