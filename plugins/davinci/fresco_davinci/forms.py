"""The form that Fusion's UIManager shows where there is no window of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fresco_davinci.choices import Choices

Field = dict[str, Any]
_NONE = "(none)"
_ABOVE = "On a track above"
_TAKE = "As a take of the clip"


def form_of(choices: Choices, styles: Sequence[str]) -> list[Field]:
    """Fields: `kind` is text, choice or number, `value` what stands in it at first."""
    return [
        {"id": "prompt", "kind": "text", "label": "Prompt", "value": choices.prompt},
        {
            "id": "style",
            "kind": "choice",
            "label": "Style",
            "value": choices.style or _NONE,
            "choices": [_NONE, *styles],
        },
        {
            "id": "strength",
            "kind": "number",
            "label": "Strength in % (0: the model's)",
            "value": round(100 * (choices.strength or 0.0)),
            "least": 0,
            "most": 100,
        },
        {
            "id": "place",
            "kind": "choice",
            "label": "Result",
            "value": _TAKE if choices.place == "take" else _ABOVE,
            "choices": [_ABOVE, _TAKE],
        },
    ]


def choices_from(last: Choices, filled: dict[str, Any]) -> Choices:
    """The last choices with what was filled in."""
    strength = float(filled.get("strength") or 0) / 100
    style = str(filled.get("style") or "")
    return replace(
        last,
        prompt=str(filled.get("prompt") or ""),
        style="" if style == _NONE else style,
        strength=strength if strength > 0 else None,
        place="take" if filled.get("place") == _TAKE else "above",
    )
