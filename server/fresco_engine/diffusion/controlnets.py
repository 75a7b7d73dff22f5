"""Finding the ControlNet for a model and a kind of control image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel
from fresco_settings import Remedy, said

from fresco_engine.diffusion import folders, single_file
from fresco_engine.diffusion.card import ModelCard
from fresco_engine.diffusion.control import require_supported
from fresco_engine.diffusion.sources import HUB_CONTROLS, how_to_download, locate
from fresco_engine.diffusion.weights import WeightsKind
from fresco_engine.errors import ControlUnavailable, ModelNotFound, WrongModelKind
from fresco_engine.settings import ControlKind

_MUST_AGREE = ("in_channels", "block_out_channels", "layers_per_block", "cross_attention_dim")
_SD15 = {
    "in_channels": 4,
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 768,
}


def find_controlnet(
    kind: ControlKind,
    folder: Path,
    card: ModelCard,
    unet: Any,
    source: str | Path | None,
    offline: bool,
) -> Path | None:
    """Where the ControlNet for `kind` lies, a folder or file; `None` where none is wanted.

    `source` goes first, then what the model in `folder` brings along, then, for a model of
    Stable Diffusion 1.5's shape, the hub's known one.

    Raises:
        ControlUnavailable: there is none, with what to do.
    """
    require_supported(kind)
    if kind == "none":
        return None
    if source is not None:
        return locate(source, offline=offline)
    if kind in card.controls:
        return folder / card.controls[kind]
    if not _agrees(unet.config, _SD15):
        has = ", ".join(card.controls) or "none"
        raise ControlUnavailable(
            card.name,
            f"the model has no ControlNet for {kind} (it has: {has}); "
            "choose another control, or give a ControlNet made for this model",
        )
    return _from_hub(kind, offline)


def _from_hub(kind: ControlKind, offline: bool) -> Path:
    hub_id = HUB_CONTROLS[kind]
    try:
        return locate(hub_id, offline=offline)
    except ModelNotFound as error:
        raise ControlUnavailable(
            hub_id,
            f"the ControlNet for {kind} is not on this machine and could not be downloaded; "
            f"{how_to_download(hub_id)}, or {said(Remedy.NO_CONTROL)}",
        ) from error


def load_controlnet(path: Path, unet: Any, dtype: torch.dtype) -> ControlNetModel:
    """The ControlNet at `path`, checked to fit `unet`, on the CPU.

    Raises:
        WrongModelKind: it is something else, or made for a network of another shape.
        ModelCorrupt: files are missing or damaged.
    """
    if path.is_dir():
        controlnet = folders.load_controlnet(path, dtype)
    else:
        header = folders.require_weights_file(path, "a ControlNet", WeightsKind.CONTROLNET)
        controlnet = single_file.load_controlnet(path, header, unet.config, dtype)
    if not _agrees(controlnet.config, {name: unet.config[name] for name in _MUST_AGREE}):
        raise WrongModelKind(
            path, "this ControlNet is made for another kind of model; give one made for this model"
        )
    return controlnet


def _agrees(config: Any, wanted: dict[str, Any]) -> bool:
    return all(_plain(config[name]) == _plain(value) for name, value in wanted.items())


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value
