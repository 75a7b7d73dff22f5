"""OpenCLIP's text encoders by their own names: that of Stable Diffusion 2.x, the second of XL.

Both are read up to the layer before the last, which is all that 2.x needs. XL also pools what the
last one says, by a projection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from torch import Tensor
from transformers import CLIPTextConfig

from fresco_engine.diffusion.weights import OPEN_CLIP_PREFIX, XL_OPEN_CLIP_PREFIX, Header

_BLOCKS = "transformer.resblocks."
_HEAD_SIZE = 64
_READ = 23
"""Layers of 2.x's that are read: all but the last, which the U-Net was not trained with."""
_PROJECTION = "text_projection"
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


def open_clip_config(header: Header, prefix: str = OPEN_CLIP_PREFIX) -> CLIPTextConfig:
    """The configuration of the text encoder in a file, whose names begin with `prefix`."""
    words, width = header[f"{prefix}token_embedding.weight"].shape
    config = CLIPTextConfig(
        vocab_size=words,
        hidden_size=width,
        intermediate_size=header[f"{prefix}{_BLOCKS}0.mlp.c_fc.weight"].shape[0],
        num_hidden_layers=_layers(header, prefix),
        num_attention_heads=max(1, width // _HEAD_SIZE),
        max_position_embeddings=header[f"{prefix}positional_embedding"].shape[0],
        hidden_act="gelu",
        bos_token_id=words - 2,
        eos_token_id=words - 1,
        pad_token_id=0,
    )
    if _pools(prefix):
        config.projection_dim = header[prefix + _PROJECTION].shape[1]
    return config


def open_clip_tensors(
    tensors: Mapping[str, Tensor], prefix: str = OPEN_CLIP_PREFIX
) -> Iterator[tuple[str, Tensor]]:
    """The tensors by the names that CLIP's text encoder has for them, of the layers read."""
    layers, blocks = _layers(tensors, prefix), f"{prefix}{_BLOCKS}"
    for name, tensor in tensors.items():
        bare = name.removeprefix(prefix)
        if name.startswith(prefix) and bare in _ALONE:
            yield _ALONE[bare], tensor
        if not name.startswith(blocks):
            continue
        layer, _, part = name.removeprefix(blocks).partition(".")
        if int(layer) < layers:
            for inner, one in _of_layer(part, tensor):
                yield f"encoder.layers.{layer}.{inner}", one


def open_clip_projection(tensors: Mapping[str, Tensor]) -> Tensor:
    """The matrix by which XL's text encoder pools, as a linear layer has it."""
    return tensors[XL_OPEN_CLIP_PREFIX + _PROJECTION].T.contiguous()


def _of_layer(part: str, tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
    """One tensor of a layer; those of queries, keys and values are stacked in one."""
    if found := _STACKED.fullmatch(part):
        for name, one in zip("qkv", tensor.chunk(3), strict=True):
            yield f"self_attn.{name}_proj.{found[1]}", one.contiguous()
        return
    head, _, last = part.rpartition(".")
    yield f"{_INSIDE[head]}.{last}", tensor


def _pools(prefix: str) -> bool:
    return prefix == XL_OPEN_CLIP_PREFIX


def _layers(names: Mapping[str, object], prefix: str) -> int:
    blocks = f"{prefix}{_BLOCKS}"
    found = {name.removeprefix(blocks).split(".")[0] for name in names if name.startswith(blocks)}
    # Some files of 2.x leave the last one out.
    is_whole = _pools(prefix) or len(found) == _READ
    return len(found) if is_whole else len(found) - 1
