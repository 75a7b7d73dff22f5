"""T2I-Adapters for the tiny U-Net, in the layouts that people have them in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import T2IAdapter
from fresco_engine.diffusion.quiet import quiet_libraries
from safetensors.torch import save_file

from tests.fakes.tiny_models import WIDTHS

T2IKind = Literal["full", "light"]
BLOCKS = {"full": 2, "light": 4}


def tiny_t2i_adapter(kind: T2IKind = "full", in_channels: int = 3, **changes: Any) -> Any:
    """An adapter with random numbers, made for `tiny_unet`."""
    widths = list(WIDTHS) if kind == "full" else list(WIDTHS[:-1])
    config = {
        "in_channels": in_channels,
        "channels": widths,
        "num_res_blocks": BLOCKS[kind],
        "adapter_type": f"{kind}_adapter",
        **changes,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        return T2IAdapter(**config).eval().requires_grad_(False)


def write_t2i_adapter(
    place: Path, adapter: Any, layout: Literal["folder", "file", "first"] = "first"
) -> Path:
    """Writes an adapter as the library does, or into one file, also as the first code names it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.contiguous() for name, value in adapter.state_dict().items()}
    if layout == "folder":
        with quiet_libraries():
            adapter.save_pretrained(place)
    elif layout == "file":
        save_file(tensors, place)
    else:
        save_file({_first(name, adapter.config): one for name, one in tensors.items()}, place)
    return place


def _first(name: str, config: Any) -> str:
    """One list of blocks in a full adapter; in a light one, a list of lists."""
    name = name.removeprefix("adapter.")
    found = re.fullmatch(r"body\.(\d+)\.(?:resnets\.(\d+)\.)?(.+)", name)
    if found is None:
        return name
    level, place, rest = int(found[1]), found[2], found[3]
    if config["adapter_type"] == "light_adapter":
        return name if place is None else f"body.{level}.body.{place}.{rest}"
    return f"body.{level * config['num_res_blocks'] + int(place or 0)}.{rest}"
