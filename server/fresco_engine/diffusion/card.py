"""What a model says about itself beside its weights: the file fresco.json in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from fresco_engine.errors import ModelCorrupt
from fresco_engine.settings import CONTROL_KINDS, ControlKind, ModelDefaults, Style

CARD_NAME = "fresco.json"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """A model's own description; every part has a value that suits a plain SD 1.5 model.

    `controls` names for each kind of control image the subfolder with its ControlNet.
    `max_prompt_tokens` counts the two tokens that mark begin and end.
    """

    name: str
    version: str = ""
    controls: Mapping[ControlKind, str] = field(default_factory=dict[ControlKind, str])
    defaults: ModelDefaults = field(default_factory=ModelDefaults)
    max_prompt_tokens: int | None = None
    styles: tuple[Style, ...] = ()


def read_card(folder: Path) -> ModelCard:
    """The card of the model in `folder`; one with standard values where it has none.

    Raises:
        ModelCorrupt: the card is there but cannot be understood.
    """
    path = folder / CARD_NAME
    if not path.is_file():
        return ModelCard(name=folder.name)
    try:
        return _card(json.loads(path.read_text(encoding="utf-8")), folder.name)
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise ModelCorrupt(
            path, f"the model's description cannot be read ({error}); get the model again"
        ) from error


def _card(values: Mapping[str, Any], folder_name: str) -> ModelCard:
    controls: dict[ControlKind, str] = {
        kind: str(values.get("controls", {})[kind])
        for kind in CONTROL_KINDS
        if kind in values.get("controls", {})
    }
    limit = values.get("max_prompt_tokens")
    return ModelCard(
        name=str(values.get("name", folder_name)),
        version=str(values.get("version", "")),
        controls=controls,
        defaults=_defaults(values.get("defaults", {})),
        max_prompt_tokens=None if limit is None else int(limit),
        styles=tuple(_style(style) for style in values.get("styles", ())),
    )


def _style(values: Mapping[str, Any]) -> Style:
    numbers = {name: values.get(name) for name in ("strength", "guidance_scale")}
    return Style(
        name=str(values["name"]),
        words=_words(values.get("words", "")),
        prompt=str(values.get("prompt", "")),
        negative_prompt=str(values.get("negative_prompt", "")),
        **{name: None if value is None else float(value) for name, value in numbers.items()},
    )


def _defaults(values: Mapping[str, Any]) -> ModelDefaults:
    known = {item.name for item in fields(ModelDefaults)}
    defaults = ModelDefaults(**{name: value for name, value in values.items() if name in known})
    if defaults.control not in CONTROL_KINDS:
        raise ValueError(f"the control kind {defaults.control!r} is unknown")
    return defaults


def _words(words: str | list[str]) -> str:
    return words if isinstance(words, str) else ", ".join(words)
