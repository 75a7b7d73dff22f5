"""The self-similarity of features: Gram matrices, their distance and its gradient (Eq. 6)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_TINY = 1e-12


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


def similarity_loss(
    features: Tensor,
    target: SimilarityTarget,
    *,
    weight: float = 1.0,
    gradient: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`weight` · Σ ‖f̃ f̃ᵀ - target‖² over all frames, and its gradient by `features`.

    `features` is (m, n, c), not normalised; m is a multiple of the target's frames f, and map i
    is held against target i mod f. The gradient is added to `gradient` where one is given.
    Frames are taken one by one, so that the working memory is that of a single frame.
    Source: Eq. 6 of FRESCO (arXiv:2403.12962). By ‖AAᵀ - BBᵀ‖² = ‖AᵀA‖² - 2‖BᵀA‖² + ‖BᵀB‖² and
    its gradient 4(A(AᵀA) - B(BᵀA)) no token-by-token matrix is needed on the channel side.
    """
    if gradient is None:
        gradient = torch.zeros_like(features)
    loss = features.new_zeros(())
    for index, one in enumerate(features):
        rows, length = unit_rows(one)
        value, slope = _distance_and_slope(rows, target, index % target.frame_count)
        # Changing a row's length changes nothing: only the part across the row counts.
        slope.addcmul_(rows, torch.linalg.vecdot(rows, slope)[:, None], value=-1)
        gradient[index].addcdiv_(slope, length, value=4 * weight)
        loss += weight * value
    return loss, gradient


def similarity_distance(features: Tensor, target: SimilarityTarget) -> Tensor:
    """The loss alone, unweighted: Σ ‖f̃ f̃ᵀ - target‖² over all frames of `features` (m, n, c)."""
    loss = features.new_zeros(())
    for index, one in enumerate(features):
        loss += _distance(unit_rows(one)[0], target, index % target.frame_count)
    return loss


def _distance_and_slope(
    rows: Tensor, target: SimilarityTarget, frame: int
) -> tuple[Tensor, Tensor]:
    """‖AAᵀ - BBᵀ‖² of one frame's unit rows A (n, c), and a quarter of its gradient by A."""
    other = target.matrices[frame]
    if target.by_tokens:
        difference = torch.addmm(other, rows, rows.mT, beta=-1)  # n n
        return difference.square().sum(), difference @ rows
    own, shared = rows.mT @ rows, other.mT @ rows  # c c
    value = own.square().sum() - 2 * shared.square().sum() + target.constants[frame]
    return value, torch.addmm(rows @ own, other, shared, alpha=-1)


def _distance(rows: Tensor, target: SimilarityTarget, frame: int) -> Tensor:
    """‖AAᵀ - BBᵀ‖² of one frame's unit rows A (n, c)."""
    other = target.matrices[frame]
    if target.by_tokens:
        return torch.addmm(other, rows, rows.mT, beta=-1).square().sum()
    own, shared = rows.mT @ rows, other.mT @ rows  # c c
    return own.square().sum() - 2 * shared.square().sum() + target.constants[frame]
