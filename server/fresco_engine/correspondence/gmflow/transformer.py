"""Features of two pictures made comparable by attention within and between them (section 3.2)."""

from __future__ import annotations

import math

import torch
from einops import rearrange
from torch import Tensor, nn

from fresco_engine.correspondence.gmflow.matching import attend

SPLITS = 2
"""Windows along each side, in which attention is worked out."""
_LAYERS = 6
_EXPANSION = 4
_TEMPERATURE = 10_000.0


class AttentionLayer(nn.Module):
    """One attention of `source` to `target`; with a feed-forward network behind it or without."""

    def __init__(self, channels: int, *, has_network: bool) -> None:
        super().__init__()
        self.q_proj = nn.Linear(channels, channels, bias=False)
        self.k_proj = nn.Linear(channels, channels, bias=False)
        self.v_proj = nn.Linear(channels, channels, bias=False)
        self.merge = nn.Linear(channels, channels, bias=False)
        self.norm1 = nn.LayerNorm(channels)
        self.mlp: nn.Sequential | None = None
        if has_network:
            inner = 2 * channels * _EXPANSION
            self.mlp = nn.Sequential(
                nn.Linear(2 * channels, inner, bias=False),
                nn.GELU(),
                nn.Linear(inner, channels, bias=False),
            )
            self.norm2 = nn.LayerNorm(channels)

    def forward(self, source: Tensor, target: Tensor, *, is_shifted: bool) -> Tensor:
        """`source` (b, h, w, c) with what it finds in `target`, window by window."""
        height, width = source.shape[1:3]
        shift = (height // SPLITS // 2, width // SPLITS // 2) if is_shifted else (0, 0)
        queries, keys, values = (
            _windows(layer(tokens), shift)
            for layer, tokens in (
                (self.q_proj, source),
                (self.k_proj, target),
                (self.v_proj, target),
            )
        )
        regions = _regions(height, width, shift, source.device) if is_shifted else None
        if regions is not None:
            regions = regions.repeat(len(source), 1)
        found = attend(queries, keys, values, regions)
        message = self.norm1(self.merge(_whole(found, height, width, shift)))
        if self.mlp is not None:
            message = self.norm2(self.mlp(torch.cat([source, message], -1)))
        return source + message


class TransformerBlock(nn.Module):
    """A picture looks at itself, then at the other one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.self_attn = AttentionLayer(channels, has_network=False)
        self.cross_attn_ffn = AttentionLayer(channels, has_network=True)

    def forward(self, source: Tensor, target: Tensor, *, is_shifted: bool) -> Tensor:
        """`source` (b, h, w, c), improved; `target` is left as it is."""
        source = self.self_attn(source, source, is_shifted=is_shifted)
        return self.cross_attn_ffn(source, target, is_shifted=is_shifted)


class FeatureTransformer(nn.Module):
    """Six blocks; windows are shifted by half of their size in every second one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TransformerBlock(channels) for _ in range(_LAYERS))

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Both features (b, c, h, w), which know of each other; h and w are even."""
        count = len(first)
        both = torch.cat([first, second])
        position = position_code(first.shape[-2] // SPLITS, first.shape[-1] // SPLITS, first)
        both = both + position.repeat(1, SPLITS, SPLITS)
        both = rearrange(both, "b c h w -> b h w c")
        for index, layer in enumerate(self.layers):
            other = both.roll(count, 0)
            both = layer(both, other, is_shifted=index % 2 == 1)
        both = rearrange(both, "b h w c -> b c h w")
        return both[:count], both[count:]


def position_code(height: int, width: int, like: Tensor) -> Tensor:
    """(c, h, w): sines and cosines of y, then of x, for the c channels of `like` (b, c, ...).

    Places are counted from 1 and spread over a full turn, as in DETR (arXiv:2005.12872).
    """
    half = like.shape[1] // 2
    pairs = torch.arange(half, dtype=like.dtype, device=like.device).div(2, rounding_mode="floor")
    periods = _TEMPERATURE ** (2 * pairs / half)
    codes: list[Tensor] = []
    for length in (height, width):
        places = torch.arange(1, length + 1, dtype=like.dtype, device=like.device)
        angles = (places / (length + 1e-6) * 2 * math.pi)[:, None] / periods  # length half
        waves = torch.stack([angles[:, 0::2].sin(), angles[:, 1::2].cos()], -1)
        codes.append(waves.flatten(1))
    down, across = codes
    return torch.cat(
        [
            down.t()[:, :, None].expand(-1, -1, width),
            across.t()[:, None, :].expand(-1, height, -1),
        ]
    )


def _windows(tokens: Tensor, shift: tuple[int, int]) -> Tensor:
    """(b, h, w, c) moved up and left by `shift`, as (b windows, tokens of a window, c)."""
    moved = tokens.roll((-shift[0], -shift[1]), (1, 2)) if any(shift) else tokens
    return rearrange(moved, "b (y h) (x w) c -> (b y x) (h w) c", y=SPLITS, x=SPLITS)


def _whole(windows: Tensor, height: int, width: int, shift: tuple[int, int]) -> Tensor:
    """What `_windows` was made of."""
    tokens = rearrange(
        windows,
        "(b y x) (h w) c -> b (y h) (x w) c",
        y=SPLITS,
        x=SPLITS,
        h=height // SPLITS,
        w=width // SPLITS,
    )
    return tokens.roll(shift, (1, 2)) if any(shift) else tokens


def _regions(height: int, width: int, shift: tuple[int, int], device: torch.device) -> Tensor:
    """(windows, tokens of a window): which part of the picture each shifted token is from.

    Moving the picture round joins its borders; what is joined so must not attend to each other.
    """
    down, across = (
        (torch.arange(length, device=device) >= length - length // SPLITS).long()
        + (torch.arange(length, device=device) >= length - step)
        for length, step in zip((height, width), shift, strict=True)
    )
    numbers = 3 * down[:, None] + across[None, :]
    return _windows(numbers[None, :, :, None], (0, 0))[..., 0]
