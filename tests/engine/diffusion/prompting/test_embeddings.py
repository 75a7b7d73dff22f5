"""Textual inversion from files as A1111 and diffusers write them, used by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from fakes.tiny_models import TEXT_WIDTH, TOKENS, write_model_folder
from fresco_engine.diffusion.library import Library
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.prompting.embeddings import load_embedding
from fresco_engine.diffusion.prompting.encoding import encode_prompt
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.errors import ModelCorrupt, ModelError, WrongModelKind
from safetensors.torch import save_file
from torch import Tensor


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model's folder."""
    return write_model_folder(tmp_path_factory.mktemp("model") / "sd", controlnet=False)


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    """The small model."""
    return load_model(folder, control="none", device="cpu")


def vectors(count: int = 2, width: int = TEXT_WIDTH) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(3))


def as_a1111(tensor: Tensor) -> dict[str, Any]:
    """What A1111's training saves."""
    return {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": torch.nn.Parameter(tensor)},
        "name": "ink",
        "step": 1000,
        "sd_checkpoint": None,
        "sd_checkpoint_name": None,
    }


def written(path: Path, held: dict[str, Any]) -> Path:
    if path.suffix == ".safetensors":
        save_file(held, path)
    else:
        torch.save(held, path)
    return path


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("ink.pt", as_a1111(vectors())),
        ("ink.safetensors", {"emb_params": vectors().half()}),
        ("ink.safetensors", {"<ink>": vectors()}),
        ("ink.bin", {"<ink>": vectors(1)[0]}),
        ("ink.pt", {"<ink>": vectors().bfloat16()}),
    ],
    ids=["a1111", "a1111 safetensors", "diffusers", "diffusers one vector", "diffusers bf16"],
)
def test_files_of_every_form_are_read(tmp_path: Path, name: str, held: dict[str, Any]) -> None:
    found = load_embedding(written(tmp_path / name, held), TEXT_WIDTH)

    (tensor,) = [
        one for one in held.get("string_to_param", held).values() if isinstance(one, Tensor)
    ]
    assert torch.equal(found, tensor.detach().float().reshape(-1, TEXT_WIDTH))


@pytest.mark.parametrize(
    "text", ["a ink town", "a <INK> town", "a embedding:ink town", "a ink.safetensors town"]
)
def test_it_is_what_diffusers_makes_of_it_bit_for_bit(
    tmp_path: Path, folder: Path, model: Model, text: str
) -> None:
    file = written(tmp_path / "ink.safetensors", {"<ink>": vectors()})
    with quiet_libraries():
        stock = StableDiffusionPipeline.from_pretrained(
            folder, safety_checker=None, feature_extractor=None
        )
        stock.load_textual_inversion(str(file), token="<ink>")

    encoded = encode_prompt(replace(model, library=Library((tmp_path,))), [text])

    words = stock.maybe_convert_prompt("a <ink> town", stock.tokenizer)
    ids = stock.tokenizer(words, padding="max_length", max_length=TOKENS, return_tensors="pt")
    assert torch.equal(encoded, stock.text_encoder(ids.input_ids)[0])


def test_a_name_within_a_word_is_none(tmp_path: Path, model: Model) -> None:
    written(tmp_path / "ink.pt", as_a1111(vectors()))
    there = replace(model, library=Library((tmp_path,)))

    for text in ("drinking", "ink-wash", "an inkwell"):
        assert torch.equal(encode_prompt(there, [text]), encode_prompt(model, [text]))


def test_it_weighs_and_keeps_together(tmp_path: Path, model: Model) -> None:
    written(tmp_path / "ink.pt", as_a1111(vectors(10)))
    there = replace(model, library=Library((tmp_path,)))

    encoded = encode_prompt(there, ["x" * 70 + " (ink:1.2)"])

    alone = encode_prompt(there, ["(ink:1.2)"])
    assert torch.allclose(encoded[0, TOKENS:], alone[0], atol=1e-6)


@pytest.mark.parametrize(
    ("width", "said"), [(1024, "as Stable Diffusion 2.x takes"), (48, "as another model takes")]
)
def test_one_for_another_text_encoder_is_refused(
    tmp_path: Path, model: Model, width: int, said: str
) -> None:
    written(tmp_path / "ink.pt", as_a1111(vectors(2, width)))

    with pytest.raises(WrongModelKind, match=said):
        encode_prompt(replace(model, library=Library((tmp_path,))), ["ink"])


class _Program:
    def __reduce__(self) -> Any:
        return print, ("a program in an embedding was run",)


@pytest.mark.parametrize(
    ("name", "held", "error"),
    [
        ("ink.pt", {"<ink>": _Program()}, ModelCorrupt),
        ("ink.pt", {"clip_l": vectors(), "clip_g": vectors()}, WrongModelKind),
        ("ink.pt", {"<ink>": vectors().long()}, WrongModelKind),
        ("ink.pt", {"<ink>": vectors(76)}, ModelCorrupt),
        ("ink.pt", {"<ink>": vectors() / 0}, ModelCorrupt),
        ("ink.pt", {"<ink>": torch.zeros(1).expand(4_000_000, 768)}, ModelCorrupt),
        ("ink.pt", {"<ink>": torch.zeros(1).expand(2**40, 2**20)}, ModelCorrupt),
        ("ink.pt", {"<ink>": torch.zeros(2).as_strided((50, 99), (0, 0))}, ModelCorrupt),
        ("ink.pt", {"<ink>": vectors().to_sparse()}, ModelCorrupt),
        ("ink.pt", {"<ink>": vectors().to("meta")}, ModelCorrupt),
        ("ink.safetensors", {"lora_unet_a.lora_down.weight": vectors()}, WrongModelKind),
    ],
    ids=[
        *("program", "of XL", "whole numbers", "too many", "infinite"),
        *("far too many", "more than can be counted", "overlapping", "sparse", "of nothing"),
        "a LoRA",
    ],
)
def test_what_is_none_is_refused(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    name: str,
    held: dict[str, Any],
    error: type[ModelError],
) -> None:
    with pytest.raises(error):
        load_embedding(written(tmp_path / name, held), TEXT_WIDTH)

    assert "was run" not in capfd.readouterr().out


def test_other_files_of_its_name_are_passed_over(tmp_path: Path, model: Model) -> None:
    written(tmp_path / "ink.safetensors", {"lora_unet_a.lora_down.weight": vectors()})
    there = replace(model, library=Library((tmp_path,)))

    assert torch.equal(encode_prompt(there, ["ink"]), encode_prompt(model, ["ink"]))
