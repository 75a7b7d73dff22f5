"""IP-Adapters and their image encoder with the real names of tensors, tiny and random."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from fresco_engine.diffusion.quiet import quiet_libraries
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

AdapterKind = Literal["plain", "plus", "full"]
HIDDEN, SAID = 32, 24
_TOKENS = {"plain": 4, "plus": 6}
_INSIDE = 20


def tiny_image_encoder(said: int = SAID) -> Any:
    """CLIP's image encoder, for pictures of 28 pixels in four patches."""
    config = CLIPVisionConfig(
        hidden_size=HIDDEN,
        intermediate_size=48,
        projection_dim=said,
        num_hidden_layers=3,
        num_attention_heads=16,
        image_size=28,
        patch_size=14,
        hidden_act="gelu",
    )
    with torch.random.fork_rng(devices=[]), quiet_libraries():
        torch.manual_seed(0)
        return CLIPVisionModelWithProjection(config).eval()


def write_image_encoder(place: Path, said: int = SAID) -> Path:
    """Writes the encoder as a folder, or into one file if `place` has that ending."""
    encoder = tiny_image_encoder(said)
    with quiet_libraries():
        if place.suffix == ".safetensors":
            place.parent.mkdir(parents=True, exist_ok=True)
            tensors = encoder.state_dict()
            save_file({name: value.contiguous() for name, value in tensors.items()}, place)
        else:
            encoder.save_pretrained(place)
    return place


def write_ip_adapter(
    path: Path, unet: UNet2DConditionModel, kind: AdapterKind = "plain", **changes: Tensor | None
) -> Path:
    """Writes an adapter for `unet` as the first IP-Adapter code names its tensors.

    `changes` are put in place of tensors, or leave them out, by their names with `__` for dots.
    """
    random = torch.Generator().manual_seed(4)

    def some(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random) / shape[-1] ** 0.5

    across = int(unet.config["cross_attention_dim"])
    tensors = {f"image_proj.{name}": one for name, one in _projection(kind, across, some).items()}
    number = 1
    for name in unet.attn_processors:
        if name.endswith("attn2.processor"):
            layer: Any = unet.get_submodule(name.removesuffix(".processor"))
            rows = layer.to_k.out_features
            tensors[f"ip_adapter.{number}.to_k_ip.weight"] = 2 * some(rows, across)
            tensors[f"ip_adapter.{number}.to_v_ip.weight"] = 2 * some(rows, across)
            number += 2
    for name, value in changes.items():
        tensors.pop(name.replace("__", "."), None)
        if value is not None:
            tensors[name.replace("__", ".")] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: one.contiguous() for name, one in tensors.items()}, path)
    return path


def _projection(kind: AdapterKind, across: int, some: Any) -> dict[str, Tensor]:
    if kind == "plain":
        rows = _TOKENS[kind] * across
        return {
            "proj.weight": some(rows, SAID),
            "proj.bias": some(rows),
            **_norm("norm", across, some),
        }
    if kind == "full":
        return {
            "proj.0.weight": some(HIDDEN, HIDDEN),
            "proj.0.bias": some(HIDDEN),
            "proj.2.weight": some(across, HIDDEN),
            "proj.2.bias": some(across),
            **_norm("proj.3", across, some),
        }
    tensors = {
        "latents": some(1, _TOKENS[kind], _INSIDE),
        "proj_in.weight": some(_INSIDE, HIDDEN),
        "proj_in.bias": some(_INSIDE),
        "proj_out.weight": some(across, _INSIDE),
        "proj_out.bias": some(across),
        **_norm("norm_out", across, some),
    }
    for layer in range(4):
        tensors |= {
            **_norm(f"layers.{layer}.0.norm1", _INSIDE, some),
            **_norm(f"layers.{layer}.0.norm2", _INSIDE, some),
            f"layers.{layer}.0.to_q.weight": some(128, _INSIDE),
            f"layers.{layer}.0.to_kv.weight": some(256, _INSIDE),
            f"layers.{layer}.0.to_out.weight": some(_INSIDE, 128),
            **_norm(f"layers.{layer}.1.0", _INSIDE, some),
            f"layers.{layer}.1.1.weight": some(4 * _INSIDE, _INSIDE),
            f"layers.{layer}.1.3.weight": some(_INSIDE, 4 * _INSIDE),
        }
    return tensors


def _norm(name: str, width: int, some: Any) -> dict[str, Tensor]:
    return {f"{name}.weight": 1 + some(width), f"{name}.bias": some(width)}
