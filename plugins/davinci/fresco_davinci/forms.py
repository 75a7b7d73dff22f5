"""The form that Fusion's UIManager shows where there is no window of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fresco_settings import Declared, RestyleSettings

from fresco_davinci.choices import StoredChoices, look_settings
from fresco_davinci.errors import NotReady

Field = dict[str, Any]
_NONE = "(none)"
_OPEN = "(automatic)"
_ABOVE = "On a track above"
_TAKE = "As a take of the clip"
_SWITCH = {"on": True, "off": False}


def form_of(
    choices: StoredChoices, styles: Sequence[str], declared: type = RestyleSettings
) -> list[Field]:
    """Fields: `kind` is text, choice or number, `value` what stands in it at first."""
    look = choices.look()
    fields = [_field(one, look.get(one.name), styles) for one in look_settings(declared)]
    place = {
        "id": "place",
        "kind": "choice",
        "label": "Result",
        "value": _TAKE if choices.place == "take" else _ABOVE,
        "choices": [_ABOVE, _TAKE],
    }
    return [*fields, place]


def choices_from(last: StoredChoices, filled: dict[str, Any]) -> StoredChoices:
    """The last choices with what was filled in.

    Raises:
        NotReady: something is no number.
    """
    known = [one for one in look_settings() if one.name in filled]
    return replace(
        last,
        **{one.name: _read(one, filled[one.name]) for one in known},
        place="take" if filled.get("place") == _TAKE else "above",
    )


def _field(parameter: Declared, value: Any, styles: Sequence[str]) -> Field:
    field: Field = {"id": parameter.name, "kind": "text", "label": parameter.title}
    if parameter.name == "style":
        return {**field, "kind": "choice", "value": value or _NONE, "choices": [_NONE, *styles]}
    if parameter.kind in ("choice", "switch"):
        words = parameter.choices or tuple(_SWITCH)
        shown = value if isinstance(value, str) else _OPEN if value is None else _word(value)
        return {**field, "kind": "choice", "value": shown, "choices": [_OPEN, *words]}
    if _is_share(parameter):
        label = f"{parameter.title} in % (0: {parameter.default_text})"
        percent = {"value": round(100 * (value or 0.0)), "least": 0, "most": 100}
        return {**field, "kind": "number", "label": label, **percent}
    beside = "; ".join(filter(None, (parameter.range_text, parameter.default_text)))
    is_number = parameter.kind != "text"
    label = f"{parameter.title} ({beside})" if is_number and beside else parameter.title
    return {**field, "label": label, "value": "" if value is None else str(value)}


def _read(parameter: Declared, value: Any) -> Any:
    if parameter.kind == "switch":
        return _SWITCH.get(value)
    if _is_share(parameter):
        return float(value or 0) / 100 or None
    text = str(value or "").strip()
    if text in ("", _NONE, _OPEN):
        return None
    if parameter.kind in ("integer", "number"):
        try:
            return int(text) if parameter.kind == "integer" else float(text.replace(",", "."))
        except ValueError:
            raise NotReady(f"{parameter.title}: “{text}” is no number. Enter one.") from None
    return text


def _is_share(parameter: Declared) -> bool:
    setting = parameter.setting
    return parameter.kind == "number" and (setting.low, setting.high) == (0, 1)


def _word(value: bool) -> str:
    return "on" if value else "off"
