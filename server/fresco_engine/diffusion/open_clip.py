"""The text encoder of Stable Diffusion 2.x checkpoints, which is OpenCLIP's by its own names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from torch import Tensor
from transformers import CLIPTextConfig

from fresco_engine.diffusion.weights import OPEN_CLIP_PREFIX, Header

_BLOCKS = f"{OPEN_CLIP_PREFIX}transformer.resblocks."
_HEAD_SIZE = 64
_READ = 23
"""Layers that are read: all but the last, which the U-Net was not trained with."""
PADDING = "!"
"""What stands after a prompt's end, where CLIP repeats its end."""
_ALONE = {
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}
_INSIDE = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}
_STACKED = re.compile(r"attn\.in_proj_(weight|bias)")


def open_clip_config(header: Header) -> CLIPTextConfig:
    """The configuration of the text encoder in a file."""
    words, width = header[f"{OPEN_CLIP_PREFIX}token_embedding.weight"].shape
    return CLIPTextConfig(
        vocab_size=words,
        hidden_size=width,
        intermediate_size=header[f"{_BLOCKS}0.mlp.c_fc.weight"].shape[0],
        num_hidden_layers=_layers(header),
        num_attention_heads=max(1, width // _HEAD_SIZE),
        max_position_embeddings=header[f"{OPEN_CLIP_PREFIX}positional_embedding"].shape[0],
        hidden_act="gelu",
        bos_token_id=words - 2,
        eos_token_id=words - 1,
        pad_token_id=0,
    )


def open_clip_tensors(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The tensors by the names that CLIP's text encoder has for them, of the layers read."""
    layers = _layers(tensors)
    for name, tensor in tensors.items():
        bare = name.removeprefix(OPEN_CLIP_PREFIX)
        if name.startswith(OPEN_CLIP_PREFIX) and bare in _ALONE:
            yield _ALONE[bare], tensor
        if not name.startswith(_BLOCKS):
            continue
        layer, _, part = name.removeprefix(_BLOCKS).partition(".")
        if int(layer) < layers:
            for inner, one in _of_layer(part, tensor):
                yield f"encoder.layers.{layer}.{inner}", one


def _of_layer(part: str, tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
    """One tensor of a layer; those of queries, keys and values are stacked in one."""
    if found := _STACKED.fullmatch(part):
        for name, one in zip("qkv", tensor.chunk(3), strict=True):
            yield f"self_attn.{name}_proj.{found[1]}", one.contiguous()
        return
    head, _, last = part.rpartition(".")
    yield f"{_INSIDE[head]}.{last}", tensor


def _layers(names: Mapping[str, object]) -> int:
    blocks = {name.removeprefix(_BLOCKS).split(".")[0] for name in names if _BLOCKS in name}
    # Some files leave the last one out.
    return len(blocks) if len(blocks) == _READ else len(blocks) - 1
