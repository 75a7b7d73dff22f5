"""T2I-Adapters (arXiv:2302.08453): structure bound by features that are made once a batch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import T2IAdapter
from fresco_media.files.opening import settled
from safetensors.torch import load_file
from torch import Tensor

from fresco_engine.diffusion.folders import load_part
from fresco_engine.diffusion.intake import check_config, check_numbers, read_json
from fresco_engine.diffusion.memory import aligned
from fresco_engine.diffusion.weights import Header, WeightsKind, kind_of, read_header
from fresco_engine.errors import ModelCorrupt, WrongModelKind

_PREFIX = "adapter."
_LEVELS = 4
_SHRUNK, _SHRUNK_XL = 8, 16
"""How much smaller than pictures the first features are: pixels become channels before them."""
_GREY, _COLOURS = 1, 3
_FULL = re.compile(r"body\.(\d+)\.((?:block1|block2|in_conv)\..+)")
_LIGHT = re.compile(r"^body\.(\d+)\.body\.(\d+)\.")
_TODAYS = ".resnets."


def is_t2i_adapter(path: Path) -> bool:
    """Whether a folder or file holds a T2I-Adapter; raises what reading it does."""
    if path.is_dir():
        config = path / "config.json"
        return config.is_file() and read_json(config).get("_class_name") == "T2IAdapter"
    return kind_of(read_header(path)) is WeightsKind.T2I_ADAPTER


def load_t2i_adapter(path: Path, unet: Any, dtype: torch.dtype) -> T2IAdapter:
    """The T2I-Adapter at `path`, checked to fit `unet`, on the CPU.

    A file is in the layout of the first code or in diffusers'; full and light ones are told by
    their tensors.

    Raises:
        WrongModelKind: it is made for another kind of model.
        ModelCorrupt: files are missing or damaged.
    """
    if path.is_dir():
        _require_fit(path, read_json(path / "config.json"), unet)
        return load_part(T2IAdapter, path, torch_dtype=dtype)
    header = read_header(path)
    bare = {name.removeprefix(_PREFIX): one for name, one in header.items()}
    try:
        config = _config(bare)
        check_numbers(path, header)
        check_config(path, config)
        _require_fit(path, config, unet)
        with settled(path) as name:
            tensors = load_file(name)
        with init_empty_weights():
            network: Any = T2IAdapter.from_config(config)
        is_todays = any(_TODAYS in name for name in bare)
        named = {
            name if is_todays else _today(name, config): tensors[full].to(dtype)
            for full, name in zip(header, bare, strict=True)
        }
        network.load_state_dict({_PREFIX + name: one for name, one in named.items()}, assign=True)
    except (KeyError, IndexError, ValueError, RuntimeError, OSError) as error:
        raise ModelCorrupt(
            path, f"its tensors do not make a complete T2I-Adapter ({error}); download it again"
        ) from error
    return aligned(network)


def _require_fit(path: Path, config: Mapping[str, Any], unet: Any) -> None:
    widths = list(config.get("channels") or ())
    is_light = config.get("adapter_type") == "light_adapter"
    made = [*widths, widths[-1]] if is_light and widths else widths
    is_xl = config.get("adapter_type") == "full_adapter_xl" or (
        config.get("downscale_factor", _SHRUNK) == _SHRUNK_XL
    )
    if is_xl or made != list(unet.config["block_out_channels"]):
        kind = "Stable Diffusion XL" if is_xl else "another kind of model"
        raise WrongModelKind(
            path,
            f"this T2I-Adapter is made for {kind}; give one made for this model, as those whose "
            "names end in sd14v1 or sd15v2 for Stable Diffusion 1.x",
        )
    channels = config.get("in_channels", _COLOURS)
    if channels not in (_GREY, _COLOURS):
        raise WrongModelKind(
            path, f"this T2I-Adapter is shown pictures of {channels} channels; give another one"
        )


def _config(header: Header) -> dict[str, Any]:
    """The configuration of an adapter whose tensors' names have no prefix."""
    is_light = "body.0.out_conv.weight" in header
    first = header["body.0.in_conv.weight" if is_light else "conv_in.weight"].shape
    places = {int(found[1]) for name in header if (found := re.match(r"body\.(\d+)\.", name))}
    if is_light:
        blocks = _count(header, r"body\.0\.(?:body|resnets)\.(\d+)\.")
        widths = [header[f"body.{n}.out_conv.weight"].shape[0] for n in sorted(places)][:-1]
    elif "body.0.resnets.0.block1.weight" in header:
        blocks = _count(header, r"body\.0\.resnets\.(\d+)\.")
        widths = [header[f"body.{n}.resnets.0.block1.weight"].shape[0] for n in sorted(places)]
    else:
        blocks = len(places) // _LEVELS
        widths = [header[f"body.{n * blocks}.block1.weight"].shape[0] for n in range(_LEVELS)]
    if not blocks:
        raise ValueError("its blocks are missing")
    shrunk = _SHRUNK_XL if first[1] in (_GREY * 256, _COLOURS * 256) else _SHRUNK
    return {
        "in_channels": first[1] // shrunk**2,
        "channels": widths,
        "num_res_blocks": blocks,
        "downscale_factor": shrunk,
        "adapter_type": "light_adapter" if is_light else "full_adapter",
    }


def _count(header: Header, pattern: str) -> int:
    return len({found[1] for name in header if (found := re.match(pattern, name))})


def _today(name: str, config: Mapping[str, Any]) -> str:
    """The library's name of a tensor of the first code, where a full adapter is one list."""
    if config["adapter_type"] == "light_adapter":
        return _LIGHT.sub(r"body.\1.resnets.\2.", name)
    found = _FULL.fullmatch(name)
    if found is None:
        return name
    level, place = divmod(int(found[1]), config["num_res_blocks"])
    inside = "" if found[2].startswith("in_conv.") else f"resnets.{place}."
    return f"body.{level}.{inside}{found[2]}"


def features_of(adapter: T2IAdapter, pictures: Tensor, strength: float) -> tuple[Tensor, ...]:
    """What is added to the U-Net's encoder, weighted, for pictures f 3 H W in [0, 1].

    An adapter for grey pictures is shown their first channel: those that it is made for have three
    that are alike.
    """
    shown: Tensor = pictures[:, : adapter.config["in_channels"]]
    return tuple(one * strength for one in adapter(shown))


def summed(features: Iterator[tuple[Tensor, ...]]) -> list[Tensor]:
    """The sum of what several adapters add; nothing where there are none."""
    found: list[Tensor] = []
    for one in features:
        found = [a + b for a, b in zip(found, one, strict=True)] if found else list(one)
    return found
