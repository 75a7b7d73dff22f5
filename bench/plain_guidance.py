"""FRESCO's formulas written down plainly: what the engine's shortcuts are held against.

Autograd, grid sampling and whole Gram matrices, as Eq. 4-6 of FRESCO (arXiv:2403.12962) read.
"""

from __future__ import annotations

import torch
from einops import rearrange
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.warp import warp
from fresco_engine.settings import OptimisationSettings
from torch import Tensor
from torch.nn import functional as F


def temporal_loss(features: Tensor, correspondence: BatchCorrespondence) -> Tensor:
    """Eq. 5 both ways round the ring, of `features` (b, f, c, h, w)."""
    following = features.roll(-1, 1)
    ahead = features - warp(following, correspondence.forward)
    behind = following - warp(features, correspondence.backward)
    seen_ahead = ~correspondence.occluded_forward[:, None]
    seen_behind = ~correspondence.occluded_backward[:, None]
    return (ahead * seen_ahead).abs().sum() + (behind * seen_behind).abs().sum()


def gram(features: Tensor) -> Tensor:
    """The similarities (..., n, n) of the unit tokens of `features` (..., c, h, w)."""
    unit = F.normalize(features.flatten(-2), dim=-2)
    return unit.mT @ unit


def spatial_loss(features: Tensor, similarity: Tensor) -> Tensor:
    """Eq. 6 without its weight, of `features` (b, f, c, h, w)."""
    return (gram(features) - similarity).square().sum()


def optimise(
    features: Tensor,
    correspondence: BatchCorrespondence,
    reference: Tensor | None,
    settings: OptimisationSettings,
) -> Tensor:
    """Eq. 4 of `features` (b f) c h w; `correspondence` is at their size, reference f c h w."""
    start = rearrange(features, "(b f) c h w -> b f c h w", f=correspondence.frame_count)
    similarity = gram(reference) if reference is not None and settings.spatial else None
    with torch.enable_grad():
        current = start.clone().requires_grad_()
        adam = torch.optim.Adam([current], lr=settings.learning_rate)
        for _ in range(settings.iterations):
            loss = current.new_zeros(())
            if settings.temporal:
                loss = loss + temporal_loss(current, correspondence)
            if similarity is not None:
                loss = loss + settings.spatial_weight * spatial_loss(current, similarity)
            adam.zero_grad()
            loss.backward()
            adam.step()
    return _with_look_of(start, current.detach()).flatten(0, 1)


def _with_look_of(original: Tensor, changed: Tensor) -> Tensor:
    """`changed` (b, f, c, h, w) with every channel's mean and deviation of `original`."""
    variance, mean = torch.var_mean(original, (-2, -1), correction=0, keepdim=True)
    own_variance, own_mean = torch.var_mean(changed, (-2, -1), correction=0, keepdim=True)
    unit = (changed - own_mean) / (own_variance + 1e-5).sqrt()
    return unit * (variance + 1e-5).sqrt() + mean
