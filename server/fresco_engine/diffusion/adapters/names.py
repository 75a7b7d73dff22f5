"""Which layer of which network a tensor of a LoRA file belongs to, in every spelling there is.

Files write a layer's path with full stops (diffusers, PEFT) or underscores (kohya, LyCORIS), by the
names of diffusers or by those of the first Stable Diffusion code. Paths are compared with every
full stop an underscore, which keeps all of these apart from each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

Owner = Literal["unet", "text_encoder", "text_encoder_2"]


@dataclass(frozen=True)
class Place:
    """A layer that a tensor belongs to, and which part of the correction the tensor is."""

    owner: Owner
    layer: str
    part: str


_OWNERS: tuple[tuple[str, Owner], ...] = (
    ("lora_unet_", "unet"),
    ("lycoris_unet_", "unet"),
    ("unet.", "unet"),
    ("lora_te2_", "text_encoder_2"),
    ("text_encoder_2.", "text_encoder_2"),
    ("lora_te1_", "text_encoder"),
    ("lora_te_", "text_encoder"),
    ("lycoris_te_", "text_encoder"),
    ("text_encoder.", "text_encoder"),
)
_WRAPPER = "base_model.model."
"""What PEFT puts before a network's own names, or between it and the network's."""
_PARTS = {
    "lora_A.weight": "down",
    "lora_B.weight": "up",
    "lora_A.default.weight": "down",
    "lora_B.default.weight": "up",
    "lora_down.weight": "down",
    "lora_up.weight": "up",
    "lora_mid.weight": "mid",
    "lora.down.weight": "down",
    "lora.up.weight": "up",
    "lora_linear_layer.down.weight": "down",
    "lora_linear_layer.up.weight": "up",
    "lora_magnitude_vector": "dora_scale",
    "lora_magnitude_vector.weight": "dora_scale",
    "lora_magnitude_vector.default.weight": "dora_scale",
    **{
        name: name
        for name in (
            *("alpha", "dora_scale", "diff", "diff_b", "w_norm", "b_norm"),
            *("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"),
            *("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"),
        )
    },
}
"""What each ending stands for."""
_OF_ATTENTION = re.compile(r"(.*?)\.(?:processor\.)?to_(q|k|v|out)_lora\.(down|up)\.weight")
_BEYOND = re.compile(r"lora_prior_|double_blocks|single_blocks|joint_blocks")


def place_of(name: str) -> Place | None:
    """Where the tensor called `name` belongs; None where this is no part of any known kind."""
    name = name.removeprefix(_WRAPPER)
    owner: Owner = "unet"
    for prefix, whose in _OWNERS:
        if name.startswith(prefix):
            name, owner = name.removeprefix(prefix), whose
            break
    name = name.removeprefix(_WRAPPER)
    if found := _OF_ATTENTION.fullmatch(name):
        path, which, part = found.groups()
        return Place(owner, flat(f"{path}.{_projection(owner, which)}"), part)
    for ending, part in _PARTS.items():
        if name.endswith(f".{ending}"):
            return Place(owner, flat(name.removesuffix(f".{ending}")), part)
    return None


def is_beyond(name: str) -> bool:
    """Whether the tensor called `name` is for a network that Stable Diffusion never has."""
    return bool(_BEYOND.search(name))


def layers_by_name(owner: Owner, network: nn.Module) -> Mapping[str, nn.Module]:
    """The network's layers with weights under every flat name that files give them."""
    named: dict[str, nn.Module] = {}
    for path, module in network.named_modules():
        if isinstance(getattr(module, "weight", None), nn.Parameter):
            named[flat(path)] = module
    if owner == "unet":
        original = dict(_original_paths(network))
        named |= {
            flat(name): network.get_submodule(path)
            for path, name in original.items()
            if flat(path) in named
        }
    return named


def flat(path: str) -> str:
    """A path as paths are compared; a text encoder's with and without its inner model are one."""
    return path.replace(".", "_").removeprefix("text_model_")


def _projection(owner: Owner, which: str) -> str:
    if owner == "unet":
        return "to_out.0" if which == "out" else f"to_{which}"
    return "out_proj" if which == "out" else f"{which}_proj"


_INSIDE_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ALONE = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def _original_paths(unet: Any) -> Iterator[tuple[str, str]]:
    """diffusers' path of each layer, and the one in the first Stable Diffusion code."""
    yield from _ALONE.items()
    layers = int(unet.config["layers_per_block"])
    blocks = {
        f"down_blocks.{i}.{kind}.{j}": f"input_blocks.{i * (layers + 1) + j + 1}.{at}"
        for i in range(len(unet.down_blocks))
        for j in range(layers)
        for kind, at in (("resnets", 0), ("attentions", 1))
    }
    blocks |= {"mid_block.resnets.0": "middle_block.0", "mid_block.attentions.0": "middle_block.1"}
    blocks |= {"mid_block.resnets.1": "middle_block.2"}
    blocks |= {
        f"up_blocks.{i}.{kind}.{j}": f"output_blocks.{i * (layers + 1) + j}.{at}"
        for i in range(len(unet.up_blocks))
        for j in range(layers + 1)
        for kind, at in (("resnets", 0), ("attentions", 1))
    }
    for path, _ in unet.named_modules():
        block = next((name for name in blocks if path.startswith(f"{name}.")), None)
        if block is not None:
            inner = path.removeprefix(f"{block}.")
            yield path, f"{blocks[block]}.{_INSIDE_RESNET.get(inner, inner)}"
    for i, down in enumerate(unet.down_blocks):
        if down.downsamplers:
            at = (i + 1) * (layers + 1)
            yield f"down_blocks.{i}.downsamplers.0.conv", f"input_blocks.{at}.0.op"
    for i, up in enumerate(unet.up_blocks):
        if up.upsamplers:
            at = i * (layers + 1) + layers
            place = 2 if hasattr(up, "attentions") else 1
            yield f"up_blocks.{i}.upsamplers.0.conv", f"output_blocks.{at}.{place}.conv"
