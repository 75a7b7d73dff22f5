"""Settings as flat values by parameter name, as forms, presets and project files have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

from fresco_client import (
    AttentionSettings,
    OptimisationSettings,
    RestyleSettings,
    SmoothingSettings,
)

Values = dict[str, Any]
"""By parameter name, such as "strength" or "attention.spatial"; what is not there is left open."""

_PARTS: dict[str, type[Any]] = {
    "attention": AttentionSettings,
    "optimisation": OptimisationSettings,
    "smoothing": SmoothingSettings,
}
_BY_FRAME = frozenset({"keyframe_prompts", "keyframe_seeds", "keyframe_pictures"})
OF_ONE_CLIP = frozenset({"start", "stop", "keyframes"}) | _BY_FRAME
"""What belongs to a clip, not to a look that can be carried to another one."""

_LISTS = frozenset({"blocks", "keyframes"})
_NAMES = frozenset(field.name for field in fields(RestyleSettings))


def settings_of(values: Mapping[str, Any]) -> RestyleSettings:
    """Settings from flat values; names this version does not know are passed over."""
    plain: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        part, _, field = name.rpartition(".")
        if value is None:
            continue
        if part in _PARTS and field in {one.name for one in fields(_PARTS[part])}:
            nested.setdefault(part, {})[field] = tuple(value) if field in _LISTS else value
        elif name in _BY_FRAME:
            plain[name] = {int(index): one for index, one in value.items()}
        elif not part and name in _NAMES and name not in _PARTS:
            plain[name] = tuple(value) if name in _LISTS else value
    parts = {name: _PARTS[name](**chosen) for name, chosen in nested.items()}
    return RestyleSettings(**plain, **parts)


def values_of(settings: RestyleSettings) -> Values:
    """Flat values of settings, those left open left out, ready for JSON."""
    values: Values = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            for inner in fields(value):
                chosen = getattr(value, inner.name)
                if chosen is not None and chosen != ():
                    is_list = isinstance(chosen, tuple)
                    values[f"{field.name}.{inner.name}"] = (
                        list(cast("tuple[int, ...]", chosen)) if is_list else chosen
                    )
        elif field.name in _BY_FRAME:
            if value:
                values[field.name] = {str(index): one for index, one in value.items()}
        elif isinstance(value, tuple):
            if value:
                values[field.name] = list(cast("tuple[int, ...]", value))
        elif value is not None:
            values[field.name] = value
    return values
