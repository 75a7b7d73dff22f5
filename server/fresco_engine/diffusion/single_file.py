"""Stable Diffusion 1.x, 2.x and ControlNet weights in one .safetensors file, original key layout.

Such a file says nothing of its network but the tensors' shapes. Everything a configuration needs
is read from those; what they cannot tell (heads, group size, schedule) is the same in all models
of a generation. So no configuration is fetched from the hub.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from fresco_media.files.opening import settled
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from fresco_engine.diffusion.intake import check_config, check_numbers
from fresco_engine.diffusion.open_clip import open_clip_config, open_clip_tensors
from fresco_engine.diffusion.prediction import has_zero_snr, prediction_of
from fresco_engine.diffusion.weights import (
    CLIP_PREFIX,
    OPEN_CLIP_PREFIX,
    UNET_PREFIX,
    VAE_PREFIX,
    Header,
)
from fresco_engine.errors import ModelCorrupt

Config = dict[str, Any]
_HEADS = 8
_HEAD_SIZE = 64
_WIDTH_OF_FIRST = 768
"""Of the text encoder's states in Stable Diffusion 1.x."""
SCALING_FACTOR = 0.18215


def unet_config(header: Header, prefix: str = UNET_PREFIX) -> Config:
    """The configuration of the U-Net (or of the U-Net half of a ControlNet) in a file."""
    blocks = f"{prefix}input_blocks."
    downs = sum(
        1 for name in header if re.fullmatch(f"{re.escape(blocks)}\\d+\\.0\\.op\\.weight", name)
    )
    layers = next(n for n in range(1, 9) if f"{blocks}{n + 1}.0.op.weight" in header)
    firsts = [1 + level * (layers + 1) for level in range(downs + 1)]
    crosses = [f"{blocks}{n}.1.transformer_blocks.0.attn2.to_k.weight" for n in firsts]
    first = header[f"{blocks}0.0.weight"].shape
    widths = [header[f"{blocks}{n}.0.out_layers.3.weight"].shape[0] for n in firsts]
    return {
        **_attention(header, crosses, widths),
        "transformer_layers_per_block": [
            max(1, _count(header, re.escape(f"{blocks}{n}.1.transformer_blocks.") + r"(\d+)\."))
            for n in firsts
        ],
        "sample_size": 64,
        "in_channels": first[1],
        "out_channels": _out_channels(header, prefix, first[1]),
        "layers_per_block": layers,
        "block_out_channels": widths,
        "down_block_types": [
            "CrossAttnDownBlock2D" if name in header else "DownBlock2D" for name in crosses
        ],
        "up_block_types": [
            "CrossAttnUpBlock2D" if name in header else "UpBlock2D" for name in reversed(crosses)
        ],
    }


def _attention(header: Header, crosses: list[str], widths: list[int]) -> Config:
    """2.x has linear layers around its attention, and heads of one size instead of one number."""
    first = next(name for name in crosses if name in header)
    width = header[first].shape[1]
    around = header[first.replace("transformer_blocks.0.attn2.to_k.weight", "proj_in.weight")]
    is_second = len(around.shape) == 2 and width != _WIDTH_OF_FIRST
    return {
        "cross_attention_dim": width,
        "attention_head_dim": (
            [max(1, one // _HEAD_SIZE) for one in widths] if is_second else _HEADS
        ),
        "use_linear_projection": is_second,
    }


def _out_channels(header: Header, prefix: str, in_channels: int) -> int:
    last = header.get(f"{prefix}out.2.weight")
    return last.shape[0] if last else in_channels


def controlnet_config(header: Header) -> Config:
    """The configuration of a ControlNet file in the original layout."""
    prefix = "control_model." if any(name.startswith("control_model.") for name in header) else ""
    config = unet_config(header, prefix)
    for name in ("sample_size", "out_channels", "up_block_types"):
        del config[name]
    hint = [header[f"{prefix}input_hint_block.{n}.weight"].shape for n in (0, 4, 8, 12)]
    return {
        **config,
        "conditioning_channels": hint[0][1],
        "conditioning_embedding_out_channels": [shape[0] for shape in hint],
    }


def library_controlnet_config(header: Header, unet: Mapping[str, Any]) -> Config:
    """The configuration of a ControlNet file in the library's layout, made for the U-Net `unet`."""
    embedding = "controlnet_cond_embedding."
    steps = _count(header, re.escape(f"{embedding}blocks.") + r"(\d+)\.")
    names = ["conv_in", *(f"blocks.{n}" for n in range(1, steps, 2))]
    hint = [header[f"{embedding}{name}.weight"].shape for name in names]
    shared = (
        "in_channels",
        "down_block_types",
        "block_out_channels",
        "layers_per_block",
        "cross_attention_dim",
        "attention_head_dim",
        "norm_num_groups",
        "use_linear_projection",
        "addition_embed_type",
        "addition_time_embed_dim",
        "projection_class_embeddings_input_dim",
    )
    layers = [
        _count(header, rf"down_blocks\.{level}\.attentions\.0\.transformer_blocks\.(\d+)\.")
        for level in range(len(unet["block_out_channels"]))
    ]
    return {
        **{name: unet[name] for name in shared},
        "transformer_layers_per_block": [max(1, one) for one in layers],
        "conditioning_channels": hint[0][1],
        "conditioning_embedding_out_channels": [shape[0] for shape in hint],
    }


def vae_config(header: Header) -> Config:
    """The configuration of the VAE in a file."""
    down = f"{VAE_PREFIX}encoder.down."
    levels = _count(header, re.escape(down) + r"(\d+)\.")
    widths = [header[f"{down}{level}.block.0.conv2.weight"].shape[0] for level in range(levels)]
    return {
        "block_out_channels": widths,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "layers_per_block": _count(header, re.escape(f"{down}0.block.") + r"(\d+)\."),
        "latent_channels": header[f"{VAE_PREFIX}decoder.conv_in.weight"].shape[1],
        "sample_size": 512,
        "scaling_factor": SCALING_FACTOR,
    }


def clip_config(header: Header, prefix: str = CLIP_PREFIX) -> CLIPTextConfig:
    """The configuration of the text encoder in a file, whose names begin with `prefix`."""
    if has_open_clip(header):
        return open_clip_config(header)
    words, width = header[f"{prefix}embeddings.token_embedding.weight"].shape
    return CLIPTextConfig(
        vocab_size=words,
        hidden_size=width,
        intermediate_size=header[f"{prefix}encoder.layers.0.mlp.fc1.weight"].shape[0],
        num_hidden_layers=_count(header, re.escape(f"{prefix}encoder.layers.") + r"(\d+)\."),
        num_attention_heads=max(1, width // _HEAD_SIZE),
        max_position_embeddings=header[f"{prefix}embeddings.position_embedding.weight"].shape[0],
        hidden_act="quick_gelu",
        bos_token_id=words - 2,
        eos_token_id=words - 1,
        pad_token_id=words - 1,
    )


def scheduler_config(path: Path, header: Header) -> Config:
    """The noise schedule of all Stable Diffusion models, with what this one predicts.

    Raises:
        ModelCorrupt: the configuration beside the file cannot be read.
    """
    return {
        "num_train_timesteps": 1000,
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "steps_offset": 1,
        "prediction_type": prediction_of(path, header),
        "rescale_betas_zero_snr": has_zero_snr(path, header),
    }


def _count(header: Header, pattern: str) -> int:
    return len({match[1] for name in header if (match := re.match(pattern, name))})


def load_networks(
    path: Path, header: Header, dtype: torch.dtype
) -> tuple[UNet2DConditionModel, AutoencoderKL, CLIPTextModel]:
    """U-Net, VAE and text encoder of a checkpoint file, on the CPU.

    Raises:
        ModelCorrupt: tensors are missing or do not fit together.
    """
    try:
        check_numbers(path, header)
        unet_shape, vae_shape, clip = unet_config(header), vae_config(header), clip_config(header)
        for config in (unet_shape, vae_shape, clip.to_dict()):
            check_config(path, config)
        with settled(path) as name:
            tensors = load_file(name)
        unet = converted(UNet2DConditionModel, tensors, unet_shape, dtype)
        vae = converted(AutoencoderKL, tensors, vae_shape, dtype)
        return unet, vae, text_encoder(tensors, clip, dtype)
    except (KeyError, StopIteration, ValueError, RuntimeError, OSError) as error:
        raise incomplete(path, error) from error


def load_controlnet(
    path: Path, header: Header, unet: Mapping[str, Any], dtype: torch.dtype
) -> ControlNetModel:
    """The ControlNet in a file of either layout, made for the U-Net `unet`, on the CPU.

    Raises:
        ModelCorrupt: tensors are missing or do not fit together.
    """
    is_library_layout = "controlnet_cond_embedding.conv_in.weight" in header
    try:
        if is_library_layout:
            config = library_controlnet_config(header, unet)
        else:
            config = controlnet_config(header)
        check_numbers(path, header)
        check_config(path, config)
        with settled(path) as name:
            tensors = load_file(name)
        return converted(ControlNetModel, tensors, config, dtype)
    except (KeyError, StopIteration, ValueError, RuntimeError, OSError) as error:
        raise incomplete(path, error) from error


def incomplete(path: Path, error: Exception) -> ModelCorrupt:
    """The error for a file whose tensors do not make a model."""
    return ModelCorrupt(
        path, f"its tensors do not make a complete model ({error}); download the file again"
    )


def converted(kind: Any, tensors: dict[str, Tensor], config: Config, dtype: torch.dtype) -> Any:
    """A diffusers network from a checkpoint's tensors; the library wants its config in a folder."""
    with TemporaryDirectory(prefix="fresco-") as folder:
        described = {**config, "_class_name": kind.__name__}
        Path(folder, "config.json").write_text(json.dumps(described), encoding="utf-8")
        try:
            network = kind.from_single_file(tensors, config=folder, local_files_only=True)
        except NotImplementedError as error:
            # The library leaves what is missing without data, and then fails to place that.
            raise ValueError("some are missing") from error
    if any(value.is_meta for value in network.parameters()):
        raise ValueError("some are missing")
    return network.to(dtype)


def has_open_clip(names: Mapping[str, object]) -> bool:
    """Whether the text encoder among these tensors is that of Stable Diffusion 2.x."""
    return any(name.startswith(OPEN_CLIP_PREFIX) for name in names)


def _clip_tensors(tensors: Mapping[str, Tensor], prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in tensors.items():
        if name.startswith(prefix) and not name.endswith("position_ids"):
            yield name.removeprefix(prefix), tensor


def text_encoder(
    tensors: Mapping[str, Tensor],
    config: CLIPTextConfig,
    dtype: torch.dtype,
    prefix: str = CLIP_PREFIX,
) -> CLIPTextModel:
    """CLIP's or OpenCLIP's text encoder among a file's tensors."""
    with init_empty_weights(include_buffers=False):
        encoder = CLIPTextModel(config)
    # Newer versions of the library keep the tensors one level higher than the file does.
    inner = "text_model." if hasattr(encoder, "text_model") else ""
    is_open = has_open_clip(tensors)
    named = open_clip_tensors(tensors) if is_open else _clip_tensors(tensors, prefix)
    found = {inner + name: tensor.to(dtype) for name, tensor in named}
    encoder.load_state_dict(found, assign=True)
    return encoder
