"""What a user can choose about a restyle. None leaves a setting to preset, model and engine.

Fields, meanings, ranges and defaults are declared in `fresco_settings`; the daemon checks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import fresco_settings as declared
from fresco_settings import PartialSettings, left_open, nested, parameters_of

KeyframeChangeKind = Literal["reroll", "add", "remove", "replace"]


@left_open(declared.AttentionSettings)
class AttentionSettings(PartialSettings):
    """FRESCO-guided attention; each part can be off."""


@left_open(declared.OptimisationSettings)
class OptimisationSettings(PartialSettings):
    """FRESCO-aware feature optimisation; either loss can be off."""


@left_open(declared.SmoothingSettings)
class SmoothingSettings(PartialSettings):
    """Smoothing of the background."""


@left_open(declared.RestyleSettings)
class RestyleSettings(PartialSettings):
    """Everything a user can choose about a restyle; a prompt or a style is required."""


_PARTS: dict[str, type[PartialSettings]] = {
    "attention": AttentionSettings,
    "optimisation": OptimisationSettings,
    "smoothing": SmoothingSettings,
}
_PARAMETERS = {one.name: one for one in parameters_of(declared.RestyleSettings)}


def settings_of(values: Mapping[str, Any]) -> RestyleSettings:
    """Settings from plain values by path, such as "strength" or "attention.spatial".

    Names that this version does not know are passed over.
    """
    known = {
        name: _read(_PARAMETERS[name].shape, value)
        for name, value in values.items()
        if name in _PARAMETERS and value is not None
    }
    chosen = nested(known)
    return RestyleSettings(
        **{name: _PARTS[name](**one) if name in _PARTS else one for name, one in chosen.items()}
    )


def values_of(settings: RestyleSettings) -> dict[str, Any]:
    """Plain values by path, ready for JSON; those left open are left out."""
    values: dict[str, Any] = {}
    for name, parameter in _PARAMETERS.items():
        part, _, field = name.rpartition(".")
        owner = getattr(settings, part) if part else settings
        value: Any = getattr(owner, field) if owner is not None else None
        if value is None or (parameter.shape != "single" and not value):
            continue
        values[name] = _written(parameter.shape, value)
    return values


def _read(shape: declared.Shape, value: Any) -> Any:
    if shape == "by_frame":
        return {int(index): one for index, one in value.items()}
    return tuple(value) if shape == "list" else value


def _written(shape: declared.Shape, value: Any) -> Any:
    if shape == "by_frame":
        return {str(index): one for index, one in value.items()}
    return list(value) if shape == "list" else value


@dataclass(frozen=True, kw_only=True)
class Lora:
    """A LoRA and how strongly it is applied."""

    path: str
    """A .safetensors file on the daemon's machine."""
    weight: float | None = None
    """1, as trained, if None."""


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """Which model restyles, and what is added to it; empty texts choose what is bundled."""

    source: str = ""
    """A hub id, or a path on the daemon's machine."""
    control_source: str = ""
    loras: tuple[Lora, ...] = ()
    vae: str = ""
    """Another VAE than the model's: a path on the daemon's machine, or its name in a folder."""
    folders: tuple[str, ...] = ()
    """Folders in which what prompts name is looked for, before the daemon's own."""


@dataclass(frozen=True, kw_only=True)
class KeyframeChange:
    """What to change about one keyframe; one is moved by removing it and adding another.

    "reroll" translates it anew, "add" makes a keyframe of another frame, "remove" makes it a frame
    like the others, "replace" takes a painted picture for any frame.
    """

    index: int
    """Source frame index."""
    kind: KeyframeChangeKind = "reroll"
    seed: int | None = None
    """Drawn by the server if None."""
    prompt: str | None = None
    """New words added to the prompt; as before if None."""
    picture_path: str = ""
    """A picture on the daemon's machine, for "replace"; it is copied."""
