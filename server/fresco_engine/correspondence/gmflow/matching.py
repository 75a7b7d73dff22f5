"""Attention that holds only a bounded part of its scores at a time, and what it finds."""

from __future__ import annotations

import torch
from torch import Tensor

_SCORES_AT_ONCE = 1 << 25
"""Scores held at a time, of all windows and pictures together: 128 MB, and the same for shares."""
_APART = 100.0
"""What scores lose between places that do not belong together, as in the published model."""


def attend(queries: Tensor, keys: Tensor, values: Tensor, regions: Tensor | None = None) -> Tensor:
    """Softmax of scaled products with `keys`, by which `values` are averaged (Eq. 2 and 3).

    `queries` (b, n, d), `keys` (b, m, d), `values` (b, m, c); returns (b, n, c). `regions` (b, n)
    keeps those queries and keys apart whose numbers differ. The result is that of all scores at
    once, which for 1080p would take 4 GB, but rows of it are made and used one part at a time.
    """
    scaled = queries * queries.shape[-1] ** -0.5
    transposed = keys.transpose(1, 2)
    rows = max(1, _SCORES_AT_ONCE // (keys.shape[0] * keys.shape[1]))
    parts: list[Tensor] = []
    for begin in range(0, queries.shape[1], rows):
        part = slice(begin, begin + rows)
        scores = scaled[:, part] @ transposed  # b rows m
        if regions is not None:
            is_apart = regions[:, part, None] != regions[:, None, :]
            scores.add_(is_apart, alpha=-_APART)
        parts.append(scores.softmax(-1) @ values)
    return torch.cat(parts, 1)


def match(first: Tensor, second: Tensor) -> Tensor:
    """The flow (b, 2, h, w) from features `first` (b, c, h, w) to `second`, in their own pixels.

    Where a place went is the mean of all places, weighed by how well they match (Eq. 4 and 5).
    """
    height, width = first.shape[-2:]
    places = place_grid(height, width, first).expand(len(first), -1, -1)  # b n 2
    found = attend(flat(first), flat(second), places)
    return unflat(found - places, height, width)


def place_grid(height: int, width: int, like: Tensor) -> Tensor:
    """(1, h*w, 2): x and y of every place, of the type and on the device of `like`."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=like.dtype, device=like.device),
        torch.arange(width, dtype=like.dtype, device=like.device),
        indexing="ij",
    )
    return torch.stack([x, y], -1).reshape(1, height * width, 2)


def flat(maps: Tensor) -> Tensor:
    """(b, c, h, w) as (b, h*w, c)."""
    return maps.flatten(2).transpose(1, 2)


def unflat(tokens: Tensor, height: int, width: int) -> Tensor:
    """(b, h*w, c) as (b, c, h, w)."""
    return tokens.transpose(1, 2).unflatten(2, (height, width))
