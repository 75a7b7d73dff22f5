"""The temporal consistency of features along the flow (Eq. 5) and its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.warp import Sampling

_PIECE_BYTES = 4 << 20
"""On a CPU rows are worked on in pieces of this size: they stay in the cache, and the allocator
hands the same memory out again instead of asking the system for fresh pages."""


@dataclass(frozen=True)
class TemporalConsistency:
    """Eq. 5 for one batch and one size of map, as ‖S f‖₁ with a constant sparse matrix S.

    A row of S is one visible token seen from one of its two neighbours on the ring: the bilinear
    reading of the neighbour minus the token itself. Hidden tokens have no row. The gradient is
    Sᵀ sign(S f), so both products are weighted sums of whole feature rows.
    """

    frames: int
    taps: Tensor
    """(r, 5) int64: the columns, tokens counted over all frames, that a row of S combines."""
    weights: Tensor
    """(r, 5): what each is multiplied by."""
    readers: Tensor
    """(5 r,) int64: the rows of S that touch a column, column by column."""
    starts: Tensor
    """(f n + 1,) int64: where each column's list begins, and where the last one ends."""
    shares: Tensor
    """(5 r,): what each reader multiplies the column by."""

    @classmethod
    def of(cls, correspondence: BatchCorrespondence) -> TemporalConsistency:
        """From the correspondence of a batch at the map's size."""
        taps, weights = _differences_along(correspondence)
        columns = correspondence.occluded_forward.numel()
        by_column = torch.argsort(taps.flatten(), stable=True)
        counts = torch.bincount(taps.flatten(), minlength=columns)
        return cls(
            frames=correspondence.frame_count,
            taps=taps,
            weights=weights,
            readers=by_column // taps.shape[1],
            starts=F.pad(counts.cumsum(0), (1, 0)),
            shares=weights.flatten()[by_column],
        )

    def loss(self, features: Tensor) -> Tensor:
        """Σ |M (f_{i+1} - warp(f_i))| both ways round the ring, of `features` (f, n, c)."""
        rows = features.flatten(0, 1)
        return _sums(self.taps, rows, self.weights.to(rows.dtype)).abs().sum()

    def scratch(self, features: Tensor) -> Tensor:
        """Room for the signs in `write_gradient`: twice `features` (f, n, c) less hidden tokens."""
        return features.new_empty(len(self.taps), features.shape[-1])

    def write_gradient(self, features: Tensor, gradient: Tensor, signs: Tensor) -> None:
        """Puts the loss's gradient at `features` (f, n, c) into `gradient`; `signs` is scratch."""
        rows, slope = features.flatten(0, 1), gradient.view(-1, gradient.shape[-1])
        weights, shares = self.weights.to(rows.dtype), self.shares.to(rows.dtype)
        for part in _pieces(signs):
            torch.sign(_sums(self.taps[part], rows, weights[part]), out=signs[part])
        for part in _pieces(slope):
            starts = self.starts[part]
            first, last = self._readers_of(part, len(slope))
            lists, list_shares = self.readers[first:last], shares[first:last]
            slope[part] = _sums(lists, signs, list_shares, starts - first)

    def _readers_of(self, part: slice, columns: int) -> tuple[int, int]:
        """Where the lists of some columns begin and end; of all, no device needs to be asked."""
        if part == slice(0, columns):
            return 0, len(self.readers)
        return int(self.starts[part.start]), int(self.starts[part.stop])


def _sums(indices: Tensor, rows: Tensor, weights: Tensor, starts: Tensor | None = None) -> Tensor:
    """Weighted sums of rows (·, c): one for every row of `indices`, or every list in them."""
    return F.embedding_bag(indices, rows, starts, mode="sum", per_sample_weights=weights)


def _differences_along(correspondence: BatchCorrespondence) -> tuple[Tensor, Tensor]:
    """Columns and weights (r, 5) of the rows of S, from both neighbours of every frame."""
    frames = torch.arange(correspondence.frame_count, device=correspondence.forward.device)
    behind, ahead = correspondence.backward.roll(1, 0), correspondence.forward
    hidden_behind = correspondence.unbound_backward.roll(1, 0)
    hidden_ahead = correspondence.unbound_forward
    back = _differences(Sampling.of(behind, frames.roll(1)), hidden_behind)
    forth = _differences(Sampling.of(ahead, frames.roll(-1)), hidden_ahead)
    return torch.cat([back[0], forth[0]]), torch.cat([back[1], forth[1]])


def _differences(sampling: Sampling, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Columns and weights (r, 5) of "what is read minus itself" for the tokens not hidden."""
    visible = (~hidden).flatten().nonzero()  # r 1
    read = sampling.weights[visible[:, 0]]
    taps = torch.cat([visible, sampling.indices[visible[:, 0]]], 1)
    return taps, torch.cat([-torch.ones_like(read[:, :1]), read], 1)


def _pieces(rows: Tensor) -> Iterator[slice]:
    """The rows (r, c) in pieces; all at once on a device where launching work is what costs."""
    count = len(rows)
    step = count
    if rows.device.type == "cpu":
        step = max(1, _PIECE_BYTES // (rows.shape[1] * rows.element_size()))
    for start in range(0, count, max(step, 1)):
        yield slice(start, min(start + step, count))
