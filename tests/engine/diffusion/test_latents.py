"""Encoding and decoding with both classes of VAE."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes.tiny_models import VaeKind, tiny_vae, write_model_folder
from fresco_engine.diffusion import latents as module
from fresco_engine.diffusion.cost import PeakMemory
from fresco_engine.diffusion.latents import decode_latents, encode_images
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.quiet import quiet_libraries
from torch import Tensor


def load(folder: Path, kind: VaeKind, channels: int) -> Model:
    """A small model with the wanted kind of VAE."""
    write_model_folder(folder, vae=kind, channels=channels, controlnet=False)
    return load_model(folder, control="none")


@pytest.fixture(scope="module")
def kl(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model with Stable Diffusion's VAE, which describes a distribution."""
    return load(tmp_path_factory.mktemp("model") / "kl", "kl", 4)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model with a small VAE of 16 channels."""
    return load(tmp_path_factory.mktemp("model") / "tiny", "tiny", 16)


@pytest.fixture
def images() -> Tensor:
    """Two pictures of 40 by 64 pixels."""
    return torch.rand(2, 3, 40, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_latents_have_the_models_channels_and_an_eighth_of_the_size(
    kl: Model, tiny: Model, images: Tensor
) -> None:
    assert encode_images(kl, images).shape == (2, 4, 5, 8)
    assert encode_images(tiny, images).shape == (2, 16, 5, 8)


def test_a_distribution_gives_its_scaled_mode(kl: Model, images: Tensor) -> None:
    latents = encode_images(kl, images)

    wanted = tiny_vae("kl").encode(images).latent_dist.mode() * 0.18215
    torch.testing.assert_close(latents, wanted)


def test_a_small_vae_gives_its_scaled_latents(tiny: Model, images: Tensor) -> None:
    latents = encode_images(tiny, images)

    torch.testing.assert_close(latents, tiny_vae("tiny", 16).encode(images).latents * 2.5)


def test_decoding_undoes_the_scale(tiny: Model) -> None:
    latents = torch.randn(2, 16, 5, 8, generator=torch.Generator().manual_seed(1))

    pictures = decode_latents(tiny, latents)

    wanted = tiny_vae("tiny", 16).decode(latents / 2.5).sample.clamp(-1, 1)
    torch.testing.assert_close(pictures, wanted)


def test_a_shift_is_taken_off_and_put_back(tmp_path: Path, images: Tensor) -> None:
    model = load(tmp_path / "kl", "kl", 4)
    latents = encode_images(model, images)
    pictures = decode_latents(model, latents)

    model.vae.register_to_config(shift_factor=0.5)

    shifted = encode_images(model, images)
    torch.testing.assert_close(shifted, latents - 0.5 * 0.18215)
    torch.testing.assert_close(decode_latents(model, shifted), pictures)


def test_frames_are_coded_one_by_one(kl: Model, images: Tensor) -> None:
    seen: list[int] = []
    handle = kl.vae.encoder.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))

    encode_images(kl, images)

    handle.remove()
    assert seen == [1, 1]


def test_decoded_pictures_stay_in_range(kl: Model) -> None:
    latents = 100 * torch.randn(1, 4, 5, 8, generator=torch.Generator().manual_seed(2))

    pictures = decode_latents(kl, latents)

    assert pictures.abs().max() == 1


def test_a_vae_that_overflows_in_half_precision_decodes_in_full(tmp_path: Path) -> None:
    model = load(tmp_path / "kl", "kl", 4)
    dict(model.vae.named_parameters())["decoder.conv_in.weight"].mul_(1e5)
    latents = torch.randn(1, 4, 2, 2, generator=torch.Generator().manual_seed(3))
    wanted = decode_latents(model, latents)

    with quiet_libraries():
        model.vae.half()

    pictures = decode_latents(model, latents)
    assert model.vae.dtype == torch.float32
    torch.testing.assert_close(pictures, wanted, atol=0.02, rtol=0)


def test_tiles_take_less_memory_and_are_the_librarys(
    kl: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TILE", 64)
    tiled = replace(kl, is_tiled=True)
    images = torch.linspace(-0.8, 0.8, 256).expand(1, 3, 192, 256)

    with PeakMemory() as in_whole:
        whole = decode_latents(kl, encode_images(kl, images))
    with PeakMemory() as in_tiles:
        latents = encode_images(tiled, images)
        pictures = decode_latents(tiled, latents)

    assert in_tiles.peak < 0.6 * in_whole.peak
    vae: Any = tiny_vae("kl")
    vae.tile_sample_min_size, vae.tile_latent_min_size = 64, 8
    vae.enable_tiling()
    wanted = vae.encode(images).latent_dist.mode() * 0.18215
    torch.testing.assert_close(latents, wanted, atol=1e-3, rtol=0)
    wanted = vae.decode(latents / 0.18215).sample.clamp(-1, 1)
    torch.testing.assert_close(pictures, wanted, atol=1e-3, rtol=0)
    # Whoever else uses the same network has it whole.
    assert torch.equal(decode_latents(kl, encode_images(kl, images)), whole)


def test_tiles_are_for_what_they_help(kl: Model, tiny: Model) -> None:
    assert module.can_be_tiled(kl, 512, 768)
    assert not module.can_be_tiled(kl, 512, 512)
    assert not module.can_be_tiled(replace(kl, is_tiled=True), 512, 768)
    assert not module.can_be_tiled(tiny, 512, 768)
