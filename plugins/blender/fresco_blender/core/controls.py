"""Blender's properties for the declared settings, and the way from them to an order and back.

A setting that style, preset or model may decide has a tick beside it, or a choice that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fresco_settings import Declared, RestyleSettings, parameters_of

LARGEST = 2**31 - 1
"""Of Blender's whole numbers."""
FILES = ("reference", "reference_model")
"""Settings that are files, which Blender names from the folder of its own file."""
OPEN = "PRESET"
"""The choice that leaves a setting open."""
_UNTICKED = frozenset({"seed"})
_ALWAYS_CHOSEN = frozenset({"preset"})
"""A choice that is never left to anybody else."""
_TICKS = {"keyframe_min": "use_keyframes", "keyframe_max": "use_keyframes"}
_SUGGESTED: Mapping[str, Any] = {
    "strength": 0.75,
    "guidance_scale": 7.5,
    "steps": 20,
    "control_scale": 1.0,
    "keep_colours": 0.5,
}
"""What a field shows before it is ticked, where a model decides or 0 would do nothing."""
_EXTRAS: Mapping[str, Mapping[str, Any]] = {
    "guidance_scale": {"soft_max": 20.0},
    "control_scale": {"soft_max": 2.0},
    "size": {"step": 8},
    **{name: {"subtype": "FILE_PATH"} for name in FILES},
}


@dataclass(frozen=True)
class Control:
    """The property of a setting."""

    parameter: Declared

    @property
    def name(self) -> str:
        """What Blender calls it, and files that were saved."""
        return self.parameter.name.replace(".", "_")

    @property
    def tick(self) -> str:
        """The property that says whether a number is set by hand; empty if it always is."""
        is_number = self.parameter.kind in ("integer", "number")
        if not is_number or self.name in _UNTICKED:
            return ""
        return _TICKS.get(self.name, f"use_{self.name}")

    @property
    def kind(self) -> str:
        """The kind of property, by the name of its function in `bpy.props`."""
        if self.parameter.kind == "choice":
            return "EnumProperty"
        if self.parameter.kind == "switch":
            return "EnumProperty" if self._may_be_open else "BoolProperty"
        kinds = {"text": "String", "integer": "Int", "number": "Float"}
        return f"{kinds[self.parameter.kind]}Property"

    @property
    def _may_be_open(self) -> bool:
        if self.parameter.kind == "choice":
            return self.name not in _ALWAYS_CHOSEN
        default = self.parameter.default
        return default in (None, True) or bool(self.parameter.setting.presets)

    def definition(self) -> dict[str, Any]:
        """What the property is made of."""
        parameter = self.parameter
        made: dict[str, Any] = {
            "name": parameter.title,
            "description": parameter.description,
            **_EXTRAS.get(self.name, {}),
        }
        if self.kind == "EnumProperty":
            items = self._items()
            default = OPEN if self._may_be_open else str(parameter.default).upper()
            return {**made, "items": items, "default": default}
        if parameter.kind in ("integer", "number"):
            made |= self._range()
        return made

    def _items(self) -> tuple[tuple[str, str, str], ...]:
        parameter = self.parameter
        choices = ("on", "off") if parameter.kind == "switch" else parameter.choices
        texts = parameter.setting.choice_texts
        items = tuple((one.upper(), one.capitalize(), texts.get(one, "")) for one in choices)
        default = f"By default: {parameter.default_text}"
        return ((OPEN, "Automatic", default), *items) if self._may_be_open else items

    def _range(self) -> dict[str, Any]:
        parameter = self.parameter
        low, high = parameter.minimum or 0.0, parameter.maximum or 1.0
        number = int if parameter.kind == "integer" else float
        default = _SUGGESTED.get(self.name, parameter.default)
        is_share = number is float and parameter.setting.low == 0 and high == 1
        return {
            "min": number(low),
            "max": number(min(high, LARGEST)),
            "default": number(low if default is None else default),
            **({"subtype": "FACTOR"} if is_share else {}),
        }

    def read(self, panel: Any) -> Any:
        """What is chosen in the panel; None if it is left open."""
        if self.tick and not getattr(panel, self.tick):
            return None
        value = getattr(panel, self.name)
        if isinstance(value, bool):
            return value or None
        if isinstance(value, str):
            return self._word(value)
        return round(value, 4)

    def _word(self, value: str) -> Any:
        if self.kind != "EnumProperty":
            return value.strip() or None
        if value == OPEN:
            return None
        return value == "ON" if self.parameter.kind == "switch" else value.lower()

    def show(self, panel: Any, value: Any) -> None:
        """Put a value into the panel, or None for none."""
        if self.tick:
            setattr(panel, self.tick, value is not None)
            if value is None:
                return
        setattr(panel, self.name, self._shown(value))

    def _shown(self, value: Any) -> Any:
        if self.kind == "EnumProperty":
            if value is None:
                return self.definition()["default"]
            word = ("on" if value else "off") if self.parameter.kind == "switch" else str(value)
            return word.upper()
        if self.kind == "BoolProperty":
            return bool(value)
        return (value or "") if self.kind == "StringProperty" else min(value or 0, LARGEST)


@cache
def controls_of(declared: type = RestyleSettings) -> tuple[Control, ...]:
    """Controls for all settings that belong to a look; those of a clip are the strip's to say."""
    return tuple(
        Control(one)
        for one in parameters_of(declared)
        if one.shape == "single" and not one.is_of_clip
    )


def groups_of(controls: Iterable[Control]) -> dict[str, list[Control]]:
    """The controls that few need, by group, in the order of a form."""
    groups: dict[str, list[Control]] = {}
    for control in controls:
        if control.parameter.is_advanced:
            groups.setdefault(control.parameter.group, []).append(control)
    return groups


def in_its_mode(panel: Any, controls: Iterable[Control]) -> Iterator[Control]:
    """Those of the controls that have an effect in the mode that the panel shows."""
    (mode,) = (one.read(panel) for one in controls_of() if one.name == "mode")
    yield from (one for one in controls if one.parameter.of_mode in ("", mode or "restyle"))


def chosen_settings(panel: Any) -> dict[str, Any]:
    """Settings by path that the panel sets, without what is left open or of another mode."""
    shown = in_its_mode(panel, controls_of())
    read = {control.parameter.name: control.read(panel) for control in shown}
    return {name: value for name, value in read.items() if value is not None}


def show_settings(panel: Any, chosen: Mapping[str, Any]) -> None:
    """Put settings by path into the panel."""
    for control in controls_of():
        control.show(panel, chosen.get(control.parameter.name))
