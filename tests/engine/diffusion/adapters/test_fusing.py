"""LoRA files through the real loaders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from fakes.tiny_models import (
    LORA_TEXT_LAYERS,
    LORA_UNET_LAYER,
    WIDTHS,
    original_unet_name,
    tiny_controlnet,
    tiny_text_encoder,
    tiny_unet,
    write_lora,
)
from fresco_engine.diffusion.adapters.fusing import fuse_lora
from fresco_engine.diffusion.lora import Lora
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.errors import (
    ModelCorrupt,
    ModelError,
    ModelNotFound,
    WrongModelKind,
)
from safetensors.torch import load_file, save, save_file
from torch import Tensor, nn


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
@pytest.mark.parametrize("weight", [1.0, 0.5])
def test_fusing_adds_the_weighted_product_to_the_layers_it_names(
    tmp_path: Path, layout: Literal["kohya", "diffusers"], weight: float
) -> None:
    gains = write_lora(tmp_path / "ink.safetensors", layout=layout)
    unet, text_encoder = networks()

    fused(Lora(tmp_path / "ink.safetensors", weight), unet, text_encoder)

    for network, plain, layers in (
        (unet, networks()[0], [LORA_UNET_LAYER]),
        (text_encoder, networks()[1], LORA_TEXT_LAYERS),
    ):
        wanted = dict(plain.state_dict())
        for layer in layers:
            wanted[name_of(plain, layer)] = weight_of(plain, layer) + weight * gains[layer]
        torch.testing.assert_close(dict(network.state_dict()), wanted)


def test_fused_layers_are_plain_linear_layers_again(tmp_path: Path) -> None:
    write_lora(tmp_path / "ink.safetensors")
    unet, text_encoder = networks()

    fused(Lora(tmp_path / "ink.safetensors"), unet, text_encoder)

    for network, plain in zip((unet, text_encoder), networks(), strict=True):
        kinds = [(name, type(module)) for name, module in network.named_modules()]
        assert kinds == [(name, type(module)) for name, module in plain.named_modules()]


def test_two_loras_add_up(tmp_path: Path) -> None:
    gains = write_lora(tmp_path / "ink.safetensors")
    unet, text_encoder = networks()

    for weight in (0.25, 0.5):
        fused(Lora(tmp_path / "ink.safetensors", weight), unet, text_encoder)

    wanted = weight_of(networks()[0], LORA_UNET_LAYER) + 0.75 * gains[LORA_UNET_LAYER]
    torch.testing.assert_close(weight_of(unet, LORA_UNET_LAYER), wanted)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no such LoRA file"):
        fused(Lora(tmp_path / "nothing.safetensors"), *networks())
    with pytest.raises(ModelNotFound, match="this is a folder; name the LoRA's"):
        fused(Lora(tmp_path), *networks())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the file is empty; download it again"),
        (save({}), "the file holds no weights at all; download it again or choose another one"),
        (
            save({"something.else": torch.zeros(2)}),
            r"nothing in this file is known here; choose a LoRA for Stable Diffusion 1\.x",
        ),
    ],
    ids=["empty", "no tensors", "unknown names"],
)
def test_a_file_with_nothing_to_add_is_refused(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)

    with pytest.raises(ModelError, match=sentence):
        fuse_lora(Lora(path), nn.Module(), nn.Module())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_lora_with_values_that_are_no_numbers_is_refused(tmp_path: Path, value: float) -> None:
    path = tmp_path / "ink.safetensors"
    write_lora(path)
    tensors = load_file(path)
    next(iter(tensors.values())).view(-1)[0] = value
    save_file(tensors, path)

    with pytest.raises(ModelCorrupt, match="no numbers"):
        fused(Lora(path), *networks())


@pytest.mark.parametrize("precision", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_a_lora_of_eight_bits_is_added(tmp_path: Path, precision: torch.dtype) -> None:
    path = tmp_path / "ink.safetensors"
    write_lora(path)
    stored = {name: one.to(precision) for name, one in load_file(path).items()}
    save_file(stored, path)
    unet, text_encoder = networks()
    before = weight_of(unet, LORA_UNET_LAYER).clone()

    fused(Lora(path), unet, text_encoder)

    name = "lora_unet_" + LORA_UNET_LAYER.replace(".", "_")
    up, down = (stored[f"{name}.lora_{way}.weight"].float() for way in ("up", "down"))
    torch.testing.assert_close(weight_of(unet, LORA_UNET_LAYER), before + 0.5 * up @ down)


def test_an_alpha_of_several_numbers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ink.safetensors"
    write_lora(path)
    name = f"lora_unet_{LORA_UNET_LAYER.replace('.', '_')}.alpha"
    save_file({**load_file(path), name: torch.ones(3)}, path)

    with pytest.raises(WrongModelKind):
        fused(Lora(path), *networks())


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ink.safetensors"
    write_lora(path)
    path.write_bytes(path.read_bytes()[:-9])

    with pytest.raises(ModelCorrupt, match="download it again"):
        fused(Lora(path), *networks())


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ink.pt"
    path.write_bytes(b"\x80\x04.")

    with pytest.raises(WrongModelKind, match="can run code"):
        fused(Lora(path), *networks())


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "control.safetensors"
    save_file(tiny_controlnet(tiny_unet()).state_dict(), path)

    with pytest.raises(WrongModelKind, match="this is a ControlNet, not a LoRA"):
        fused(Lora(path), *networks())


@pytest.mark.parametrize("layer", [LORA_UNET_LAYER, "down_blocks.7.attentions.0.proj_in"])
def test_a_lora_for_another_network_is_refused(tmp_path: Path, layer: str) -> None:
    tensors = {
        f"unet.{layer}.lora_A.weight": torch.zeros(2, 640),
        f"unet.{layer}.lora_B.weight": torch.zeros(640, 2),
    }
    save_file(tensors, tmp_path / "xl.safetensors")

    with pytest.raises(WrongModelKind, match="does not fit"):
        fused(Lora(tmp_path / "xl.safetensors"), *networks())


def networks() -> tuple[Any, Any]:
    """A U-Net and a text encoder, the same every time."""
    return tiny_unet(), tiny_text_encoder(60)


def fused(lora: Lora, unet: Any, text_encoder: nn.Module) -> None:
    """Fuses as loading a model does, with the libraries silenced."""
    with quiet_libraries():
        fuse_lora(lora, unet, text_encoder)


def name_of(network: nn.Module, layer: str) -> str:
    """The name of a layer's weight, whichever level the library keeps text layers on."""
    return next(name for name, _ in network.named_parameters() if f"{layer}.weight" in name)


def weight_of(network: nn.Module, layer: str) -> Tensor:
    """The weight of a layer."""
    return network.state_dict()[name_of(network, layer)]


def test_a_lora_in_the_first_codes_names_is_added(tmp_path: Path) -> None:
    unet, text_encoder = networks()
    name = original_unet_name(f"{LORA_UNET_LAYER}.weight").removesuffix(".weight")
    down, up = torch.ones(2, WIDTHS[0]), torch.full((WIDTHS[0], 2), 0.5)
    prefix = f"lora_unet_{name.replace('.', '_')}"
    tensors = {f"{prefix}.lora_down.weight": down, f"{prefix}.lora_up.weight": up}
    save_file(tensors, tmp_path / "ink.safetensors")

    fused(Lora(tmp_path / "ink.safetensors", 0.5), unet, text_encoder)

    wanted = weight_of(networks()[0], LORA_UNET_LAYER) + 0.5 * up @ down
    torch.testing.assert_close(weight_of(unet, LORA_UNET_LAYER), wanted)


@pytest.mark.parametrize("where", ["metadata", "beside"])
@pytest.mark.parametrize(("rslora", "scale"), [(False, 4 / 2), (True, 4 / 2**0.5)])
def test_what_peft_says_of_the_scale_counts(
    tmp_path: Path, where: str, rslora: bool, scale: float
) -> None:
    unet, text_encoder = networks()
    down, up = torch.ones(2, WIDTHS[0]), torch.full((WIDTHS[0], 2), 0.5)
    tensors = {
        f"unet.{LORA_UNET_LAYER}.lora_A.weight": down,
        f"unet.{LORA_UNET_LAYER}.lora_B.weight": up,
    }
    said = {"lora_alpha": 4, "r": 2, "use_rslora": rslora}
    metadata: dict[str, str] = {}
    if where == "metadata":
        of_unet = {f"unet.{name}": value for name, value in said.items()}
        metadata = {"lora_adapter_metadata": json.dumps(of_unet)}
    else:
        (tmp_path / "adapter_config.json").write_text(json.dumps(said), "utf-8")
    save_file(tensors, tmp_path / "adapter_model.safetensors", metadata)

    fused(Lora(tmp_path / "adapter_model.safetensors"), unet, text_encoder)

    wanted = weight_of(networks()[0], LORA_UNET_LAYER) + scale * up @ down
    torch.testing.assert_close(weight_of(unet, LORA_UNET_LAYER), wanted)


def test_a_variant_that_is_not_read_is_named(tmp_path: Path) -> None:
    name = f"lora_unet_{LORA_UNET_LAYER.replace('.', '_')}.oft_blocks"
    save_file({name: torch.zeros(4, 8, 8)}, tmp_path / "turned.safetensors")

    with pytest.raises(WrongModelKind, match=r"not read here \(oft_blocks\); use a LoRA"):
        fused(Lora(tmp_path / "turned.safetensors"), *networks())


def test_a_lora_with_a_second_text_encoder_is_refused(tmp_path: Path) -> None:
    name = "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight"
    save_file({name: torch.zeros(4, 8)}, tmp_path / "xl.safetensors")

    with pytest.raises(WrongModelKind, match="such as XL"):
        fused(Lora(tmp_path / "xl.safetensors"), *networks())


def test_a_lora_that_fits_in_part_is_refused(tmp_path: Path) -> None:
    write_lora(tmp_path / "ink.safetensors")
    tensors = load_file(tmp_path / "ink.safetensors")
    tensors["lora_unet_conv_out.lora_down.weight"] = torch.ones(2, 7, 3, 3)
    tensors["lora_unet_conv_out.lora_up.weight"] = torch.ones(4, 2, 1, 1)
    save_file(tensors, tmp_path / "ink.safetensors")
    unet, text_encoder = networks()

    with pytest.raises(WrongModelKind, match="does not fit"):
        fused(Lora(tmp_path / "ink.safetensors"), unet, text_encoder)


def test_another_files_configuration_changes_nothing(tmp_path: Path) -> None:
    gains = write_lora(tmp_path / "ink.safetensors", layout="diffusers")
    (tmp_path / "adapter_config.json").write_text('{"lora_alpha": 64}', "utf-8")
    unet, text_encoder = networks()

    fused(Lora(tmp_path / "ink.safetensors"), unet, text_encoder)

    wanted = weight_of(networks()[0], LORA_UNET_LAYER) + gains[LORA_UNET_LAYER]
    torch.testing.assert_close(weight_of(unet, LORA_UNET_LAYER), wanted)


def test_a_damaged_configuration_is_a_sentence(tmp_path: Path) -> None:
    write_lora(tmp_path / "adapter_model.safetensors", layout="diffusers")
    (tmp_path / "adapter_config.json").write_text("{", "utf-8")

    with pytest.raises(ModelCorrupt, match="get the model again"):
        fused(Lora(tmp_path / "adapter_model.safetensors"), *networks())
