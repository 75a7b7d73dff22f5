"""Looking at one picture through a flow: warping, its adjoint, and resizing flows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from fresco_media.types import Image
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from fresco_engine.correspondence.flow import Flow, pixel_grid, read_at


def warp_image(image: Image | NDArray[np.float32], flow: Flow) -> NDArray[np.float32]:
    """`image` (h, w, channels) read where `flow` leads, as float32 in the image's own range."""
    return read_at(image.astype(np.float32), pixel_grid(*flow.shape[:2]) + flow)


def warp(x: Tensor, flow: Tensor) -> Tensor:
    """`x` (..., c, h, w) read bilinearly where `flow` (..., 2, h, w) leads; borders repeat.

    `warp(x_i, flow[j→i])` is frame i as seen from frame j. Leading dimensions broadcast.
    """
    height, width = flow.shape[-2:]
    leading = torch.broadcast_shapes(x.shape[:-3], flow.shape[:-3])
    maps = x.expand(*leading, *x.shape[-3:]).reshape(-1, *x.shape[-3:])
    flows = flow.expand(*leading, 2, height, width).reshape(-1, 2, height, width)
    # Half precision cannot tell places apart: at 256 pixels bfloat16 is a whole pixel off.
    precise = torch.promote_types(maps.dtype, torch.float32)
    grid = targets(flows.to(precise)).permute(0, 2, 3, 1)
    span = torch.tensor([width, height], dtype=grid.dtype, device=maps.device)
    # Pixel centres lie at (2x + 1) / width - 1 when corners are not aligned.
    grid = (2 * grid + 1) / span - 1
    read = F.grid_sample(maps.to(precise), grid, padding_mode="border", align_corners=False)
    return read.to(x.dtype).reshape(*leading, *x.shape[-3:])


def targets(flow: Tensor) -> Tensor:
    """Places (..., 2, h, w) that `flow` leads to."""
    height, width = flow.shape[-2:]
    y = torch.arange(height, dtype=flow.dtype, device=flow.device)[:, None].expand(height, width)
    x = torch.arange(width, dtype=flow.dtype, device=flow.device).expand(height, width)
    return flow + torch.stack([x, y])


@dataclass(frozen=True)
class Sampling:
    """A flow's bilinear sampling as indices and weights, worked out once and used many times.

    Works on token-major features (m, n, c): row-wise reading moves whole contiguous rows, many
    times faster than sampling channel-major maps. `apply` equals `warp`; `adjoint` is its exact
    transpose, so it turns a gradient of the result into a gradient of the source.
    """

    maps: int
    tokens: int
    indices: Tensor
    """(m * n, 4): rows read for every row of the result."""
    weights: Tensor
    """(m * n, 4): what each is multiplied by."""
    adjoint_indices: Tensor
    """(m * n * 4,): rows of the result that read a source row, source row by source row."""
    adjoint_offsets: Tensor
    """(m * n,): where each source row's list begins."""
    adjoint_weights: Tensor

    @classmethod
    def of(cls, flow: Tensor, source: Tensor | None = None, *, repeats: int = 1) -> Sampling:
        """The sampling of `flow` (f, 2, h, w): map i of the result reads map `source[i]`.

        `source` (f,) defaults to each map itself; a permutation joins rolling round a ring with
        warping. `repeats` stacks the same sampling, as for the halves of guided denoising.
        """
        frames, _, height, width = flow.shape
        tokens = height * width
        if source is None:
            source = torch.arange(frames, device=flow.device)
        rows, weights = bilinear_taps(flow)
        rows = rows + source[:, None, None] * tokens
        shift = torch.arange(repeats, device=flow.device)[:, None, None] * (frames * tokens)
        indices = (rows.reshape(1, -1, 4) + shift).reshape(-1, 4)
        weights = weights.reshape(-1, 4).repeat(repeats, 1)
        readers, offsets, shares = _transpose(indices, weights)
        return cls(frames * repeats, tokens, indices, weights, readers, offsets, shares)

    def apply(self, x: Tensor) -> Tensor:
        """(m, n, c) → (m, n, c): every row read where the flow leads."""
        rows = x.reshape(self.maps * self.tokens, -1)
        weights = self.weights.to(x.dtype)
        read = F.embedding_bag(self.indices, rows, mode="sum", per_sample_weights=weights)
        return read.reshape(x.shape)

    def adjoint(self, g: Tensor) -> Tensor:
        """(m, n, c) → (m, n, c): the transpose of `apply`."""
        rows = g.reshape(self.maps * self.tokens, -1)
        spread = F.embedding_bag(
            self.adjoint_indices,
            rows,
            self.adjoint_offsets,
            mode="sum",
            per_sample_weights=self.adjoint_weights.to(g.dtype),
        )
        return spread.reshape(g.shape)


def bilinear_taps(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Token indices and weights (f, n, 4) of the four neighbours each position lies between."""
    height, width = flow.shape[-2:]
    x, y = targets(flow.float()).flatten(-2).unbind(1)  # f n
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    left, top = x.floor(), y.floor()
    right, bottom = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    across, down = x - left, y - top
    rows = torch.stack(
        [top * width + left, top * width + right, bottom * width + left, bottom * width + right], -1
    )
    weights = torch.stack(
        [(1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down], -1
    )
    return rows.long(), weights


def cubic_taps(place: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Token indices and weights (k, 16) of the neighbours of `place` (2, h, w), x and y in pixels.

    For the k `pixels` of the map only. Catmull-Rom splines: what is read keeps the detail that
    bilinear reading halves. Beyond the picture the border repeats.
    """
    height, width = place.shape[-2:]
    x, y = place.float().flatten(1)[:, pixels]
    columns, across = _cubic(x.clamp(0, width - 1), width)
    rows, down = _cubic(y.clamp(0, height - 1), height)
    taps = rows[:, :, None] * width + columns[:, None, :]
    return taps.flatten(1), (down[:, :, None] * across[:, None, :]).flatten(1)


def _cubic(x: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Indices and weights (n, 4) of the four neighbours of each position on a line."""
    base = x.floor()
    t = (x - base)[:, None]
    offsets = torch.arange(-1, 3, device=x.device)
    distance = (t - offsets).abs()
    near = (1.5 * distance - 2.5) * distance.square() + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    weights = torch.where(distance < 1, near, far)
    return (base.long()[:, None] + offsets).clamp(0, length - 1), weights


def _transpose(indices: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Who reads each row: readers sorted by the row they read, each row's begin, the weights."""
    flat = indices.flatten()
    by_row = torch.argsort(flat, stable=True)
    counts = torch.bincount(flat, minlength=len(indices))
    offsets = torch.cumsum(counts, 0) - counts
    return by_row // indices.shape[1], offsets, weights.flatten()[by_row]


def resize_flow(flow: Tensor, height: int, width: int) -> Tensor:
    """`flow` (..., 2, H, W) averaged down (or interpolated up) to a map, vectors scaled along."""
    scale = flow.new_tensor([width / flow.shape[-1], height / flow.shape[-2]])
    return resize_map(flow, height, width) * scale[:, None, None]


def mostly(mask: Tensor, height: int, width: int) -> Tensor:
    """`mask` (..., H, W) bool on a map: True where more than half of a cell is."""
    return _share(mask, height, width) > 0.5


def partly(mask: Tensor, height: int, width: int) -> Tensor:
    """`mask` (..., H, W) bool on a map: True where any of a cell is, as by max-pooling."""
    return _share(mask, height, width) > 0


def _share(mask: Tensor, height: int, width: int) -> Tensor:
    return resize_map(mask.unsqueeze(-3).float(), height, width).squeeze(-3)


def resize_map(x: Tensor, height: int, width: int) -> Tensor:
    """`x` (..., c, H, W) float, area-averaged when shrinking, bilinear when growing."""
    if x.shape[-2:] == (height, width):
        return x
    maps = x.reshape(-1, *x.shape[-3:])
    if height <= x.shape[-2] and width <= x.shape[-1]:
        resized = F.interpolate(maps, (height, width), mode="area")
    else:
        resized = F.interpolate(maps, (height, width), mode="bilinear", align_corners=False)
    return resized.reshape(*x.shape[:-2], height, width)
