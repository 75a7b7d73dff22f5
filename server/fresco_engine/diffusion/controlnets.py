"""Finding the ControlNets for a model and the kinds of control images that are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, T2IAdapter
from fresco_settings import Remedy, said

from fresco_engine.diffusion import folders, single_file
from fresco_engine.diffusion.card import ModelCard
from fresco_engine.diffusion.controls import LoadedControl
from fresco_engine.diffusion.detectors.loading import load_detector
from fresco_engine.diffusion.detectors.places import DetectorPlaces
from fresco_engine.diffusion.library import NO_LIBRARY, Library
from fresco_engine.diffusion.named_files import named_controlnet
from fresco_engine.diffusion.sources import (
    HUB_CONTROLS,
    HUB_CONTROLS_XL,
    how_to_download,
    locate,
)
from fresco_engine.diffusion.t2i_adapters import is_t2i_adapter, load_t2i_adapter
from fresco_engine.diffusion.weights import Header, WeightsKind
from fresco_engine.errors import ControlUnavailable, ModelNotFound, WrongModelKind
from fresco_engine.settings import ControlKind

_OTHER = "this ControlNet is made for another kind of model; give one made for this model"
_MUST_AGREE = ("in_channels", "block_out_channels", "layers_per_block", "cross_attention_dim")
_XL = {
    "in_channels": 4,
    "block_out_channels": (320, 640, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 2048,
}
_SD15 = {
    "in_channels": 4,
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 768,
}


@dataclass(frozen=True)
class ControlPlaces:
    """Where ControlNets and detectors may lie: at or beside `model`, and in what a user names.

    ControlNets also lie in `library`, by the names that they have on the hub.
    """

    model: Path
    card: ModelCard
    source: str | Path | None = None
    offline: bool = False
    library: Library = NO_LIBRARY

    @property
    def detectors(self) -> DetectorPlaces:
        """The folders beside which detectors may lie, those that the user names first."""
        named = [Path(self.source).expanduser()] if self.source is not None else []
        found = [path if path.is_dir() else path.parent for path in (*named, self.model)]
        return DetectorPlaces(tuple(path for path in found if path.is_dir()), self.offline)


def load_controls(
    kinds: Sequence[ControlKind], places: ControlPlaces, unet: Any, device: torch.device
) -> tuple[LoadedControl, ...]:
    """A control for each kind but `none`: ControlNets on the CPU, detectors on `device`.

    Raises:
        ControlUnavailable: there is none of a kind, with what to do.
        ModelError: its files are no ControlNet's for `unet`, or damaged.
    """
    loaded: dict[Path, ControlNetModel | T2IAdapter] = {}
    controls: list[LoadedControl] = []
    for kind in kinds:
        if kind == "none":
            continue
        path = find_controlnet(kind, places, unet, is_alone=len(kinds) == 1)
        if path not in loaded:
            loaded[path] = load_controlnet(path, unet, unet.dtype)
        detector = load_detector(kind, places.detectors, device)
        controls.append(LoadedControl(kind=kind, network=loaded[path], detector=detector))
    return tuple(controls)


def find_controlnet(
    kind: ControlKind, places: ControlPlaces, unet: Any, *, is_alone: bool = True
) -> Path:
    """Where the ControlNet for `kind` lies, a folder or file.

    What the user names goes first, then what the model brings along, then, for a model of Stable
    Diffusion 1.5's shape, the known one, from the library or the hub.
    What the user names may be a folder with one for each kind, and has to be where the kind is not
    alone.

    Raises:
        ControlUnavailable: there is none, with what to do.
    """
    card = places.card
    if places.source is not None:
        named = _of_kind(kind, places.source)
        if named is not None or is_alone:
            return named or locate(places.source, offline=places.offline)
        raise ControlUnavailable(
            places.source,
            f"it holds no ControlNet for {kind}; where several kinds bind, give a folder that "
            f"holds one for each, called {kind} or {kind}.safetensors",
        )
    if kind in card.controls:
        return places.model / card.controls[kind]
    known = _known(unet).get(kind)
    if known is None:
        has = ", ".join(card.controls) or "none"
        raise ControlUnavailable(
            card.name,
            f"the model has no ControlNet for {kind} (it has: {has}); "
            "choose another control, or give a ControlNet made for this model",
        )
    found = named_controlnet(kind, known, places.library)
    return found or _from_hub(kind, known, places.offline)


def _known(unet: Any) -> Mapping[str, str]:
    """The hub's ControlNets for models of this U-Net's shape, by their kinds."""
    if is_like_sd15(unet):
        return HUB_CONTROLS
    return HUB_CONTROLS_XL if _agrees(unet.config, _XL) else {}


def _of_kind(kind: ControlKind, source: str | Path) -> Path | None:
    folder = Path(source).expanduser()
    if (folder / "config.json").is_file():
        return None
    places = (folder / kind, folder / f"{kind}.safetensors")
    return next((place for place in places if place.exists()), None)


def _from_hub(kind: ControlKind, hub_id: str, offline: bool) -> Path:
    try:
        return locate(hub_id, offline=offline)
    except ModelNotFound as error:
        raise ControlUnavailable(
            hub_id,
            f"the ControlNet for {kind} is not on this machine and could not be downloaded; "
            f"{how_to_download(hub_id)}, or {said(Remedy.NO_CONTROL)}",
        ) from error


def load_controlnet(path: Path, unet: Any, dtype: torch.dtype) -> ControlNetModel | T2IAdapter:
    """The ControlNet, or T2I-Adapter, at `path`, checked to fit `unet`, on the CPU.

    Raises:
        WrongModelKind: it is something else, or made for a network of another shape.
        ModelCorrupt: files are missing or damaged.
    """
    if is_t2i_adapter(path):
        return load_t2i_adapter(path, unet, dtype)
    if path.is_dir():
        controlnet = folders.load_controlnet(path, dtype)
    else:
        header = folders.require_weights_file(path, "a ControlNet", WeightsKind.CONTROLNET)
        if not _listens_to(header, unet):
            raise WrongModelKind(path, _OTHER)
        controlnet = single_file.load_controlnet(path, header, unet.config, dtype)
    if not _agrees(controlnet.config, {name: unet.config[name] for name in _MUST_AGREE}):
        raise WrongModelKind(path, _OTHER)
    return controlnet


def _listens_to(header: Header, unet: Any) -> bool:
    """Whether the prompts that a ControlNet in a file was trained with are as wide as `unet`'s."""
    layer = "transformer_blocks.0.attn2.to_k.weight"
    widths = {tensor.shape[-1] for name, tensor in header.items() if name.endswith(layer)}
    return widths <= {unet.config.cross_attention_dim}


def is_like_sd15(unet: Any) -> bool:
    """Whether a U-Net is of Stable Diffusion 1.5's shape, for which the hub has what is added."""
    return _agrees(unet.config, _SD15)


def _agrees(config: Any, wanted: dict[str, Any]) -> bool:
    return all(_plain(config[name]) == _plain(value) for name, value in wanted.items())


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value
