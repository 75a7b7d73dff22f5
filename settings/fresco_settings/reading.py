"""Settings of a restyle from what was chosen, and from what was saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fresco_settings.errors import InvalidSettings
from fresco_settings.plain_values import with_values
from fresco_settings.restyle import RestyleSettings


def chosen_settings(values: Mapping[str, Any]) -> RestyleSettings:
    """Settings of which `values` were chosen by hand; the rest is the preset's.

    Raises:
        InvalidSettings: a value is out of range, or the prompt is missing.
    """
    first = RestyleSettings(
        prompt=values.get("prompt", ""),
        style=values.get("style"),
        mode=values.get("mode", "restyle"),
    )
    return with_values(first.with_preset(values.get("preset", first.preset)), values)


def settings_from_dict(values: Mapping[str, Any]) -> RestyleSettings:
    """The settings `as_dict` was made from.

    Raises:
        InvalidSettings: a key is unknown or a value is out of range.
    """
    try:
        first = RestyleSettings(prompt=values["prompt"], style=values.get("style"))
        return with_values(first, values)
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise InvalidSettings(
            "settings", f"{error}; remove what this version does not know"
        ) from error
