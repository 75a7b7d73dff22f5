"""LoRAs and embeddings that prompts name are looked up in folders of models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from fakes.tiny_models import LORA_UNET_LAYER, write_lora, write_model_folder
from fresco_engine.diffusion.library import Library
from fresco_engine.diffusion.lora import Lora
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.prompting.files import named_loras
from fresco_engine.errors import InvalidSettings


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A1111's folders with LoRAs called ink and Blue Wash, and an embedding called easy."""
    for name in ("models/Lora/styles", "embeddings"):
        (tmp_path / name).mkdir(parents=True)
    write_lora(tmp_path / "models" / "Lora" / "ink.safetensors")
    write_lora(tmp_path / "models" / "Lora" / "styles" / "Blue Wash.safetensors")
    torch.save({"<easy>": torch.zeros(1, 8)}, tmp_path / "embeddings" / "easy.pt")
    return Library((tmp_path,))


def test_tags_become_loras_each_once(library: Library, tmp_path: Path) -> None:
    settings = {
        "prompt": "a <lora:ink:0.8> town <lora:styles/blue wash.safetensors>",
        "negative_prompt": "easy, <easy>, embedding:easy.pt",
        "keyframe_prompts": {"3": "<lora:INK:0.2>"},
    }

    folder = tmp_path / "models" / "Lora"
    assert named_loras(settings, library) == (
        Lora(folder / "ink.safetensors", 0.8),
        Lora(folder / "styles" / "Blue Wash.safetensors", 1.0),
    )


@pytest.mark.parametrize(
    ("settings", "field", "said"),
    [
        (
            {"prompt": "<lora:inky:0.8>"},
            "prompt",
            "it names the LoRA “inky”, which lies in no model folder (near it: ink); add "
            "“inky.safetensors:0.8” as a LoRA, or leave it out",
        ),
        ({"negative_prompt": "<lora:wash>"}, "negative_prompt", "(near it: Blue Wash)"),
        ({"keyframe_prompts": {"1": "<lora:qqq>"}}, "keyframe_prompts", "folder; add"),
        ({"prompt": "<easi>"}, "prompt", "the embedding “easi”, which lies in no model folder (ne"),
        ({"prompt": "embedding:bad-hands-5"}, "prompt", "the embedding “bad-hands-5”"),
    ],
)
def test_unknown_names_are_told_with_those_near_them(
    library: Library, settings: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(InvalidSettings) as caught:
        named_loras(settings, library)

    assert caught.value.field == field
    assert said in caught.value.reason


@pytest.mark.parametrize("text", ["x < y > z", "<3", "<hypernet:a:1>", "embedding flowers", ""])
def test_plain_words_name_no_files(text: str) -> None:
    assert named_loras({"prompt": text}, Library()) == ()


def test_a_named_lora_is_added_as_a_given_one(library: Library, tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "sd", controlnet=False)
    loras = named_loras({"prompt": "<lora:ink:0.5>"}, library)

    model = load_model(folder, control="none", loras=loras, device="cpu")

    plain = load_model(folder, control="none", device="cpu")
    gained = write_lora(tmp_path / "again.safetensors")[LORA_UNET_LAYER]
    name = f"{LORA_UNET_LAYER}.weight"
    difference = model.unet.state_dict()[name] - plain.unet.state_dict()[name]
    torch.testing.assert_close(difference, 0.5 * gained, atol=1e-6, rtol=1e-5)
