"""The form that Fusion's UIManager shows where there is no window of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from fresco_settings import Declared, InvalidSettings, RestyleSettings, StyleChoice

from fresco_davinci.choices import StoredChoices, look_settings
from fresco_davinci.errors import NotReady

Field = dict[str, Any]
_NONE = "(none)"
_OPEN = "(automatic)"
_ABOVE = "On a track above"
_TAKE = "As a take of the clip"
_SECOND, _SHARE = "second_style", "second_share"
_SWITCH = {"on": True, "off": False}


def form_of(
    choices: StoredChoices, styles: Sequence[str], declared: type = RestyleSettings
) -> list[Field]:
    """Fields: `kind` is text, choice or number, `value` what stands in it at first."""
    look = choices.look()
    fields: list[Field] = []
    for one in look_settings(declared):
        if one.name == "style":
            fields += _style_fields(one, last_style=look.get("style"), styles=styles)
        else:
            fields.append(_field(one, look.get(one.name)))
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
    read = {one.name: _read(one, filled[one.name]) for one in known}
    if "style" in read:
        read["style"] = _style_of(filled)
    return replace(last, **read, place="take" if filled.get("place") == _TAKE else "above")


def _style_fields(
    parameter: Declared, last_style: str | None, styles: Sequence[str]
) -> list[Field]:
    """A look, another that may be mixed with it, and how much of that one.

    What was chosen elsewhere and is no such mixture, as a look that is pushed, is offered whole.
    """
    first, second, share = last_style or _NONE, _NONE, 0
    shares: Mapping[str, float] = {}
    with suppress(InvalidSettings):
        shares = StyleChoice.parse(first).shares
    if last_style not in styles and len(shares) == 2 and abs(sum(shares.values()) - 1) < 1e-6:
        (first, _), (second, part) = shares.items()
        share = round(100 * part)
    offered = [_NONE, *styles]
    known = offered if first in offered else [*offered, first]
    both = offered if second in offered else [*offered, second]
    title = parameter.title
    return [
        {"id": "style", "kind": "choice", "label": title, "value": first, "choices": known},
        {"id": _SECOND, "kind": "choice", "label": "Mixed with", "value": second, "choices": both},
        {
            "id": _SHARE,
            "kind": "number",
            "label": "Share of that in %",
            "value": share,
            "least": 0,
            "most": 100,
        },
    ]


def _style_of(filled: dict[str, Any]) -> str | None:
    first, second = (
        None if filled.get(name) in (None, "", _NONE) else str(filled[name])
        for name in ("style", _SECOND)
    )
    share = float(filled.get(_SHARE) or 0) / 100
    if first is None or second is None or first == second or share == 0:
        return first
    if share >= 1:
        return second
    return str(StyleChoice({first: round(1 - share, 4), second: round(share, 4)}))


def _field(parameter: Declared, value: Any) -> Field:
    field: Field = {"id": parameter.name, "kind": "text", "label": parameter.title}
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
