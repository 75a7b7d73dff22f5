"""Models of Stable Diffusion XL's shape with tiny random networks, written as real files.

All that makes XL's layout is there: three levels of which the finest has no attention, several
transformer layers in one, linear projections, `text_time`, two text encoders of unlike widths.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import EulerDiscreteScheduler, UNet2DConditionModel
from fresco_engine.diffusion.quiet import quiet_libraries
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from tests.fakes.tiny_models import (
    TOKENS,
    VaeKind,
    inner_name,
    original_vae,
    seeded,
    tiny_controlnet,
    tiny_vae,
    write_tokenizer,
)

WIDTHS = (32, 64, 64)
TEXT_WIDTHS = (64, 128)
POOLED = 96
_LAYERS = 2
_TIME = 8


def tiny_xl_unet(**changes: Any) -> UNet2DConditionModel:
    """A U-Net with XL's blocks."""
    config = {
        "sample_size": 16,
        "block_out_channels": WIDTHS,
        "layers_per_block": _LAYERS,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": [1, 1, 2],
        "attention_head_dim": [1, 1, 1],
        "cross_attention_dim": sum(TEXT_WIDTHS),
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": _TIME,
        "projection_class_embeddings_input_dim": POOLED + 6 * _TIME,
        **changes,
    }
    return seeded(lambda: UNet2DConditionModel(**config))


def text_encoders(words: int) -> tuple[CLIPTextModel, CLIPTextModelWithProjection]:
    """CLIP's, and one as OpenCLIP's is described on the hub."""
    common: dict[str, Any] = {
        "vocab_size": words,
        "max_position_embeddings": TOKENS,
        "intermediate_size": 96,
    }
    ends: dict[str, Any] = {
        "bos_token_id": words - 2,
        "eos_token_id": words - 1,
        "pad_token_id": words - 1,
    }
    first = CLIPTextConfig(
        **common,
        **ends,
        hidden_size=TEXT_WIDTHS[0],
        num_hidden_layers=2,
        num_attention_heads=1,
        hidden_act="quick_gelu",
    )
    second = CLIPTextConfig(
        **common,
        hidden_size=TEXT_WIDTHS[1],
        num_hidden_layers=3,
        num_attention_heads=2,
        hidden_act="gelu",
        projection_dim=POOLED,
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=1,
    )
    return (
        seeded(lambda: CLIPTextModel(first)),
        seeded(lambda: CLIPTextModelWithProjection(second)),
    )


def write_xl_folder(
    folder: Path, *, vae: VaeKind = "kl", card: dict[str, Any] | None = None, **index: Any
) -> Path:
    """Writes a whole model as diffusers does, with a ControlNet in a subfolder.

    With `card` its fresco.json is written; `index` changes its model_index.json.
    """
    words = write_tokenizer(folder / "tokenizer")
    write_tokenizer(folder / "tokenizer_2")
    described = folder / "tokenizer_2" / "tokenizer_config.json"
    values = {**json.loads(described.read_text(encoding="utf-8")), "pad_token": "!"}
    described.write_text(json.dumps(values), encoding="utf-8")
    unet, (first, second) = tiny_xl_unet(), text_encoders(words)
    with quiet_libraries():
        unet.save_pretrained(folder / "unet")
        _vae(vae).save_pretrained(folder / "vae")
        first.save_pretrained(folder / "text_encoder")
        second.save_pretrained(folder / "text_encoder_2")
        tiny_controlnet(unet).save_pretrained(folder / "controlnet")
        EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            steps_offset=1,
            timestep_spacing="leading",
        ).save_pretrained(folder / "scheduler")
    held = {"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": True}
    held |= {"text_encoder": ["transformers", "CLIPTextModel"], **index}
    (folder / "model_index.json").write_text(json.dumps(held), encoding="utf-8")
    if card is not None:
        (folder / "fresco.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def _vae(kind: VaeKind) -> Any:
    return tiny_vae(kind) if kind == "tiny" else tiny_vae(kind, scaling_factor=0.13025)


def write_xl_checkpoint(path: Path) -> Path:
    """Writes the same model into one file in the original key layout."""
    words = write_tokenizer(path.parent / "tokenizer")
    first, second = text_encoders(words)
    tensors = {
        f"model.diffusion_model.{original_xl_name(name)}": value
        for name, value in tiny_xl_unet().state_dict().items()
    }
    for name, value in _vae("kl").state_dict().items():
        key, tensor = original_vae(name, value)
        tensors[f"first_stage_model.{key}"] = tensor
    for name, value in first.state_dict().items():
        key = name.removeprefix("text_model.")
        tensors[f"conditioner.embedders.0.transformer.text_model.{key}"] = value
    for name, value in _open_clip(second).items():
        tensors[f"conditioner.embedders.1.model.{name}"] = value
    save_file({name: value.contiguous() for name, value in tensors.items()}, path)
    return path


_ALONE = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}


def original_xl_name(name: str) -> str:
    """The original layout's name of a U-Net tensor, for two layers a block (three going up)."""
    for ours, theirs in _ALONE.items():
        if name.startswith(f"{ours}."):
            return theirs + inner_name(name.removeprefix(ours))
    block, level, part, index, *rest = name.split(".")
    first = 3 * int(level)
    if part == "downsamplers":
        return f"input_blocks.{first + 3}.0.op.{rest[-1]}"
    if part == "upsamplers":
        return f"output_blocks.{first + 2}.2.conv.{rest[-1]}"
    inner, is_attention = inner_name("." + ".".join(rest)), int(part == "attentions")
    if block == "down_blocks":
        return f"input_blocks.{first + 1 + int(index)}.{is_attention}{inner}"
    return f"output_blocks.{first + int(index)}.{is_attention}{inner}"


def _open_clip(encoder: CLIPTextModelWithProjection) -> dict[str, Tensor]:
    """The second text encoder's tensors as OpenCLIP names them."""
    held = {name.removeprefix("text_model."): v for name, v in encoder.state_dict().items()}
    named = {
        "token_embedding.weight": held["embeddings.token_embedding.weight"],
        "positional_embedding": held["embeddings.position_embedding.weight"],
        "ln_final.weight": held["final_layer_norm.weight"],
        "ln_final.bias": held["final_layer_norm.bias"],
        "text_projection": held["text_projection.weight"].T,
        "logit_scale": torch.tensor(1.0),
    }
    for layer in range(encoder.config.num_hidden_layers):
        of, to = f"encoder.layers.{layer}.", f"transformer.resblocks.{layer}."
        for part in ("weight", "bias"):
            named[f"{to}attn.in_proj_{part}"] = torch.cat(
                [held[f"{of}self_attn.{one}_proj.{part}"] for one in "qkv"]
            )
            for theirs, ours in {
                "ln_1": "layer_norm1",
                "ln_2": "layer_norm2",
                "mlp.c_fc": "mlp.fc1",
                "mlp.c_proj": "mlp.fc2",
                "attn.out_proj": "self_attn.out_proj",
            }.items():
                named[f"{to}{theirs}.{part}"] = held[f"{of}{ours}.{part}"]
    return named
