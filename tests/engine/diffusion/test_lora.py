"""What a user writes of a LoRA."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresco_engine.diffusion.lora import Lora
from fresco_engine.errors import InvalidSettings


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
