"""Files of Stable Diffusion XL's kind, and those of other kinds beside a model of that shape."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from fresco_engine.diffusion.card import ModelCard
from fresco_engine.diffusion.catalogue import list_models
from fresco_engine.diffusion.controlnets import ControlPlaces, find_controlnet, load_controlnet
from fresco_engine.diffusion.latents import vae_dtype
from fresco_engine.diffusion.library import NO_LIBRARY
from fresco_engine.diffusion.lora import Lora
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.prompting.encoding import encode_words
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.diffusion.sources import has_weights
from fresco_engine.diffusion.vaes import load_vae
from fresco_engine.errors import ControlUnavailable, ModelCorrupt, WrongModelKind
from fresco_engine.settings import ControlKind
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.fakes.tiny_models import tiny_controlnet, tiny_unet, tiny_vae, write_lora
from tests.fakes.tiny_xl import (
    TEXT_WIDTHS,
    WIDTHS,
    original_xl_name,
    tiny_xl_unet,
    write_xl_checkpoint,
    write_xl_folder,
)

NETWORKS = ("unet", "vae", "text_encoder", "text_encoder_2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_xl_folder(tmp_path_factory.mktemp("xl") / "base")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_xl_checkpoint(tmp_path_factory.mktemp("file") / "base.safetensors")


def loaded(source: Path, **options: Any) -> Model:
    return load_model(source, control="none", device="cpu", **options)


def weights(model: Model) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name in NETWORKS:
        network: Any = getattr(model, name)
        found |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
    return found


def test_one_file_is_the_same_model_as_the_folder(folder: Path, file: Path) -> None:
    from_folder, from_file = loaded(folder), loaded(file)

    expected, found = weights(from_folder), weights(from_file)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    described, read = (dict(one.unet.config) for one in (from_folder, from_file))
    for name in ("addition_time_embed_dim", "attention_head_dim", "transformer_layers_per_block"):
        assert read[name] == described[name]
    assert from_file.vae.config["scaling_factor"] == 0.13025
    assert from_file.zeros_no_words


def test_one_file_reads_prompts_as_the_folder_does(folder: Path, file: Path) -> None:
    read, expected = (encode_words(loaded(one), ["a blue dog", ""]) for one in (file, folder))

    assert torch.equal(read.states, expected.states)
    assert read.pooled is not None
    assert expected.pooled is not None
    assert torch.equal(read.pooled, expected.pooled)


def test_one_file_without_a_tensor_is_told(file: Path, tmp_path: Path) -> None:
    tensors = load_file(file)
    del tensors["conditioner.embedders.1.model.text_projection"]
    save_file(tensors, tmp_path / "half.safetensors")

    with pytest.raises(ModelCorrupt, match="do not make a complete model"):
        loaded(tmp_path / "half.safetensors")


def test_both_are_listed(folder: Path, file: Path) -> None:
    names = [entry.name for place in (folder, file) for entry in list_models([place.parent])]

    assert str(folder) in names
    assert "base" in names


def test_without_its_second_text_encoder_a_folder_is_incomplete(tmp_path: Path) -> None:
    folder = write_xl_folder(tmp_path / "base")
    assert has_weights(folder)

    (folder / "text_encoder_2" / "model.safetensors").unlink()

    assert not has_weights(folder)


def test_text_encoders_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    folder = write_xl_folder(tmp_path / "base")
    with quiet_libraries():
        tiny_xl_unet(cross_attention_dim=TEXT_WIDTHS[1]).save_pretrained(folder / "unet")

    with pytest.raises(WrongModelKind, match="does not fit its text encoders"):
        loaded(folder)


OF_UNET = "down_blocks.2.attentions.0.transformer_blocks.1.attn1.to_q"
OF_TEXT = "encoder.layers.1.self_attn.q_proj"


def _named(
    before: dict[str, str], unet: str, text: str, ends: tuple[str, str]
) -> dict[str, list[str]]:
    layers = {owner: unet if owner == "unet" else text for owner in before}
    return {
        owner: [f"{before[owner]}{layers[owner]}.{end}.weight" for end in ends] for owner in before
    }


LAYERS = {
    "kohya": _named(
        {"unet": "lora_unet_", "text_encoder": "lora_te1_", "text_encoder_2": "lora_te2_"},
        original_xl_name(f"{OF_UNET}.weight").removesuffix(".weight").replace(".", "_"),
        f"text_model.{OF_TEXT}".replace(".", "_"),
        ("lora_down", "lora_up"),
    ),
    "diffusers": _named(
        {"unet": "unet.", "text_encoder": "text_encoder.", "text_encoder_2": "text_encoder_2."},
        OF_UNET,
        f"text_model.{OF_TEXT}",
        ("lora_A", "lora_B"),
    ),
}


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
def test_a_lora_changes_all_three_networks(folder: Path, tmp_path: Path, layout: str) -> None:
    random = torch.Generator().manual_seed(2)
    widths = {"unet": WIDTHS[2], "text_encoder": TEXT_WIDTHS[0], "text_encoder_2": TEXT_WIDTHS[1]}
    pairs = {
        owner: [torch.randn(2, width, generator=random), torch.randn(width, 2, generator=random)]
        for owner, width in widths.items()
    }
    names = LAYERS[layout]
    tensors = {names[owner][0]: down for owner, (down, _) in pairs.items()}
    tensors |= {names[owner][1]: up for owner, (_, up) in pairs.items()}
    save_file(tensors, tmp_path / "ink.safetensors")

    changed = weights(loaded(folder, loras=[Lora(tmp_path / "ink.safetensors", 0.5)]))

    for name, plain in weights(loaded(folder)).items():
        owner, _, layer = name.partition(".")
        is_meant = layer.removeprefix("text_model.") in (f"{OF_UNET}.weight", f"{OF_TEXT}.weight")
        down, up = pairs.get(owner, (torch.zeros(1), torch.zeros(1)))
        expected = plain + 0.5 * up @ down if is_meant else plain
        torch.testing.assert_close(changed[name], expected)


def test_a_lora_for_the_first_kind_is_refused(folder: Path, tmp_path: Path) -> None:
    write_lora(tmp_path / "ink.safetensors")

    with pytest.raises(WrongModelKind, match=r"such as 1\.x; use one made for Stable Diffusion XL"):
        loaded(folder, loras=[Lora(tmp_path / "ink.safetensors")])


@pytest.mark.parametrize("is_file", [True, False], ids=["a file", "a folder"])
@pytest.mark.parametrize("is_xl", [True, False], ids=["with XL", "with 1.x"])
def test_a_controlnet_for_the_other_kind_is_refused(
    tmp_path: Path, is_file: bool, is_xl: bool
) -> None:
    unet, other = (tiny_xl_unet(), tiny_unet()) if is_xl else (tiny_unet(), tiny_xl_unet())

    path = written_controlnet(other, tmp_path, is_file=is_file)

    with pytest.raises(WrongModelKind, match="made for another kind of model; give one made for"):
        load_controlnet(path, unet, torch.float32)


@pytest.mark.parametrize("is_file", [True, False], ids=["a file", "a folder"])
@pytest.mark.parametrize("layers", [[1, 1, 2], [1, 1, 1]], ids=["whole", "small"])
def test_a_controlnet_of_any_depth_is_loaded(
    tmp_path: Path, is_file: bool, layers: list[int]
) -> None:
    path = written_controlnet(
        tiny_xl_unet(transformer_layers_per_block=layers), tmp_path, is_file=is_file
    )

    network = load_controlnet(path, tiny_xl_unet(), torch.float32)

    expected = tiny_controlnet(tiny_xl_unet(transformer_layers_per_block=layers)).state_dict()
    found = network.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert network.config["addition_embed_type"] == "text_time"


def written_controlnet(unet: Any, folder: Path, *, is_file: bool) -> Path:
    network = tiny_controlnet(unet)
    if is_file:
        save_file(network.state_dict(), folder / "control.safetensors")
        return folder / "control.safetensors"
    with quiet_libraries():
        network.save_pretrained(folder / "control")
    return folder / "control"


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("canny", "hf download diffusers/controlnet-canny-sdxl-1.0"),
        ("hed", "the model has no ControlNet for hed"),
    ],
)
def test_the_hubs_controlnets_for_it_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: ControlKind, told: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    widths = {"block_out_channels": [320, 640, 1280], "cross_attention_dim": 2048}
    unet = SimpleNamespace(config={"in_channels": 4, "layers_per_block": 2, **widths})
    places = ControlPlaces(tmp_path, ModelCard(name="xl"), offline=True)

    with pytest.raises(ControlUnavailable, match=told):
        find_controlnet(kind, places, unet)


def test_another_vae_in_a_file_has_its_scale(tmp_path: Path) -> None:
    save_file(tiny_vae().state_dict(), tmp_path / "sdxl_vae.safetensors")

    vae = load_vae(tmp_path / "sdxl_vae.safetensors", NO_LIBRARY, tiny_xl_unet())

    assert vae.config["scaling_factor"] == 0.13025


@pytest.mark.parametrize("name", ["vae-ft-mse-840000", "folder"])
def test_a_vae_of_the_first_kind_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "folder":
        with quiet_libraries():
            tiny_vae().save_pretrained(path)
    else:
        path = path.with_suffix(".safetensors")
        save_file(tiny_vae().state_dict(), path)

    with pytest.raises(WrongModelKind, match=r"made for Stable Diffusion 1\.x.*made for .* XL"):
        load_vae(path, NO_LIBRARY, tiny_xl_unet())


def test_a_vae_that_overflows_works_in_float32() -> None:
    overflowing, mended = tiny_vae(force_upcast=True), tiny_vae(force_upcast=False)

    assert vae_dtype(overflowing, torch.float16, is_xl=True) == torch.float32
    assert vae_dtype(overflowing, torch.bfloat16, is_xl=True) == torch.bfloat16
    assert vae_dtype(mended, torch.float16, is_xl=True) == torch.float16
    assert vae_dtype(overflowing, torch.float16, is_xl=False) == torch.float16
