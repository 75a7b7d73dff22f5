"""Settings from plain values, as JSON and the contract have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Any, TypeVar

SettingsT = TypeVar("SettingsT", bound=Any)


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by path, such as "attention.spatial", as values by field and part."""
    made: dict[str, Any] = {}
    for path, value in values.items():
        part, _, name = path.rpartition(".")
        (made.setdefault(part, {}) if part else made)[name] = value
    return made


def with_values(settings: SettingsT, values: Mapping[str, Any]) -> SettingsT:
    """`settings` with plain values in the place of its own; those of a part are a mapping.

    Raises:
        InvalidSettings: a value is out of range.
        TypeError: there is no such field.
    """
    made = dict(values)
    for name, value in values.items():
        part = getattr(settings, name, None)
        if is_dataclass(part) and not isinstance(part, type):
            made[name] = replace(part, **_tuples(value))
    return replace(settings, **_tuples(made))


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as fields hold them: JSON has only lists, and only texts for keys."""
    made = dict(values)
    for name, value in values.items():
        if name.startswith("keyframe_") and isinstance(value, Mapping):
            made[name] = {int(index): one for index, one in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        elif isinstance(value, (list, tuple)):
            made[name] = tuple(sorted(set(value)))  # pyright: ignore[reportUnknownArgumentType]
    return made
