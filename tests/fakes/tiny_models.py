"""Complete models of Stable Diffusion 1.x's shape with tiny random networks, written as real files.

The library's own classes write the folders, so that loading them is loading the real thing. The
checkpoint file is written in the original key layout, so that reading it is converting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    ControlNetModel,
    DDPMScheduler,
    UNet2DConditionModel,
)
from fresco_engine.diffusion.quiet import quiet_libraries
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel

WIDTHS = (32, 32, 64, 64)
TEXT_WIDTH = 64
TOKENS = 77
VaeKind = Literal["kl", "tiny"]


def write_tokenizer(folder: Path) -> int:
    """Writes vocab.json and merges.txt; returns the number of tokens. Every word is spelt out."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = [chr(n) for n in (*range(33, 127), *range(161, 173), *range(174, 324))]
    merges = [("a", "</w>"), ("o", "f</w>"), ("b", "l"), ("bl", "u"), ("blu", "e</w>")]
    words = [*letters, *(letter + "</w>" for letter in letters)]
    words += [*("".join(pair) for pair in merges[1:]), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges[1:]), ""]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    described = {"model_max_length": TOKENS, "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(described), encoding="utf-8")
    return len(vocabulary)


def tiny_unet(channels: int = 4, **changes: Any) -> UNet2DConditionModel:
    """A U-Net of four levels with every kind of block that Stable Diffusion 1.x has."""
    config = {
        "sample_size": 8,
        "in_channels": channels,
        "out_channels": channels,
        "block_out_channels": WIDTHS,
        "layers_per_block": 1,
        "cross_attention_dim": TEXT_WIDTH,
        "attention_head_dim": 8,
        **changes,
    }
    return seeded(lambda: UNet2DConditionModel(**config))


def tiny_vae(kind: VaeKind = "kl", channels: int = 4, **changes: Any) -> Any:
    """A VAE that makes 1/8-size latents, of the class Stable Diffusion or a small model uses."""
    if kind == "tiny":
        config = {
            "latent_channels": channels,
            "encoder_block_out_channels": (8,) * 4,
            "decoder_block_out_channels": (8,) * 4,
            "num_encoder_blocks": (0, 0, 0, 0),
            "num_decoder_blocks": (1, 1, 1, 1),
            "scaling_factor": 2.5,
            **changes,
        }
        return seeded(lambda: AutoencoderTiny(**config))
    config = {
        "block_out_channels": (32,) * 4,
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "layers_per_block": 1,
        "latent_channels": channels,
        "scaling_factor": 0.18215,
        **changes,
    }
    return seeded(lambda: AutoencoderKL(**config))


def tiny_text_encoder(words: int) -> CLIPTextModel:
    """A CLIP text encoder of one head and two layers."""
    config = CLIPTextConfig(
        vocab_size=words,
        hidden_size=TEXT_WIDTH,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=1,
        max_position_embeddings=TOKENS,
        hidden_act="quick_gelu",
        bos_token_id=words - 2,
        eos_token_id=words - 1,
        pad_token_id=words - 1,
    )
    return seeded(lambda: CLIPTextModel(config))


def write_clip_model(folder: Path) -> Path:
    """Writes a CLIP model for pictures of 32 pixels and texts, with its tokenizer."""
    words = write_tokenizer(folder)
    layers = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    text = {**layers, "vocab_size": words, "num_attention_heads": 2}
    ends = {"bos_token_id": words - 2, "eos_token_id": words - 1, "pad_token_id": words - 1}
    vision = {**layers, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    config = CLIPConfig(
        text_config={**text, **ends, "max_position_embeddings": TOKENS},
        vision_config=vision,
        projection_dim=16,
    )
    with quiet_libraries():
        seeded(lambda: CLIPModel(config)).save_pretrained(folder)
    return folder


_ZERO_LAYERS = (
    "controlnet_down_blocks",
    "controlnet_mid_block",
    "controlnet_cond_embedding.conv_out",
)


def tiny_controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """A ControlNet made for `unet`, with weights in its output layers so that it has an effect."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        controlnet = ControlNetModel.from_unet(
            unet, conditioning_embedding_out_channels=(16, 16, 16, 16)
        )
        for name, value in controlnet.named_parameters():
            if name.endswith(".weight") and name.startswith(_ZERO_LAYERS):
                nn.init.normal_(value, std=0.05)
    return controlnet


def write_model_folder(
    folder: Path,
    *,
    vae: VaeKind = "kl",
    channels: int = 4,
    prediction_type: Any = "epsilon",
    card: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float32,
    controlnet: bool = True,
) -> Path:
    """Writes a whole model in diffusers folder format and returns its folder.

    With `card` its fresco.json is written; with `controlnet` a ControlNet in a subfolder.
    """
    words = write_tokenizer(folder / "tokenizer")
    unet: Any = tiny_unet(channels)
    text_encoder: Any = tiny_text_encoder(words)
    controlnet_: Any = tiny_controlnet(unet)
    with quiet_libraries():
        unet.to(dtype).save_pretrained(folder / "unet")
        tiny_vae(vae, channels).to(dtype).save_pretrained(folder / "vae")
        text_encoder.to(dtype).save_pretrained(folder / "text_encoder")
        if controlnet:
            controlnet_.to(dtype).save_pretrained(folder / "controlnet")
        DDPMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            prediction_type=prediction_type,
        ).save_pretrained(folder / "scheduler")
    _write_index(folder, type(tiny_vae(vae, channels)).__name__)
    if card is not None:
        (folder / "fresco.json").write_text(json.dumps(dict(card)), encoding="utf-8")
    return folder


def _write_index(folder: Path, vae_class: str) -> None:
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.38.0",
        "scheduler": ["diffusers", "DDPMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", vae_class],
    }
    (folder / "model_index.json").write_text(json.dumps(index), encoding="utf-8")


def seeded(make: Any) -> Any:
    """What `make` makes, the same at every call, ready for inference."""
    with torch.random.fork_rng(devices=[]), quiet_libraries():
        torch.manual_seed(0)
        return make().eval().requires_grad_(False)


def write_checkpoint(path: Path, **extra: Tensor) -> Path:
    """Writes U-Net, VAE and text encoder into one file in the original key layout.

    `extra` tensors go in under their own names, `v_pred` for example.
    """
    words = write_tokenizer(path.parent / "tokenizer")
    tensors = {
        f"model.diffusion_model.{original_unet_name(name)}": value
        for name, value in tiny_unet().state_dict().items()
    }
    for name, value in tiny_vae().state_dict().items():
        key, tensor = original_vae(name, value)
        tensors[f"first_stage_model.{key}"] = tensor
    for name, value in tiny_text_encoder(words).state_dict().items():
        key = name.removeprefix("text_model.")
        tensors[f"cond_stage_model.transformer.text_model.{key}"] = value
    save_file({name: value.contiguous() for name, value in {**tensors, **extra}.items()}, path)
    return path


def write_controlnet_checkpoint(path: Path) -> Path:
    """Writes a ControlNet for `tiny_unet` into one file in the original key layout."""
    tensors = tiny_controlnet(tiny_unet()).state_dict()
    named = {f"control_model.{_original_control_name(n)}": value for n, value in tensors.items()}
    save_file({name: value.contiguous() for name, value in named.items()}, path)
    return path


_UNET_HEADS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}
_RESNET_PARTS = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}


def original_unet_name(name: str) -> str:
    """The original layout's name of a U-Net tensor, for one layer per block (two going up)."""
    for ours, theirs in _UNET_HEADS.items():
        if name.startswith(f"{ours}."):
            return theirs + inner_name(name.removeprefix(ours))
    block, level, part, index, *rest = name.split(".")
    inner = inner_name("." + ".".join(rest))
    if block == "down_blocks":
        base = 1 + 2 * int(level)
        if part == "downsamplers":
            return f"input_blocks.{base + 1}.0.op.{rest[-1]}"
        return f"input_blocks.{base}.{int(part == 'attentions')}{inner}"
    base = 2 * int(level)
    if part == "upsamplers":
        place = 1 if int(level) == 0 else 2
        return f"output_blocks.{base + 1}.{place}.conv.{rest[-1]}"
    return f"output_blocks.{base + int(index)}.{int(part == 'attentions')}{inner}"


def inner_name(tail: str) -> str:
    """A tail as `.conv1.weight` with a ResNet's parts renamed; attentions keep their names."""
    first = tail.lstrip(".").split(".")[0]
    return (
        tail.replace(f".{first}", f".{_RESNET_PARTS[first]}", 1) if first in _RESNET_PARTS else tail
    )


def _original_control_name(name: str) -> str:
    embedding = "controlnet_cond_embedding."
    if name.startswith("controlnet_down_blocks."):
        _, index, tail = name.split(".", 2)
        return f"zero_convs.{index}.0.{tail}"
    if name.startswith("controlnet_mid_block."):
        return f"middle_block_out.0.{name.split('.', 1)[1]}"
    if name.startswith(embedding):
        part, tail = name.removeprefix(embedding).rsplit(".", 1)
        number = {"conv_in": 0, "conv_out": 14}
        place = number[part] if part in number else 2 * (int(part.split(".")[1]) + 1)
        return f"input_hint_block.{place}.{tail}"
    return original_unet_name(name)


_VAE_PARTS = {
    "conv_norm_out": "norm_out",
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "mid_block.attentions.0": "mid.attn_1",
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
    "conv_shortcut": "nin_shortcut",
}
_ATTENTION = ("to_q.weight", "to_k.weight", "to_v.weight", "to_out.0.weight")


def original_vae(name: str, value: Tensor) -> tuple[str, Tensor]:
    """Name and tensor in the original layout, where the attention's linear layers are 1x1 convs."""
    tensor = value[:, :, None, None] if name.endswith(_ATTENTION) else value
    for ours, theirs in _VAE_PARTS.items():
        name = name.replace(f"{ours}.", f"{theirs}.")
    side, *rest = name.split(".")
    if rest[0] in ("down_blocks", "up_blocks"):
        level = int(rest[1]) if rest[0] == "down_blocks" else 3 - int(rest[1])
        way = rest[0].removesuffix("_blocks")
        part = rest[2]
        tail = ["block", *rest[3:]] if part == "resnets" else [f"{way}sample", *rest[4:]]
        name = ".".join([side, way, str(level), *tail])
    return name, tensor


LORA_UNET_LAYER = "up_blocks.3.attentions.0.transformer_blocks.0.attn1.to_q"
LORA_TEXT_LAYERS = ("encoder.layers.1.self_attn.q_proj", "encoder.layers.1.self_attn.out_proj")


def write_lora(
    path: Path, *, layout: Literal["kohya", "diffusers"] = "kohya", rank: int = 2
) -> dict[str, Tensor]:
    """Writes a LoRA for a U-Net layer and two text encoder layers; returns what each layer gains.

    The keys of the result are the layers' names. The alpha of the kohya layout is half the rank,
    so what it adds is halved.
    """
    random = torch.Generator().manual_seed(2)
    widths = {LORA_UNET_LAYER: WIDTHS[0], **dict.fromkeys(LORA_TEXT_LAYERS, TEXT_WIDTH)}
    pairs = {
        layer: (
            torch.randn(rank, width, generator=random),
            torch.randn(width, rank, generator=random),
        )
        for layer, width in widths.items()
    }
    save_file(_kohya(pairs, rank) if layout == "kohya" else _diffusers(pairs), path)
    scale = 0.5 if layout == "kohya" else 1.0
    return {layer: scale * up @ down for layer, (down, up) in pairs.items()}


_Pairs = Mapping[str, tuple[Tensor, Tensor]]


def _diffusers(pairs: _Pairs) -> dict[str, Tensor]:
    tensors = {}
    for layer, (down, up) in pairs.items():
        owner = "unet" if layer == LORA_UNET_LAYER else "text_encoder.text_model"
        tensors[f"{owner}.{layer}.lora_A.weight"] = down
        tensors[f"{owner}.{layer}.lora_B.weight"] = up
    return tensors


def _kohya(pairs: _Pairs, rank: int) -> dict[str, Tensor]:
    tensors = {}
    for layer, (down, up) in pairs.items():
        owner = "lora_unet_" if layer == LORA_UNET_LAYER else "lora_te_text_model_"
        name = owner + layer.replace(".", "_")
        tensors[f"{name}.lora_down.weight"] = down
        tensors[f"{name}.lora_up.weight"] = up
        tensors[f"{name}.alpha"] = torch.tensor(rank / 2)
    return tensors
