import pytest
import torch
from fresco_engine.correspondence.similarity import (
    SimilarityTarget,
    similarity_distance,
    similarity_loss,
    unit_rows,
)
from torch import Tensor

SHAPES = [(2, 6, 20), (3, 40, 8), (1, 16, 16)]


def _random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def _plain(features: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Eq. 6 as it is written, by autograd."""
    x = features.clone().requires_grad_()
    own = x / x.norm(dim=-1, keepdim=True)
    wanted = reference / reference.norm(dim=-1, keepdim=True)
    loss = (own @ own.mT - wanted @ wanted.mT).square().sum()
    (gradient,) = torch.autograd.grad(loss, x)
    return loss.detach(), gradient


@pytest.mark.parametrize("by_tokens", [True, False], ids=["tokens", "channels"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_both_sides_equal_the_plain_formula(shape: tuple[int, ...], by_tokens: bool) -> None:
    features, reference = _random(*shape), _random(*shape, seed=1)
    plain_loss, plain_gradient = _plain(features, reference)

    target = SimilarityTarget.of(reference, by_tokens=by_tokens)
    loss, gradient = similarity_loss(features, target)

    assert torch.allclose(loss, plain_loss, rtol=1e-10)
    assert torch.allclose(gradient, plain_gradient, rtol=1e-9, atol=1e-10)
    assert torch.allclose(similarity_distance(features, target), plain_loss, rtol=1e-10)


@pytest.mark.parametrize("by_tokens", [True, False], ids=["tokens", "channels"])
def test_single_precision_stays_within_float_error(by_tokens: bool) -> None:
    features, reference = _random(2, 96, 64), _random(2, 96, 64, seed=1)
    plain_loss, plain_gradient = _plain(features, reference)

    target = SimilarityTarget.of(reference.float(), by_tokens=by_tokens)
    loss, gradient = similarity_loss(features.float(), target)

    assert torch.allclose(loss.double(), plain_loss, rtol=1e-5)
    error = (gradient.double() - plain_gradient).norm() / plain_gradient.norm()
    assert error < 1e-5


@pytest.mark.parametrize(("tokens", "channels", "by_tokens"), [(15, 8, True), (16, 8, False)])
def test_the_side_with_less_work_is_chosen(tokens: int, channels: int, by_tokens: bool) -> None:
    target = SimilarityTarget.of(_random(1, tokens, channels))

    assert target.by_tokens is by_tokens


def test_the_reference_itself_has_no_loss_and_no_gradient() -> None:
    reference = _random(2, 12, 6)

    loss, gradient = similarity_loss(3 * reference, SimilarityTarget.of(reference))

    assert abs(float(loss)) < 1e-10
    assert gradient.abs().max() < 1e-10


def test_several_stacks_of_frames_share_one_target() -> None:
    reference, features = _random(2, 12, 6), _random(4, 12, 6, seed=1)
    target = SimilarityTarget.of(reference)

    loss, gradient = similarity_loss(features, target)

    halves = [similarity_loss(half, target) for half in features.chunk(2)]
    assert torch.allclose(loss, halves[0][0] + halves[1][0])
    assert torch.equal(gradient, torch.cat([halves[0][1], halves[1][1]]))


def test_the_weight_scales_both_and_gradients_add_up() -> None:
    reference, features = _random(2, 12, 6), _random(2, 12, 6, seed=1)
    target = SimilarityTarget.of(reference)
    loss, gradient = similarity_loss(features, target)
    given = torch.ones_like(features)

    weighted, added = similarity_loss(features, target, weight=50, gradient=given)

    assert added is given
    assert torch.allclose(weighted, 50 * loss)
    assert torch.allclose(added, 1 + 50 * gradient)


def test_rows_of_nothing_stay_nothing() -> None:
    features = torch.zeros(1, 4, 3)

    rows, _ = unit_rows(features)
    loss, gradient = similarity_loss(features, SimilarityTarget.of(_random(1, 4, 3).float()))

    assert (rows == 0).all()
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()
