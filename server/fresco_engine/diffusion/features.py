"""FRESCO-aware optimisation of decoder features (Eq. 4-6), with gradients written by hand."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor

from fresco_engine.correspondence.similarity import SimilarityTarget, add_similarity_gradient
from fresco_engine.diffusion.consistency import TemporalConsistency
from fresco_engine.settings import OptimisationSettings

_TINY = 1e-5
"""Keeps the deviation of a flat channel from dividing by zero."""


def optimise(
    features: Tensor,
    frames: int,
    consistency: TemporalConsistency | None,
    target: SimilarityTarget | None,
    settings: OptimisationSettings,
) -> Tensor:
    """`features` (b f) c h w moved towards the flow's and the input's consistency.

    Adam starts from them and minimises L_temp + λ_spat L_spat; then every frame's channels get
    back their own mean and deviation. A loss that is `None` is left out. The mathematics is in
    float32 at least; the result has the dtype of `features`.

    The halves of guided denoising do not depend on each other and are done one by one, so that
    the extra memory is that of one half: at most six times its features, and the work on one
    frame's similarity. Time grows with f·n·c for the flow and with the smaller of f·n²·c and
    f·n·c² for the similarity. Source: Eq. 4-6 of FRESCO (arXiv:2403.12962); the published code
    uses an L1 similarity loss and a smaller step, we follow the paper.
    """
    if consistency is None and target is None:
        return features
    result = torch.empty_like(features)
    for start in range(0, len(features), frames):
        half = slice(start, start + frames)
        tokens = to_tokens(features[half])
        _minimise(tokens, consistency, target, settings)
        result[half] = to_maps(tokens, features.shape[-2])
    return result


def _minimise(
    tokens: Tensor,
    consistency: TemporalConsistency | None,
    target: SimilarityTarget | None,
    settings: OptimisationSettings,
) -> None:
    """Eq. 4 for the frames of one half, (f, n, c), in place."""
    look = _look(tokens)
    gradient = torch.zeros_like(tokens)
    signs = None if consistency is None else consistency.scratch(tokens)
    tokens.grad = gradient
    # Tensors without numbers, by which costs are told ahead, have no such kernel.
    is_fused = tokens.device.type != "meta"
    adam = torch.optim.Adam([tokens], lr=settings.learning_rate, fused=is_fused)
    for _ in range(settings.iterations):
        if consistency is None or signs is None:
            gradient.zero_()
        else:
            consistency.write_gradient(tokens, gradient, signs)
        if target is not None:
            add_similarity_gradient(tokens, target, gradient, weight=settings.spatial_weight)
        adam.step()
    _restore(tokens, look)


def to_tokens(maps: Tensor) -> Tensor:
    """f c h w to a contiguous copy f n c, in float32 or, where it was that, float64."""
    dtype = torch.promote_types(maps.dtype, torch.float32)
    return (
        rearrange(maps, "f c h w -> f (h w) c")
        .to(dtype)
        .clone(memory_format=torch.contiguous_format)
    )


def to_maps(tokens: Tensor, height: int) -> Tensor:
    """f n c to f c h w."""
    return rearrange(tokens, "f (h w) c -> f c h w", h=height)


def _look(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Deviation and mean (f, 1, c) of every frame's channels."""
    variance, mean = torch.var_mean(tokens, dim=1, correction=0, keepdim=True)
    return (variance + _TINY).sqrt(), mean


def _restore(tokens: Tensor, look: tuple[Tensor, Tensor]) -> None:
    """Gives every frame's channels, in place, the deviation and mean of `look` (AdaIN)."""
    deviation, mean = _look(tokens)
    wanted_deviation, wanted_mean = look
    tokens.sub_(mean).mul_(wanted_deviation / deviation).add_(wanted_mean)
