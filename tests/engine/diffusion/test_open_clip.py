"""Stable Diffusion 2.x in one file, with its text encoder by OpenCLIP's names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.loaders.single_file_utils import convert_open_clip_checkpoint
from fakes.tiny_models import TEXT_WIDTH, TOKENS, original_unet_name, tiny_unet, write_checkpoint
from fresco_engine.diffusion.catalogue import list_models
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.open_clip import open_clip_tensors
from fresco_engine.diffusion.prompting.encoding import encode_prompt
from fresco_engine.diffusion.weights import CLIP_PREFIX, UNET_PREFIX
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPTextModel

LAYERS, PREFIX = 3, "cond_stage_model.model."


def unet() -> Any:
    """A U-Net of 2.x's kind: linear layers around attention, heads of one size."""
    return tiny_unet(use_linear_projection=True, attention_head_dim=[1, 1, 1, 1])


def open_clip(words: int) -> dict[str, Tensor]:
    """A random text encoder as OpenCLIP names its tensors."""
    random = torch.Generator().manual_seed(5)

    def some(*shape: int) -> Tensor:
        return 0.1 * torch.randn(*shape, generator=random)

    width, inner = TEXT_WIDTH, 96
    tensors = {
        "token_embedding.weight": some(words, width),
        "positional_embedding": some(TOKENS, width),
        "ln_final.weight": 1 + some(width),
        "ln_final.bias": some(width),
        "text_projection": some(width, width),
        "logit_scale": torch.tensor(1.0),
    }
    for layer in range(LAYERS):
        for name, shape in {
            "ln_1": (width,),
            "ln_2": (width,),
            "attn.out_proj": (width, width),
            "mlp.c_fc": (inner, width),
            "mlp.c_proj": (width, inner),
        }.items():
            tensors[f"transformer.resblocks.{layer}.{name}.weight"] = some(*shape)
            tensors[f"transformer.resblocks.{layer}.{name}.bias"] = some(shape[0])
        block = f"transformer.resblocks.{layer}.attn.in_proj_"
        tensors |= {f"{block}weight": some(3 * width, width), f"{block}bias": some(3 * width)}
    return {PREFIX + name: value for name, value in tensors.items()}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole checkpoint of 2.x."""
    path = tmp_path_factory.mktemp("second") / "second.safetensors"
    first = load_file(write_checkpoint(path))
    words = first[f"{CLIP_PREFIX}embeddings.token_embedding.weight"].shape[0]
    kept = {n: v for n, v in first.items() if not n.startswith((CLIP_PREFIX, UNET_PREFIX))}
    ours = {UNET_PREFIX + original_unet_name(n): v for n, v in unet().state_dict().items()}
    save_file({**kept, **ours, **open_clip(words)}, path)
    return path


def test_the_text_encoder_is_what_the_library_makes_of_it(file: Path) -> None:
    model = load_model(file, control="none", device="cpu")

    stock = CLIPTextModel(model.text_encoder.config).eval()
    tensors = {n: v for n, v in load_file(file).items() if f"resblocks.{LAYERS - 1}." not in n}
    wrapped: Any = convert_open_clip_checkpoint(stock, dict(tensors), prefix=PREFIX)
    named = {name.removeprefix("text_model."): value for name, value in wrapped.items()}
    held = {name.removeprefix("text_model."): v for name, v in stock.state_dict().items()}
    for name in held:
        assert torch.equal(dict(open_clip_tensors(load_file(file)))[name], named[name])
    assert model.text_encoder.config.hidden_act == "gelu"
    assert model.text_encoder.config.num_hidden_layers == LAYERS - 1


def test_prompts_end_in_its_padding(file: Path) -> None:
    model = load_model(file, control="none", device="cpu")
    ids = [model.tokenizer.bos_token_id, *model.tokenizer("rain").input_ids[1:-1]]
    ids += [model.tokenizer.eos_token_id]
    ids += [0] * (TOKENS - len(ids))

    encoded = encode_prompt(model, ["rain"])

    assert torch.equal(encoded, model.text_encoder(torch.tensor([ids]))[0])


def test_its_u_net_is_the_librarys_and_predicts_the_velocity(file: Path) -> None:
    model = load_model(file, control="none", device="cpu")

    random = torch.Generator().manual_seed(7)
    x = torch.randn(1, 4, 8, 8, generator=random)
    words = torch.randn(1, TOKENS, TEXT_WIDTH, generator=random)
    with torch.no_grad():
        found, expected = (
            one(x, 500, encoder_hidden_states=words).sample for one in (model.unet, unet())
        )
    # A projection by a matrix and one by a convolution round differently.
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)
    assert model.scheduler_config["prediction_type"] == "v_prediction"


def test_a_yaml_beside_it_says_what_it_predicts(file: Path) -> None:
    beside = file.with_suffix(".yaml")
    beside.write_text("model: {params: {parameterization: eps}}")

    model = load_model(file, control="none", device="cpu")

    beside.unlink()
    assert model.scheduler_config["prediction_type"] == "epsilon"


def test_it_is_listed(file: Path) -> None:
    assert "second" in [entry.name for entry in list_models([file.parent])]
