from collections.abc import Callable

import numpy as np
import pytest
import torch
from fresco_engine.correspondence.warp import (
    Sampling,
    mostly,
    partly,
    resize_flow,
    warp,
    warp_image,
)
from fresco_media.types import Image
from torch import Tensor

SHAPES = [(1, 3, 5, 7), (3, 4, 8, 6), (2, 5, 1, 9), (2, 5, 4, 1)]


def _random_flow(frames: int, height: int, width: int, reach: float = 4.0) -> Tensor:
    generator = torch.Generator().manual_seed(frames * height + width)
    return reach * torch.randn(frames, 2, height, width, generator=generator)


def _random(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(7), dtype=dtype)


def _tokens(maps: Tensor) -> Tensor:
    return maps.flatten(2).mT  # f n c


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_zero_flow_changes_nothing(shape: tuple[int, ...]) -> None:
    maps, still = _random(*shape), torch.zeros(shape[0], 2, *shape[2:])

    assert torch.allclose(warp(maps, still), maps, atol=1e-5)
    assert torch.equal(Sampling.of(still).apply(_tokens(maps)), _tokens(maps))


def test_warping_reads_where_the_flow_leads() -> None:
    maps = torch.arange(12.0).reshape(1, 1, 3, 4)
    flow = torch.zeros(1, 2, 3, 4)
    flow[:, 0] = 1
    flow[:, 1] = 0.5

    read = warp(maps, flow)

    assert torch.allclose(read[0, 0, :2, :3], maps[0, 0, :2, 1:] + 2, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_precomputed_sampling_equals_warping(shape: tuple[int, ...]) -> None:
    maps, flow = _random(*shape), _random_flow(shape[0], *shape[2:])

    read = Sampling.of(flow).apply(_tokens(maps))

    assert torch.allclose(read, _tokens(warp(maps, flow)), atol=2e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_adjoint_is_the_exact_transpose(shape: tuple[int, ...]) -> None:
    sampling = Sampling.of(_random_flow(shape[0], *shape[2:]))
    frames, channels, height, width = shape
    x = _random(frames, height * width, channels, dtype=torch.float64)
    y = torch.flip(x, [1]).square() - 0.3

    there = (sampling.apply(x) * y).sum()
    back = (x * sampling.adjoint(y)).sum()

    assert torch.allclose(there, back, rtol=1e-12)


def test_the_adjoint_is_the_gradient_of_warping() -> None:
    maps = _random(2, 3, 6, 5).requires_grad_()
    flow = _random_flow(2, 6, 5)
    slope = torch.ones(2, 3, 6, 5).cumsum(-1)
    warp(maps, flow).backward(slope)

    spread = Sampling.of(flow).adjoint(_tokens(slope))

    assert maps.grad is not None
    assert torch.allclose(spread, _tokens(maps.grad), atol=1e-4)


def test_a_source_order_joins_rolling_round_the_ring_with_warping() -> None:
    x, flow = _random(3, 20, 4), _random_flow(3, 4, 5)

    read = Sampling.of(flow, torch.tensor([1, 2, 0])).apply(x)

    assert torch.equal(read, Sampling.of(flow).apply(x.roll(-1, 0)))


def test_repeats_sample_every_stack_alike() -> None:
    x, flow = _random(4, 20, 3), _random_flow(2, 4, 5)

    sampling = Sampling.of(flow, repeats=2)

    once = Sampling.of(flow)
    assert torch.equal(sampling.apply(x), torch.cat([once.apply(x[:2]), once.apply(x[2:])]))
    assert torch.equal(sampling.adjoint(x), torch.cat([once.adjoint(x[:2]), once.adjoint(x[2:])]))


def test_picture_and_tensor_warps_agree(texture: Callable[..., Image]) -> None:
    picture = texture(24, 32)
    flow = _random_flow(1, 24, 32, reach=2.0)

    by_picture = warp_image(picture, flow[0].permute(1, 2, 0).numpy())

    by_tensor = warp(torch.from_numpy(picture).permute(2, 0, 1)[None].float(), flow)[0]
    # OpenCV rounds positions to 1/32 of a pixel.
    assert np.abs(by_picture - by_tensor.permute(1, 2, 0).numpy()).mean() < 1


def test_a_resized_flow_leads_to_the_same_places() -> None:
    flow = torch.zeros(1, 2, 16, 32)
    flow[:, 0], flow[:, 1] = 8, 4

    small, large = resize_flow(flow, 4, 4), resize_flow(flow, 32, 64)

    assert torch.equal(small, torch.tensor([1.0, 1.0]).reshape(1, 2, 1, 1).expand(1, 2, 4, 4))
    assert torch.equal(large, torch.tensor([16.0, 8.0]).reshape(1, 2, 1, 1).expand(1, 2, 32, 64))


def test_a_cell_is_mostly_hidden_or_partly() -> None:
    hidden = torch.zeros(1, 4, 8, dtype=torch.bool)
    hidden[0, :2, :4] = True
    hidden[0, :3, 4:] = True

    hidden = torch.cat([hidden, torch.zeros_like(hidden)])

    assert mostly(hidden, 1, 2).tolist() == [[[False, True]], [[False, False]]]
    assert partly(hidden, 1, 2).tolist() == [[[True, True]], [[False, False]]]
