"""What is said of a setting where it is declared, and what front ends make their controls of.

A setting is a field of a frozen dataclass, annotated with a `Setting`. Nothing else knows a
setting by name but the contract's field and the place that uses it.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from functools import cache
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from fresco_settings.errors import InvalidSettings

ParameterKind = Literal["text", "integer", "number", "switch", "choice"]
Shape = Literal["single", "list", "by_frame"]
_KINDS: dict[object, ParameterKind] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "switch",
}
_SHAPES: dict[object, Shape] = {tuple: "list", Mapping: "by_frame"}
_TYPES: dict[ParameterKind, tuple[type | tuple[type, ...], str]] = {
    "text": (str, "text"),
    "choice": (str, "one of its names"),
    "integer": (int, "a whole number"),
    "number": ((int, float), "a number"),
    "switch": (bool, "True or False"),
}
_LEAST_STEP = 0.01
"""What is announced above a least value that is itself not allowed."""
_UNBOUNDED = 2**31 - 1
"""As large as the contract's numbers get: nobody needs to be told."""


def translate(context: str, text: str) -> str:
    """`text` itself; called so that the tools of translators find it."""
    del context
    return text


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is to be known of a setting beside its name, its type and its default.

    `low` and `high` are the least and the greatest value of a number, or of each value of a list
    or by frame. `details` is what only pages have room for, `choice_texts` say what
    single choices are for. `default_text` says what holds where
    the default is not a value. `presets` are the values that presets give it. `option` is its name
    on the command line: made of its own name if None, and it has none there if empty; `metavar`
    stands for its value in the help. What is `of_clip` belongs to one clip and not to a look that
    can be carried to another one; what `needs_clip` has no effect on a look at a single frame, and
    what is `of_mode` has none in another mode than this one.
    """

    title: str
    help: str
    group: str
    details: str = ""
    low: float | None = None
    high: float | None = None
    low_is_open: bool = False
    unit: str = ""
    choices: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    choice_texts: Mapping[str, str] = field(default_factory=dict[str, str])
    default_text: str = ""
    presets: Mapping[str, Any] = field(default_factory=dict[str, Any])
    is_basic: bool = False
    of_clip: bool = False
    needs_clip: bool = False
    of_mode: str = ""
    option: str | None = None
    metavar: str = ""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A setting as a form needs to know it."""

    name: str
    """Path of the field, such as "strength" or "attention.spatial"."""
    kind: ParameterKind
    title: str = ""
    """What its label says."""
    description: str = ""
    """One line."""
    group: str = ""
    """The heading that it stands under."""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    default_json: str = ""
    """Empty where it is decided elsewhere, as by the model."""
    default_text: str = ""
    """What holds while it is left open, in words."""
    choices: tuple[str, ...] = ()
    """All that a choice may be; of a text, what a form offers."""
    is_advanced: bool = False
    is_of_clip: bool = False
    """Whether it belongs to one clip and not to a look."""
    of_mode: str = ""
    """The only mode that it is for, such as "edit"; empty for all."""

    @property
    def default(self) -> Any:
        """The value without a choice; None where it is decided elsewhere."""
        return json.loads(self.default_json) if self.default_json else None

    @property
    def readable_title(self) -> str:
        """The title, made of the name where a daemon of another version told none."""
        text = self.title or self.name.rpartition(".")[2].replace("_", " ")
        return text[:1].upper() + text[1:]


@dataclass(frozen=True, kw_only=True)
class Declared(Parameter):
    """A setting of this program's own, with what only its declaration says."""

    setting: Setting
    shape: Shape = "single"
    """Whether it is one value, a list of values, or values by source frame index."""
    is_optional: bool = False
    """Whether None is a value of the field."""

    @property
    def option(self) -> str:
        """On the command line, such as "--guidance"; empty if it has none there."""
        if self.setting.option is not None:
            return self.setting.option
        return "--" + self.name.replace(".", "-").replace("_", "-")

    @property
    def long_text(self) -> str:
        """What pages have room for beside the description: details, and what choices are for."""
        texts = [f"{one}: {text}" for one, text in self.setting.choice_texts.items()]
        return "; ".join(filter(None, (self.setting.details, *texts)))

    @property
    def range_text(self) -> str:
        """The range as a person reads it: "0 to 50"; what is offered: "patch, flow"; or nothing."""
        if self.choices:
            return ", ".join(self.choices)
        low, high = self.setting.low, self.setting.high
        if low is None or high is None or high >= _UNBOUNDED:
            return ""
        unit = f" {self.unit}" if self.unit else ""
        return f"{'above ' if self.setting.low_is_open else ''}{low} to {high}{unit}"


@cache
def parameters_of(kind: type) -> tuple[Declared, ...]:
    """All settings of a declaration, those of its parts included, in the order of a form."""
    found: list[Declared] = []
    hints = get_type_hints(kind, include_extras=True)
    for one in fields(kind):
        hint = hints[one.name]
        part, setting = part_of(hint), declared_in(hint)
        if part is not None:
            found += [_below(one.name, inner) for inner in parameters_of(part)]
        elif setting is not None:
            found.append(_parameter(one, get_args(hint)[0], setting))
    return tuple(found)


def part_of(hint: Any) -> type | None:
    """The dataclass of settings that a field holds, if it holds one."""
    return hint if isinstance(hint, type) and is_dataclass(hint) else None


def declared_in(hint: Any) -> Setting | None:
    """What a field's annotation declares; None for what is no setting of a user's."""
    if get_origin(hint) is not Annotated:
        return None
    return next((one for one in get_args(hint)[1:] if isinstance(one, Setting)), None)


def _below(part: str, parameter: Declared) -> Declared:
    return replace(parameter, name=f"{part}.{parameter.name}")


def _parameter(one: Field[Any], hint: Any, setting: Setting) -> Declared:
    bare, is_optional = _without_none(hint)
    shape = _SHAPES.get(get_origin(bare), "single")
    value = bare
    if shape != "single":
        value = get_args(bare)[1 if shape == "by_frame" else 0]
    choices = setting.choices or (get_args(value) if get_origin(value) is Literal else ())
    default = None if one.default is MISSING or shape != "single" else one.default
    low, high = _announced(setting) if shape == "single" else (None, None)
    return Declared(
        name=one.name,
        kind="choice" if choices else _KINDS[value],
        title=setting.title,
        description=setting.help,
        group=setting.group,
        unit=setting.unit,
        minimum=low,
        maximum=high,
        default_json="" if default is None else json.dumps(default),
        default_text=setting.default_text or _default_text(default, setting.presets),
        choices=choices or setting.suggestions,
        is_advanced=not setting.is_basic,
        is_of_clip=setting.of_clip,
        of_mode=setting.of_mode,
        setting=setting,
        shape=shape,
        is_optional=is_optional,
    )


def _announced(setting: Setting) -> tuple[float | None, float | None]:
    """The range as doubles that are allowed themselves."""
    low, high = setting.low, setting.high
    if low is not None:
        low = float(low + _LEAST_STEP) if setting.low_is_open else float(low)
    if high is not None:
        high = float(high) if int(float(high)) <= high else math.nextafter(float(high), 0)
    return low, high


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    (bare,) = (one for one in get_args(hint) if one is not types.NoneType)
    return bare, True


def words_for(value: Any) -> str:
    """A value as a person reads it: on, off, 0.75."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(words_for, value))  # pyright: ignore[reportUnknownArgumentType]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _default_text(default: Any, presets: Mapping[str, Any]) -> str:
    if default is None:
        return ""
    others = "".join(f", with {name} {words_for(value)}" for name, value in presets.items())
    return words_for(default) + others


def check_types(settings: Any, part: str = "") -> None:
    """Insist on values of the types that are declared, before anything is asked of them.

    Raises:
        InvalidSettings: text in place of a number, None where a value is needed, and the like.
    """
    for name, kind in _parts_of(settings.__class__).items():
        if not isinstance(getattr(settings, name), kind):
            raise InvalidSettings(name, f"it is {getattr(settings, name)!r}; give {kind.__name__}")
    for parameter in parameters_of(settings.__class__):
        name = parameter.name
        if "." not in name:
            _check_type(f"{part}.{name}" if part else name, parameter, getattr(settings, name))


def check_plain(kind: type, values: Mapping[str, Any]) -> None:
    """Insist on the types of values by parameter name, as files hold them; others are passed over.

    Raises:
        InvalidSettings: one is of another type.
    """
    for parameter in parameters_of(kind):
        value = values.get(parameter.name)
        if value is None:
            continue
        if parameter.shape == "by_frame" and isinstance(value, Mapping):
            given = cast("Mapping[Any, Any]", value).items()
            # Files have text for the frames.
            value = {int(frame) if str(frame).isdecimal() else frame: one for frame, one in given}
        _check_type(parameter.name, parameter, value)


@cache
def _parts_of(kind: type) -> dict[str, type]:
    hints = get_type_hints(kind, include_extras=True)
    found = {one.name: part_of(hints[one.name]) for one in fields(kind)}
    return {name: part for name, part in found.items() if part is not None}


def _check_type(name: str, parameter: Declared, value: Any) -> None:
    if parameter.is_optional and value is None:
        return
    wanted, words = _TYPES[parameter.kind]
    if parameter.shape == "list":
        words = f"a list, each of it {words}"
        is_right = isinstance(value, (list, tuple)) and all(
            _is(one, wanted) for one in cast("Sequence[Any]", value)
        )
    elif parameter.shape == "by_frame":
        words = f"a mapping from frames, counted from 0, each to {words}"
        is_right = isinstance(value, Mapping) and all(
            _is(frame, int) and _is(one, wanted)
            for frame, one in cast("Mapping[Any, Any]", value).items()
        )
    else:
        is_right = _is(value, wanted)
    if not is_right:
        raise InvalidSettings(name, f"it is {value!r}; give {words}")


def _is(value: Any, kind: type | tuple[type, ...]) -> bool:
    """As `isinstance`, but on and off are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def check_fields(settings: Any, part: str = "") -> None:
    """Insist on what is declared of each field by itself.

    Raises:
        InvalidSettings: a value is of another type, out of its range or none of its choices.
    """
    check_types(settings, part)
    check_ranges(settings, part)


def check_frame_range(field: str, start: int, stop: int | None) -> None:
    """Raises: InvalidSettings where [start, stop) can hold no frame; None is the clip's end."""
    if start < 0 or (stop is not None and stop <= start):
        given = f"{start}:{'' if stop is None else stop}"
        raise InvalidSettings(field, f"{given} holds no frame; give first:last, counted from 0")


def check_ranges(settings: Any, part: str = "") -> None:
    """Insist on ranges and choices, of values whose types have been checked.

    Raises:
        InvalidSettings: a value is out of its range or none of its choices.
    """
    for parameter in parameters_of(settings.__class__):
        name = parameter.name
        if "." in name or (parameter.is_optional and getattr(settings, name) is None):
            continue  # those of parts have been checked with their part
        _check(f"{part}.{name}" if part else name, parameter, getattr(settings, name))


def _check(name: str, parameter: Declared, value: Any) -> None:
    is_single = parameter.shape == "single"
    if parameter.kind == "choice" and value not in parameter.choices:
        known = ", ".join(parameter.choices)
        raise InvalidSettings(name, f"{value!r} is unknown; use one of {known}")
    if parameter.is_of_clip and not is_single and min(value, default=0) < 0:
        raise InvalidSettings(name, f"there is no frame {min(value)}; count from 0")
    values = value.values() if parameter.shape == "by_frame" else value
    for one in (value,) if is_single else values:
        _check_range(name, parameter.setting, one)


def _check_range(name: str, setting: Setting, value: Any) -> None:
    low, high = setting.low, setting.high
    if low is None or high is None:
        return
    if not (low < value if setting.low_is_open else low <= value) or not value <= high:
        excluded = " (excluded)" if setting.low_is_open else ""
        raise InvalidSettings(name, f"{value} is outside {low}{excluded} to {high}")
