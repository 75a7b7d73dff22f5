"""What a model says about itself beside its weights: the file fresco.json in its folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any

from fresco_media.files.text import printable

from fresco_engine.diffusion.intake import read_json
from fresco_engine.errors import InvalidSettings, ModelCorrupt
from fresco_engine.settings import (
    CONTROL_KINDS,
    ControlChoice,
    ControlKind,
    ModelDefaults,
    RestyleSettings,
    Style,
)

CARD_NAME = "fresco.json"
_LONGEST_NAME, _LONGEST_TEXT, _MOST_STYLES = 200, 4000, 200


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """A model's own description; every part has a value that suits a plain SD 1.5 model.

    `controls` names for each kind of control image the subfolder with its ControlNet.
    `max_prompt_tokens` counts the two tokens that mark begin and end. A model that
    `knows_only_styles` makes nothing of other words.
    """

    name: str
    version: str = ""
    controls: Mapping[ControlKind, str] = field(default_factory=dict[ControlKind, str])
    defaults: ModelDefaults = field(default_factory=ModelDefaults)
    max_prompt_tokens: int | None = None
    styles: tuple[Style, ...] = ()
    knows_only_styles: bool = False


def read_card(folder: Path) -> ModelCard:
    """The card of the model in `folder`; one with standard values where it has none.

    Raises:
        ModelCorrupt: the card is there but cannot be understood.
    """
    path = folder / CARD_NAME
    if not os.path.lexists(path):
        return ModelCard(name=printable(folder.name))
    values = read_json(path)
    try:
        return _card(values, folder)
    except (
        InvalidSettings,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
    ) as error:
        raise ModelCorrupt(
            path, f"the model's description cannot be read ({error}); get the model again"
        ) from error


def _card(values: Mapping[str, Any], folder: Path) -> ModelCard:
    controls: dict[ControlKind, str] = {
        kind: _below(str(values.get("controls", {})[kind]))
        for kind in CONTROL_KINDS
        if kind in values.get("controls", {})
    }
    limit = values.get("max_prompt_tokens")
    return ModelCard(
        name=_shown(values.get("name", folder.name)),
        version=_shown(values.get("version", "")),
        controls=controls,
        defaults=_defaults(values.get("defaults", {})),
        max_prompt_tokens=None if limit is None else int(limit),
        styles=tuple(_style(style, folder) for style in values.get("styles", ())[:_MOST_STYLES]),
        knows_only_styles=bool(values.get("knows_only_styles", False)),
    )


def _shown(name: object) -> str:
    """A name as every front end may show it, and by which users choose it."""
    return printable(str(name)[:_LONGEST_NAME])


def _below(name: str) -> str:
    """A subfolder's name, which leads nowhere else."""
    path = PurePosixPath(name.replace("\\", "/"))
    if not name or path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name:
        raise ValueError(f"{name[:40]!r} is no subfolder")
    return name


def _style(values: Mapping[str, Any], folder: Path) -> Style:
    numbers = {name: values.get(name) for name in ("strength", "guidance_scale")}
    picture = values.get("picture")
    return Style(
        name=_shown(values["name"]),
        words=printable(_words(values.get("words", ""))[:_LONGEST_TEXT]),
        prompt=str(values.get("prompt", ""))[:_LONGEST_TEXT],
        negative_prompt=str(values.get("negative_prompt", ""))[:_LONGEST_TEXT],
        picture="" if picture is None else str(folder / _below(str(picture))),
        **{name: None if value is None else float(value) for name, value in numbers.items()},
    )


def _defaults(values: Mapping[str, Any]) -> ModelDefaults:
    known = {item.name for item in fields(ModelDefaults)}
    defaults = ModelDefaults(**{name: value for name, value in values.items() if name in known})
    ControlChoice.parse(defaults.control)
    # What it recommends is what a user might have chosen; the declaration says what that may be.
    RestyleSettings(
        prompt="any",
        sampler=defaults.sampler,
        spacing=defaults.spacing,
        eta=defaults.eta,
        guidance_rescale=defaults.guidance_rescale,
        clip_skip=defaults.clip_skip,
    )
    return defaults


def _words(words: str | list[str]) -> str:
    return words if isinstance(words, str) else ", ".join(words)
