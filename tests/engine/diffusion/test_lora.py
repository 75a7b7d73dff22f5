"""LoRA files through the real loaders."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from fakes.tiny_models import (
    LORA_TEXT_LAYERS,
    LORA_UNET_LAYER,
    tiny_controlnet,
    tiny_text_encoder,
    tiny_unet,
    write_lora,
)
from fresco_engine.diffusion.lora import Lora, fuse_lora
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.errors import (
    InvalidSettings,
    ModelCorrupt,
    ModelNotFound,
    WrongModelKind,
)
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


@pytest.mark.parametrize(
    ("text", "path", "weight"),
    [
        ("ink.safetensors", "ink.safetensors", 1.0),
        ("ink.safetensors:0.8", "ink.safetensors", 0.8),
        ("ink.safetensors:0,8", "ink.safetensors", 0.8),
        ("ink.safetensors:-1", "ink.safetensors", -1.0),
        ("/models/a b/ink.safetensors:.5", "/models/a b/ink.safetensors", 0.5),
        (r"C:\models\ink.safetensors", r"C:\models\ink.safetensors", 1.0),
        (r"C:\models\ink.safetensors:0.8", r"C:\models\ink.safetensors", 0.8),
        ("C:/models/ink.safetensors", "C:/models/ink.safetensors", 1.0),
        ("take:2/ink.safetensors", "take:2/ink.safetensors", 1.0),
    ],
)
def test_a_lora_is_parsed_from_its_file_and_weight(text: str, path: str, weight: float) -> None:
    assert Lora.parse(text) == Lora(Path(path), weight)


@pytest.mark.parametrize(
    "text", ["", ":0.8", "ink.safetensors:", "ink.safetensors:strong", "ink:nan"]
)
def test_a_text_that_is_no_lora_is_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match="lora"):
        Lora.parse(text)


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


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_lora_with_values_that_are_no_numbers_is_refused(tmp_path: Path, value: float) -> None:
    path = tmp_path / "ink.safetensors"
    write_lora(path)
    tensors = load_file(path)
    next(iter(tensors.values())).view(-1)[0] = value
    save_file(tensors, path)

    with pytest.raises(ModelCorrupt, match="no numbers"):
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
