"""The hand-written optimisation gives what autograd gives on the plain formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import plain_guidance
import pytest
import torch
from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.correspondence.similarity import (
    SimilarityTarget,
    add_similarity_gradient,
    similarity_distance,
)
from fresco_engine.diffusion.consistency import TemporalConsistency
from fresco_engine.diffusion.features import optimise, to_maps, to_tokens
from fresco_engine.settings import OptimisationSettings
from torch import Tensor

FRAMES = 3
SHAPES = {"fewer tokens": (16, 4, 5), "fewer channels": (4, 7, 6)}

MakeCorrespondence = Callable[..., BatchCorrespondence]


def features_like(
    frames: int, shape: tuple[int, int, int], seed: int = 0, dtype: torch.dtype = torch.float64
) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(frames, *shape, generator=random, dtype=dtype)


def in_double(correspondence: BatchCorrespondence) -> BatchCorrespondence:
    return replace(
        correspondence,
        forward=correspondence.forward.double(),
        backward=correspondence.backward.double(),
    )


def autograd_of(loss: Callable[[Tensor], Tensor], features: Tensor) -> tuple[Tensor, Tensor]:
    leaf = features.clone().requires_grad_()
    value = loss(leaf)
    value.backward()
    assert leaf.grad is not None
    return value.detach(), leaf.grad


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_the_temporal_loss_and_its_gradient_are_those_of_autograd(
    shape: tuple[int, int, int], make_correspondence: MakeCorrespondence
) -> None:
    correspondence = make_correspondence(FRAMES, *shape[1:])
    consistency = TemporalConsistency.of(correspondence)
    features = features_like(FRAMES, shape)
    value, slope = autograd_of(
        lambda x: plain_guidance.temporal_loss(x[None], in_double(correspondence)), features
    )

    tokens = to_tokens(features)
    gradient = torch.empty_like(tokens)
    consistency.write_gradient(tokens, gradient, consistency.scratch(tokens))

    # Positions between pixels are kept in float32.
    torch.testing.assert_close(consistency.loss(tokens), value, rtol=1e-6, atol=0)
    torch.testing.assert_close(to_maps(gradient, shape[1]), slope, rtol=0, atol=2e-6)


@pytest.mark.parametrize("by_tokens", [True, False], ids=["by tokens", "by channels"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_the_spatial_loss_and_its_gradient_are_those_of_autograd(
    shape: tuple[int, int, int], by_tokens: bool
) -> None:
    features, reference = features_like(FRAMES, shape), features_like(FRAMES, shape, seed=1)
    similarity = plain_guidance.gram(reference)
    value, slope = autograd_of(lambda x: plain_guidance.spatial_loss(x, similarity), features)

    tokens = to_tokens(features)
    target = SimilarityTarget.of(to_tokens(reference), by_tokens=by_tokens)
    gradient = torch.ones_like(tokens)
    add_similarity_gradient(tokens, target, gradient, weight=3)

    torch.testing.assert_close(similarity_distance(tokens, target), value)
    torch.testing.assert_close(to_maps(gradient, shape[1]), 1 + 3 * slope)


def test_a_large_gram_matrix_put_together_from_blocks_has_the_same_gradient() -> None:
    shape = (24, 17, 19)
    features, reference = features_like(1, shape), features_like(1, shape, seed=1)
    similarity = plain_guidance.gram(reference)
    _, slope = autograd_of(lambda x: plain_guidance.spatial_loss(x, similarity), features)

    tokens = to_tokens(features)
    gradient = torch.zeros_like(tokens)
    target = SimilarityTarget.of(to_tokens(reference), by_tokens=True)
    add_similarity_gradient(tokens, target, gradient)

    torch.testing.assert_close(to_maps(gradient, shape[1]), slope)


PARTS = {
    "both losses": OptimisationSettings(),
    "temporal alone": OptimisationSettings(spatial=False),
    "spatial alone": OptimisationSettings(temporal=False),
}


def optimised(
    features: Tensor,
    correspondence: BatchCorrespondence,
    reference: Tensor,
    settings: OptimisationSettings,
) -> Tensor:
    consistency = TemporalConsistency.of(correspondence) if settings.temporal else None
    target = SimilarityTarget.of(to_tokens(reference)) if settings.spatial else None
    return optimise(features, FRAMES, consistency, target, settings)


@pytest.mark.parametrize("settings", PARTS.values(), ids=PARTS.keys())
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_twenty_iterations_end_where_autograd_ends(
    shape: tuple[int, int, int],
    settings: OptimisationSettings,
    make_correspondence: MakeCorrespondence,
) -> None:
    correspondence = make_correspondence(FRAMES, *shape[1:])
    features, reference = features_like(2 * FRAMES, shape), features_like(FRAMES, shape, seed=1)

    result = optimised(features, correspondence, reference, settings)

    plain = plain_guidance.optimise(features, in_double(correspondence), reference, settings)
    assert (plain - features).abs().mean() > 0.1
    torch.testing.assert_close(result, plain, rtol=0, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_float32_ends_within_float_error_of_autograd(
    shape: tuple[int, int, int], make_correspondence: MakeCorrespondence
) -> None:
    correspondence = make_correspondence(FRAMES, *shape[1:])
    features = features_like(2 * FRAMES, shape, dtype=torch.float32)
    reference = features_like(FRAMES, shape, seed=1, dtype=torch.float32)
    settings = OptimisationSettings()

    result = optimised(features, correspondence, reference, settings)

    plain = plain_guidance.optimise(features, correspondence, reference, settings)
    torch.testing.assert_close(result, plain, rtol=0, atol=1e-3)


def test_the_halves_of_guided_denoising_do_not_touch_each_other(
    make_correspondence: MakeCorrespondence,
) -> None:
    shape = (8, 4, 5)
    correspondence = make_correspondence(FRAMES, *shape[1:])
    features, reference = features_like(2 * FRAMES, shape), features_like(FRAMES, shape, seed=1)
    settings = OptimisationSettings(iterations=3)

    together = optimised(features, correspondence, reference, settings)

    halves = [optimised(half, correspondence, reference, settings) for half in features.chunk(2)]
    assert torch.equal(together, torch.cat(halves))


def test_every_channel_keeps_its_mean_and_deviation(
    make_correspondence: MakeCorrespondence,
) -> None:
    shape = (8, 6, 5)
    features = 3 * features_like(FRAMES, shape) + 2
    reference = features_like(FRAMES, shape, seed=1)

    correspondence = make_correspondence(FRAMES, *shape[1:])
    result = optimised(features, correspondence, reference, OptimisationSettings())

    torch.testing.assert_close(result.mean((-2, -1)), features.mean((-2, -1)))
    torch.testing.assert_close(result.std((-2, -1)), features.std((-2, -1)), rtol=1e-4, atol=1e-4)


def test_frames_become_more_consistent_along_the_flow(
    make_correspondence: MakeCorrespondence,
) -> None:
    shape = (8, 6, 5)
    correspondence = make_correspondence(FRAMES, *shape[1:], motion=0.3)
    features = features_like(FRAMES, shape)
    consistency = TemporalConsistency.of(correspondence)

    result = optimise(features, FRAMES, consistency, None, OptimisationSettings())

    assert consistency.loss(to_tokens(result)) < 0.5 * consistency.loss(to_tokens(features))


def test_frames_that_agree_already_stay_as_they_are(
    make_correspondence: MakeCorrespondence,
) -> None:
    shape = (8, 6, 5)
    still = make_correspondence(FRAMES, *shape[1:], motion=0)
    features = features_like(1, shape).repeat(FRAMES, 1, 1, 1)

    consistency = TemporalConsistency.of(still)
    result = optimise(features, FRAMES, consistency, None, OptimisationSettings())

    torch.testing.assert_close(result, features)


def test_frames_that_show_nothing_of_each_other_stay_as_they_are(
    make_correspondence: MakeCorrespondence,
) -> None:
    shape = (8, 6, 5)
    hidden = make_correspondence(FRAMES, *shape[1:], hidden=1.1)
    features = features_like(FRAMES, shape)

    consistency = TemporalConsistency.of(hidden)
    result = optimise(features, FRAMES, consistency, None, OptimisationSettings())

    assert consistency.loss(to_tokens(features)) == 0
    torch.testing.assert_close(result, features)


def test_half_precision_features_are_optimised_in_float32(
    make_correspondence: MakeCorrespondence,
) -> None:
    shape = (8, 6, 5)
    correspondence = make_correspondence(FRAMES, *shape[1:])
    features = features_like(FRAMES, shape, dtype=torch.float16)
    reference = features_like(FRAMES, shape, seed=1, dtype=torch.float16)

    result = optimised(features, correspondence, reference, OptimisationSettings())

    wide = optimised(features.float(), correspondence, reference.float(), OptimisationSettings())
    assert result.dtype == torch.float16
    assert torch.equal(result, wide.half())


def test_the_features_given_are_left_alone(make_correspondence: MakeCorrespondence) -> None:
    shape = (8, 1, 1)
    features = features_like(FRAMES, shape, dtype=torch.float32)
    before = features.clone()

    correspondence = make_correspondence(FRAMES, *shape[1:])
    optimised(features, correspondence, features, OptimisationSettings())

    assert torch.equal(features, before)
    assert features.grad is None
