"""Weights of GMFlow that need no download: random ones, the same everywhere, and made ones."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
import torch
from fresco_engine.correspondence.gmflow.network import GmFlowNetwork
from fresco_media.types import Image
from torch import Tensor

_Shapes = Mapping[str, tuple[int, ...]]


def shapes_of(network: GmFlowNetwork) -> _Shapes:
    """What its weights are called, and their shapes."""
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def random_weights(shapes: _Shapes) -> dict[str, Tensor]:
    """Float64 weights that depend on names and shapes alone.

    Messages of the transformer are small against what they are added to: otherwise so many layers
    of noise make every rounding a thousand times larger.
    """
    made: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        # This generator's numbers never change, as newer ones' may.
        random = np.random.RandomState(zlib.crc32(name.encode()))
        numbers = random.standard_normal(shape)
        if len(shape) > 1:
            made[name] = torch.from_numpy(numbers / np.sqrt(np.prod(shape[1:])))
        else:
            middle = 0.1 if ".norm" in name and name.endswith("weight") else 0
            made[name] = torch.from_numpy(middle + 0.05 * numbers)
    return made


def random_pictures(count: int, height: int, width: int) -> list[Image]:
    """Noise, the same everywhere."""
    random = np.random.RandomState(height * width)
    return list(random.randint(0, 256, (count, height, width, 3)).astype(np.uint8))


def random_network() -> GmFlowNetwork:
    """GMFlow with random weights."""
    network = GmFlowNetwork()
    network.load_state_dict(random_weights(shapes_of(network)))
    return network


def matching_network() -> GmFlowNetwork:
    """GMFlow that only matches what looks alike, by features of random convolutions.

    No messages are sent, every place keeps its own flow, and pixels that of their place.
    """
    network = GmFlowNetwork()
    weights = random_weights(shapes_of(network))
    for name, value in weights.items():
        if name.startswith(("transformer.", "upsampler.", "feature_flow_attn.")):
            value.zero_()
    weights["backbone.conv2.weight"] *= 30
    for name in ("q_proj", "k_proj"):
        weights[f"feature_flow_attn.{name}.weight"].fill_diagonal_(1)
    weights["upsampler.2.bias"].view(9, 64)[4] = 50
    network.load_state_dict(weights)
    return network
