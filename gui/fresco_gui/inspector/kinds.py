"""The field that suits a setting."""

from __future__ import annotations

from fresco_client import Parameter, Style

from fresco_gui.inspector.fields import (
    FILES,
    ChoiceField,
    Field,
    FileField,
    IntegerField,
    ModeField,
    NumberField,
    PromptField,
    SeedField,
    SliderField,
    SuggestionField,
    SwitchField,
    TextField,
)
from fresco_gui.inspector.style_field import StyleField

_LARGEST_SHARE = 2.0


def field_for(parameter: Parameter, styles: tuple[Style, ...]) -> Field:
    """The widget that suits a setting."""
    if parameter.name == "prompt":
        return PromptField(parameter)
    if parameter.name == "style":
        return StyleField(parameter, styles)
    if parameter.name == "mode":
        return ModeField(parameter)
    if parameter.name == "seed":
        return SeedField(parameter)
    if parameter.name in FILES:
        return FileField(parameter)
    if parameter.kind == "text" and parameter.choices:
        return SuggestionField(parameter)
    kinds: dict[str, type[Field]] = {
        "text": TextField,
        "choice": ChoiceField,
        "switch": SwitchField,
        "integer": IntegerField,
        "number": NumberField,
    }
    if parameter.kind == "number" and _is_share(parameter):
        return SliderField(parameter)
    return kinds[parameter.kind](parameter)


def _is_share(parameter: Parameter) -> bool:
    return parameter.maximum is not None and parameter.maximum <= _LARGEST_SHARE
