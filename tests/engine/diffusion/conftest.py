"""Small models and correspondences that the tests of the diffusion side share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from fresco_engine.correspondence.batch import BatchCorrespondence, correspond
from fresco_engine.correspondence.flow import DisFlow
from fresco_media.types import Image

from tests.engine.diffusion.batches import moving

MakeUNet = Callable[..., UNet2DConditionModel]
MakeCorrespondence = Callable[..., BatchCorrespondence]


def _make_unet(**changes: object) -> UNet2DConditionModel:
    """A Stable-Diffusion-shaped U-Net with four levels, small, with random weights."""
    config = {
        "sample_size": 16,
        "block_out_channels": (16, 16, 32, 32),
        "layers_per_block": 1,
        "cross_attention_dim": 16,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return UNet2DConditionModel(**{**config, **changes}).eval().requires_grad_(False)


@pytest.fixture(scope="session")
def make_unet() -> MakeUNet:
    """Makes small U-Nets; keywords change their configuration."""
    return _make_unet


@pytest.fixture(scope="session")
def tiny_unet() -> UNet2DConditionModel:
    """A small U-Net to be used, guided and left as it was."""
    return _make_unet()


def _make_correspondence(
    frames: int, height: int, width: int, *, motion: float = 1.5, hidden: float = 0.2
) -> BatchCorrespondence:
    """Random flow of about `motion` pixels, with a share of `hidden` pixels occluded."""
    random = torch.Generator().manual_seed(frames * height + width)

    def flow() -> torch.Tensor:
        return motion * torch.randn(frames, 2, height, width, generator=random)

    def chance() -> torch.Tensor:
        return torch.rand(frames, height, width, generator=random) < hidden

    colours = torch.rand(frames, 3, height, width, generator=random)
    ahead, behind = chance(), chance()
    return BatchCorrespondence(flow(), flow(), ahead, behind, chance(), colours, ahead, behind)


@pytest.fixture(scope="session")
def make_correspondence() -> MakeCorrespondence:
    """Makes correspondences of random flow for frames of a height and width."""
    return _make_correspondence


@pytest.fixture(scope="module")
def images() -> tuple[Image, ...]:
    """Three small frames that move."""
    return moving()


@pytest.fixture(scope="module")
def correspondence(images: tuple[Image, ...]) -> BatchCorrespondence:
    """Of `images`, also where a module has others."""
    return correspond(images, DisFlow())
