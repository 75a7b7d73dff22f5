"""The self-similarity of features: Gram matrices, their distance and its gradient (Eq. 6)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_TINY = 1e-12

_BLOCKS = 4
_LEAST_BLOCK = 64
"""A Gram matrix is multiplied out in up to so many columns of blocks, none narrower than this."""


def unit_rows(features: Tensor) -> tuple[Tensor, Tensor]:
    """`features` (..., n, c) with rows of unit length, and the rows' lengths (..., n, 1)."""
    length = torch.linalg.vector_norm(features, dim=-1, keepdim=True).clamp_min(_TINY)
    return features / length, length


@dataclass(frozen=True)
class SimilarityTarget:
    """The self-similarity features should have, with all of the loss that never changes.

    Either the tokens' similarities or the rows they come from are kept, by which side is the
    cheaper one: the token side takes two products of n·n·c, the channel side four of n·c·c.
    Both give the same loss and gradient.
    """

    by_tokens: bool
    matrices: Tensor
    """By tokens BBᵀ (f, n, n), else B (f, n, c), of the reference's unit rows B."""
    constants: Tensor
    """(f,): ‖BBᵀ‖²."""

    @classmethod
    def of(cls, reference: Tensor, *, by_tokens: bool | None = None) -> SimilarityTarget:
        """The self-similarity of `reference` (f, n, c); `by_tokens` forces a side."""
        _, tokens, channels = reference.shape
        rows, _ = unit_rows(reference)
        if by_tokens is None:
            by_tokens = tokens < 2 * channels
        gram = rows @ rows.mT if by_tokens else rows.mT @ rows
        return cls(by_tokens, gram if by_tokens else rows, gram.square().sum((-2, -1)))

    @property
    def frame_count(self) -> int:
        """How many frames the reference has."""
        return len(self.matrices)


def similarity_distance(features: Tensor, target: SimilarityTarget) -> Tensor:
    """The loss alone, unweighted: Σ ‖f̃ f̃ᵀ - target‖² over all frames of `features` (m, n, c)."""
    loss = features.new_zeros(())
    for index, one in enumerate(features):
        loss += _distance(unit_rows(one)[0], target, index % target.frame_count)
    return loss


def similarity_loss(
    features: Tensor,
    target: SimilarityTarget,
    *,
    weight: float = 1.0,
    gradient: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`weight` times the distance of `features` from `target`, and its gradient at `features`.

    The gradient is added to `gradient` where one is given.
    """
    if gradient is None:
        gradient = torch.zeros_like(features)
    add_similarity_gradient(features, target, gradient, weight=weight)
    return weight * similarity_distance(features, target), gradient


def add_similarity_gradient(
    features: Tensor, target: SimilarityTarget, gradient: Tensor, *, weight: float = 1.0
) -> None:
    """Adds to `gradient` that of `weight` · Σ ‖f̃ f̃ᵀ - target‖² at `features`.

    `features` is (m, n, c), not normalised; m is a multiple of the target's frames f, and map i
    is held against target i mod f. Frames are taken one by one, so that the working memory is
    that of a single frame: 2 n² numbers on the token side, 2 n·c on the channel side.
    Source: Eq. 6 of FRESCO (arXiv:2403.12962). By ‖AAᵀ - BBᵀ‖² = ‖AᵀA‖² - 2‖BᵀA‖² + ‖BᵀB‖² and
    its gradient 4(A(AᵀA) - B(BᵀA)) no token-by-token matrix is needed on the channel side.
    """
    add = _add_by_tokens if target.by_tokens else _add_by_channels
    for index, one in enumerate(features):
        add(one, target.matrices[index % target.frame_count], gradient[index], 4 * weight)


def _add_by_tokens(features: Tensor, similarity: Tensor, gradient: Tensor, weight: float) -> None:
    """For one frame (n, c), with the reference's `similarity` (n, n).

    The lengths of the rows are divided out of the small matrices instead of the features, and so
    is the slope's part along each row, which changes nothing but that row's length.
    """
    cosine = _gram(features)
    inverse = cosine.diagonal().sqrt().clamp_min(_TINY).reciprocal()
    cosine.mul_(inverse).mul_(inverse[:, None])
    slope = cosine - similarity
    slope.diagonal().sub_(torch.linalg.vecdot(slope, cosine))
    slope.mul_(inverse * weight).mul_(inverse[:, None])
    gradient.addmm_(slope, features)


def _add_by_channels(features: Tensor, other: Tensor, gradient: Tensor, weight: float) -> None:
    """For one frame (n, c), with the reference's unit rows `other` (n, c)."""
    rows, length = unit_rows(features)
    slope = rows @ _gram(rows.mT)
    slope.addmm_(other, other.mT @ rows, alpha=-1)
    # A row's length changes nothing: only the part across the row counts.
    slope.addcmul_(rows, torch.linalg.vecdot(rows, slope)[:, None], value=-1)
    gradient.addcdiv_(slope, length, value=weight)


def _gram(rows: Tensor) -> Tensor:
    """`rows` @ `rows`.T; being symmetric, little more than half of it is multiplied out."""
    count = len(rows)
    step = max(_LEAST_BLOCK, -(-count // _BLOCKS))
    gram = rows.new_empty(count, count)
    for start in range(0, count, step):
        stop = start + step
        gram[start:, start:stop] = rows[start:] @ rows[start:stop].mT
        gram[start:stop, stop:] = gram[stop:, start:stop].mT
    return gram


def _distance(rows: Tensor, target: SimilarityTarget, frame: int) -> Tensor:
    """‖AAᵀ - BBᵀ‖² of one frame's unit rows A (n, c)."""
    other = target.matrices[frame]
    if target.by_tokens:
        return torch.addmm(other, rows, rows.mT, beta=-1).square().sum()
    own, shared = rows.mT @ rows, other.mT @ rows  # c c
    return own.square().sum() - 2 * shared.square().sum() + target.constants[frame]
