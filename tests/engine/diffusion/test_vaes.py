"""Another VAE than the model's own, in every layout of files and folders."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes.tiny_models import tiny_unet, tiny_vae, write_checkpoint, write_model_folder
from fresco_engine.diffusion.library import Library
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.diffusion.vaes import load_vae
from fresco_engine.errors import ModelCorrupt, ModelNotFound, WrongModelKind
from safetensors.torch import load_file, save_file
from torch import Tensor

FORMER = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def original(folder: Path, *, prefix: str) -> dict[str, Tensor]:
    """The VAE of `tiny_vae` as the first Stable Diffusion code names it."""
    whole = load_file(write_checkpoint(folder / "whole.safetensors"))
    kept = {n.removeprefix("first_stage_model."): v for n, v in whole.items() if "first_" in n}
    return {prefix + name: value for name, value in kept.items()}


def renamed(name: str) -> str:
    for now, once in FORMER.items():
        name = name.replace(f"attentions.0.{now}.", f"attentions.0.{once}.")
    return name


def loaded(vae: Path | str, *folders: Path) -> Any:
    return load_vae(vae, Library(folders), tiny_unet())


def same(found: Any, wanted: Any) -> None:
    """Both say the same of a picture, and of latents, bit for bit."""
    assert type(found) is type(wanted)
    assert found.config.scaling_factor == wanted.config.scaling_factor
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first, second = (one.encode(picture)[0] for one in (found, wanted))
        first, second = (one if isinstance(one, Tensor) else one.mode() for one in (first, second))
        assert torch.equal(first, second)
        assert torch.equal(found.decode(first).sample, wanted.decode(second).sample)


@pytest.mark.parametrize("prefix", ["", "first_stage_model."])
def test_files_in_the_original_layout_are_read(tmp_path: Path, prefix: str) -> None:
    save_file(original(tmp_path, prefix=prefix), tmp_path / "vae.safetensors")

    same(loaded(tmp_path / "vae.safetensors"), tiny_vae())


@pytest.mark.parametrize("name", [str, renamed], ids=["now", "former names"])
def test_files_in_diffusers_layout_are_read(tmp_path: Path, name: Any) -> None:
    tensors = {name(key): value for key, value in tiny_vae().state_dict().items()}
    save_file(tensors, tmp_path / "vae.safetensors")

    same(loaded(str(tmp_path / "vae.safetensors")), tiny_vae())


def test_a_tiny_autoencoder_is_told_by_its_tensors(tmp_path: Path) -> None:
    blocks = {"num_encoder_blocks": (1, 3, 3, 3), "num_decoder_blocks": (3, 3, 3, 1)}
    taesd = tiny_vae("tiny", scaling_factor=1.0, **blocks)
    save_file(taesd.state_dict(), tmp_path / "taesd.safetensors")

    same(loaded(tmp_path / "taesd.safetensors"), taesd)


@pytest.mark.parametrize("part", ["", "vae"])
def test_folders_are_read(tmp_path: Path, part: str) -> None:
    model = write_model_folder(tmp_path / "other", controlnet=False)
    place = model if not part else model / part

    same(loaded(place), tiny_vae())


def test_it_takes_the_place_of_the_models_own(tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "sd", vae="tiny", controlnet=False)
    save_file(tiny_vae().state_dict(), tmp_path / "vae.safetensors")

    model = load_model(folder, control="none", vae=tmp_path / "vae.safetensors", device="cpu")

    assert type(model.vae) is type(tiny_vae())
    for name, value in tiny_vae().state_dict().items():
        assert torch.equal(model.vae.state_dict()[name], value)


def test_it_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "models" / "VAE").mkdir(parents=True)
    save_file(tiny_vae().state_dict(), tmp_path / "models" / "VAE" / "soft.safetensors")

    same(loaded("soft", tmp_path), tiny_vae())


def test_a_name_that_is_nowhere_is_told_with_those_near_it(tmp_path: Path) -> None:
    save_file(tiny_vae().state_dict(), tmp_path / "soft.safetensors")

    with pytest.raises(ModelNotFound, match=r"no VAE of this name .*\(near it: soft\)"):
        loaded("softer", tmp_path)


@pytest.mark.parametrize(
    ("name", "vae", "said"),
    [
        ("vae", tiny_vae(channels=16), "this VAE has 16 latent channels, and this model 4"),
        ("sdxl_vae", tiny_vae(), "made for Stable Diffusion XL"),
        ("xlVAEC", tiny_vae(), "made for Stable Diffusion XL"),
    ],
    ids=["channels", "sdxl", "xl"],
)
def test_one_with_other_latents_is_refused(tmp_path: Path, name: str, vae: Any, said: str) -> None:
    save_file(vae.state_dict(), tmp_path / f"{name}.safetensors")

    with pytest.raises(WrongModelKind, match=re.escape(said)):
        loaded(tmp_path / f"{name}.safetensors")


def test_another_scale_is_refused(tmp_path: Path) -> None:
    with quiet_libraries():
        tiny_vae(scaling_factor=0.13025).save_pretrained(tmp_path / "vae")

    with pytest.raises(WrongModelKind, match="made for Stable Diffusion XL"):
        loaded(tmp_path / "vae")


def test_a_half_one_is_told(tmp_path: Path) -> None:
    tensors = {n: v for n, v in tiny_vae().state_dict().items() if "up_blocks.1" not in n}
    save_file(tensors, tmp_path / "vae.safetensors")

    with pytest.raises(ModelCorrupt, match="do not make a complete VAE"):
        loaded(tmp_path / "vae.safetensors")


def test_other_files_are_refused_by_what_they_are(tmp_path: Path) -> None:
    save_file({"emb_params": torch.zeros(1, 4)}, tmp_path / "vae.safetensors")

    with pytest.raises(WrongModelKind, match="a textual inversion embedding, not a VAE"):
        loaded(tmp_path / "vae.safetensors")
