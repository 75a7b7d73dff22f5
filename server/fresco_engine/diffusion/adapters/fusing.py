"""Adds the corrections in a LoRA file to the networks of a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from fresco_media.files.opening import settled
from safetensors.torch import load_file
from torch import Tensor, nn

from fresco_engine.diffusion.adapters.corrections import (
    Misshapen,
    Parts,
    UnknownParts,
    add_correction,
)
from fresco_engine.diffusion.adapters.names import (
    Owner,
    Place,
    is_beyond,
    layers_by_name,
    place_of,
)
from fresco_engine.diffusion.finite import are_finite
from fresco_engine.diffusion.intake import check_numbers, read_json
from fresco_engine.diffusion.lora import Lora
from fresco_engine.diffusion.weights import (
    Header,
    WeightsKind,
    kind_of,
    read_header,
    read_metadata,
    wrong_kind,
)
from fresco_engine.errors import ModelCorrupt, ModelNotFound, WrongModelKind

_FOREIGN = (
    "this LoRA does not fit: it is made for another kind of model, such as {}; use one made for "
    "Stable Diffusion {}"
)
_NOT_FIRST = ("XL, 2.x or Flux", "1.x")
_UNREAD = (
    "this LoRA is of a variant that is not read here ({}); use a LoRA, LoCon, LoHa, LoKr or DoRA"
)
_CONFIG, _OF_CONFIG = "adapter_config.json", "adapter_model"
"""PEFT's configuration, and the file that it is about."""


def fuse_lora(
    lora: Lora, unet: nn.Module, text_encoder: nn.Module, text_encoder_2: nn.Module | None = None
) -> None:
    """Adds a LoRA to the weights of the networks; which kinds there are says `corrections`.

    A second text encoder is that of a model of Stable Diffusion XL's shape.

    Raises:
        ModelNotFound: there is no such file.
        WrongModelKind: it is no LoRA, or made for a network of another shape.
        ModelCorrupt: the file is damaged.
    """
    if not lora.path.is_file():
        is_folder = lora.path.is_dir()
        raise ModelNotFound(
            lora.path,
            "this is a folder; name the LoRA's .safetensors file in it"
            if is_folder
            else "there is no such LoRA file; check the path",
        )
    header = read_header(lora.path)
    check_numbers(lora.path, header)
    kind = kind_of(header)
    if kind is not WeightsKind.LORA:
        raise wrong_kind(lora.path, kind, "a LoRA")
    networks: dict[Owner, nn.Module] = {"unet": unet, "text_encoder": text_encoder}
    if text_encoder_2 is not None:
        networks["text_encoder_2"] = text_encoder_2
    foreign = _FOREIGN.format(*(("1.x", "XL") if text_encoder_2 is not None else _NOT_FIRST))
    layers = {owner: layers_by_name(owner, network) for owner, network in networks.items()}
    places = _places(lora.path, header, foreign)
    meant = {(place.owner, place.layer) for place in places.values()}
    if any(layer not in layers.get(owner, ()) for owner, layer in meant):
        raise WrongModelKind(lora.path, foreign)
    for (owner, layer), parts in _corrections(lora.path, places).items():
        try:
            add_correction(layers[owner][layer], parts, lora.weight)
        except Misshapen as error:
            raise WrongModelKind(lora.path, foreign) from error
        except UnknownParts as error:
            raise WrongModelKind(lora.path, _UNREAD.format(error)) from error


def _places(path: Path, header: Header, foreign: str) -> dict[str, Place]:
    """Where each tensor belongs, by its name; `foreign` is what is said of one beyond all."""
    if any(is_beyond(name) for name in header):
        raise WrongModelKind(path, foreign)
    places = {name: place_of(name) for name in header}
    unknown = [name for name, place in places.items() if place is None]
    if unknown:
        raise WrongModelKind(path, _UNREAD.format(unknown[0].rpartition(".")[2]))
    return {name: place for name, place in places.items() if place is not None}


def _corrections(path: Path, places: Mapping[str, Place]) -> Mapping[tuple[Owner, str], Parts]:
    """The tensors of each layer, by owner and layer."""
    with settled(path) as name:
        stored = load_file(name)
    if not are_finite(stored.values()):
        raise ModelCorrupt(
            path, "it holds values that are no numbers (NaN or infinity); get the LoRA again"
        )
    found: dict[tuple[Owner, str], dict[str, Tensor]] = {}
    for key, place in places.items():
        found.setdefault((place.owner, place.layer), {})[place.part] = stored[key]
    said = _Scale.stated(path)
    for (owner, _), parts in found.items():
        if owner in said and "down" in parts:
            parts.setdefault("alpha", torch.tensor(said[owner].alpha(parts["down"].shape[0])))
    return found


@dataclass(frozen=True)
class _Scale:
    """What PEFT says once for all layers of a network, where other files have a tensor for each."""

    lora_alpha: float
    use_rslora: bool

    def alpha(self, rank: int) -> float:
        """The α of a layer of rank r: Δ = (α/r)·B·A, or (α/√r)·B·A (Kalajdzievski 2023)."""
        return self.lora_alpha * (rank**0.5 if self.use_rslora else 1.0)

    @classmethod
    def stated(cls, path: Path) -> Mapping[Owner, _Scale]:
        """What the file's metadata say, or PEFT's configuration beside it."""
        held = _parsed(read_metadata(path).get("lora_adapter_metadata", ""))
        beside = path.with_name(_CONFIG)
        # Of other files in its folder it says nothing.
        if not held and path.stem == _OF_CONFIG and beside.is_file():
            config = read_json(beside)
            held = {f"{owner}.{name}": config[name] for owner in _OWNERS for name in config}
        return {owner: scale for owner in _OWNERS if (scale := cls._of(held, owner)) is not None}

    @classmethod
    def _of(cls, held: Mapping[str, Any], owner: Owner) -> _Scale | None:
        alpha = held.get(f"{owner}.lora_alpha")
        if not isinstance(alpha, int | float):
            return None
        return cls(float(alpha), held.get(f"{owner}.use_rslora") is True)


_OWNERS: tuple[Owner, ...] = ("unet", "text_encoder", "text_encoder_2")


def _parsed(text: str) -> dict[str, Any]:
    try:
        held = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}
