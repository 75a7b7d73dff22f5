"""Weights begin in memory where the processor's kernels want them to."""

from __future__ import annotations

import pytest
import torch
from fresco_engine.diffusion.memory import aligned
from torch import nn


def unaligned(values: torch.Tensor) -> torch.Tensor:
    """The same numbers one place behind a boundary."""
    room = torch.empty(values.numel() + 32, dtype=values.dtype)
    first = (-room.data_ptr() // values.element_size()) % 16 + 1
    moved = room[first : first + values.numel()].view_as(values)
    return moved.copy_(values)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_that_lie_anywhere_are_moved_and_others_stay(dtype: torch.dtype) -> None:
    network = nn.Linear(8, 8).to(dtype)
    weights, stays = network.weight.detach().clone(), network.bias.data_ptr()
    network.weight.data = unaligned(weights)
    assert network.weight.data_ptr() % 64

    assert aligned(network) is network

    assert not network.weight.data_ptr() % 64
    assert network.bias.data_ptr() == stays
    assert torch.equal(network.weight, weights)
    assert isinstance(network.weight, nn.Parameter)


def test_a_network_without_numbers_stays_without() -> None:
    network = nn.Linear(8, 8, device="meta")

    aligned(network)

    assert network.weight.is_meta
