"""Stable Diffusion XL in one .safetensors file, in the original key layout.

U-Net and VAE are laid out as in 1.x, the first text encoder is CLIP's by the library's names, the
second OpenCLIP's by its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, UNet2DConditionModel
from fresco_media.files.opening import settled
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from fresco_engine.diffusion.intake import check_config, check_numbers
from fresco_engine.diffusion.open_clip import (
    open_clip_config,
    open_clip_projection,
    open_clip_tensors,
)
from fresco_engine.diffusion.single_file import (
    Config,
    clip_config,
    converted,
    incomplete,
    text_encoder,
    unet_config,
    vae_config,
)
from fresco_engine.diffusion.weights import (
    UNET_PREFIX,
    XL_CLIP_PREFIX,
    XL_OPEN_CLIP_PREFIX,
    Header,
)

SCALING_FACTOR = 0.13025
_SIZES = 6
"""Numbers by which the U-Net is told sizes, see `AddedConditions`."""
_PIXELS = 1024
Networks = tuple[UNet2DConditionModel, AutoencoderKL, CLIPTextModel, CLIPTextModelWithProjection]


def load_networks(path: Path, header: Header, dtype: torch.dtype) -> Networks:
    """U-Net, VAE and both text encoders of a checkpoint file, on the CPU.

    Raises:
        ModelCorrupt: tensors are missing or do not fit together.
    """
    try:
        check_numbers(path, header)
        first = clip_config(header, XL_CLIP_PREFIX)
        second = open_clip_config(header, XL_OPEN_CLIP_PREFIX)
        unet_shape = {**unet_config(header), **_added(header, second.projection_dim or 0)}
        vae_shape = {**vae_config(header), "scaling_factor": SCALING_FACTOR, "sample_size": _PIXELS}
        for config in (unet_shape, vae_shape, first.to_dict(), second.to_dict()):
            check_config(path, config)
        with settled(path) as name:
            tensors = load_file(name)
        return (
            converted(UNet2DConditionModel, tensors, unet_shape, dtype),
            converted(AutoencoderKL, tensors, vae_shape, dtype),
            text_encoder(tensors, first, dtype, XL_CLIP_PREFIX),
            _second_encoder(tensors, second, dtype),
        )
    except (KeyError, StopIteration, ValueError, RuntimeError, OSError) as error:
        raise incomplete(path, error) from error


def _added(header: Header, pooled: int) -> Config:
    """How the U-Net is told sizes and the words as a whole."""
    told = header[f"{UNET_PREFIX}label_emb.0.0.weight"].shape[1]
    return {
        "sample_size": _PIXELS // 8,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": (told - pooled) // _SIZES,
        "projection_class_embeddings_input_dim": told,
    }


def _second_encoder(
    tensors: Mapping[str, Tensor], config: object, dtype: torch.dtype
) -> CLIPTextModelWithProjection:
    with init_empty_weights(include_buffers=False):
        encoder = CLIPTextModelWithProjection(config)  # pyright: ignore[reportArgumentType]
    named = open_clip_tensors(tensors, XL_OPEN_CLIP_PREFIX)
    found = {f"text_model.{name}": tensor.to(dtype) for name, tensor in named}
    found["text_projection.weight"] = open_clip_projection(tensors).to(dtype)
    encoder.load_state_dict(found, assign=True)
    return encoder
