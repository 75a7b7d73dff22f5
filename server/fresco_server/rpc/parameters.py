"""The settings as clients build controls from them: what there is, and what it may be.

Kinds, defaults and ranges are asked of the engine's settings, so that they cannot differ; only what
a person reads is written here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_args, get_type_hints

from fresco.v1 import server_pb2, settings_pb2
from fresco_engine.errors import InvalidSettings
from fresco_engine.settings import (
    CONTROL_KINDS,
    INTERPOLATION_KINDS,
    PRESETS,
    AttentionSettings,
    OptimisationSettings,
    RestyleSettings,
    SmoothingSettings,
    settings_from_dict,
)
from google.protobuf.descriptor import FieldDescriptor

from fresco_server.rpc.messages.jobs import CODECS

_PROMPT = {"prompt": "any"}
_LEAST_SHARE = 0.01
"""Announced where 0 itself is not allowed."""
_NESTED = {
    "attention": AttentionSettings,
    "optimisation": OptimisationSettings,
    "smoothing": SmoothingSettings,
}


_CHOICES = {"control": CONTROL_KINDS, "interpolation": INTERPOLATION_KINDS}


@dataclass(frozen=True)
class Described:
    """A setting as a person reads it. `beside` are others that widen its range the most."""

    name: str
    text: str
    is_advanced: bool = True
    beside: tuple[tuple[str, Any], ...] = ()


PARAMETERS = (
    Described("prompt", "How the clip is to look", False),
    Described("style", "A look that the model knows, with the settings that suit it", False),
    Described("negative_prompt", "What it is not to look like", False),
    Described("preset", "Time against quality; settings chosen by hand win", False),
    Described("strength", "How far the result may leave the clip", False),
    Described("keep_colours", "How much of the clip's colours is kept", False),
    Described("colourise", "Keep the clip's lightness, change only its colours", False),
    Described("seed", "Another seed, another result; the same seed, the same result", False),
    Described("control", "How the clip's structure binds", False),
    Described("control_scale", "How strongly the structure binds", False),
    Described("start", "First frame to restyle, counted from 0", False, (("stop", None),)),
    Described("stop", "One past the last frame to restyle; the clip's end if left out", False),
    Described("steps", "Denoising steps: more take longer"),
    Described("guidance_scale", "How strictly the prompt is followed"),
    Described("size", "Short side in pixels at which the model works"),
    Described("batch_size", "Keyframes translated together; not 2"),
    Described("keyframe_min", "Least frames between keyframes", True, (("keyframe_max", 10**6),)),
    Described(
        "keyframe_max",
        "Most frames between keyframes, at least twice the least minus one",
        True,
        (("keyframe_min", 1),),
    ),
    Described("attention.spatial", "Spatial-guided attention"),
    Described("attention.spatial_scale", "Temperature of spatial-guided attention"),
    Described("attention.spatial_until", "Share of the steps with spatial-guided attention"),
    Described("attention.cross_frame", "Cross-frame attention"),
    Described("attention.temporal", "Temporal-guided attention"),
    Described("attention.temporal_scale", "Temperature of temporal-guided attention"),
    Described("attention.temporal_until", "Noise level down to which attention follows motion"),
    Described("optimisation.temporal", "Optimise features to agree along the motion"),
    Described("optimisation.spatial", "Optimise features to keep the clip's layout"),
    Described("optimisation.iterations", "Iterations of the optimisation in each step"),
    Described("optimisation.learning_rate", "Learning rate of the optimisation"),
    Described("optimisation.spatial_weight", "Weight of the layout in the optimisation"),
    Described("optimisation.until", "Share of the schedule that is optimised"),
    Described("smoothing.is_on", "Smooth the background"),
    Described(
        "smoothing.start", "Where smoothing begins in the schedule", True, (("smoothing.stop", 1),)
    ),
    Described(
        "smoothing.stop", "Where smoothing ends in the schedule", True, (("smoothing.start", 0),)
    ),
    Described("smoothing.dilation", "Pixels by which the foreground is widened first"),
    Described("interpolation", "How the frames between keyframes are made; flow is quicker"),
    Described("free_u", "Re-weight the decoder's features (FreeU)"),
    Described("shared_noise", "Give all keyframes the same start noise"),
    Described("shared_step_noise", "Give all keyframes the same noise in every step"),
)


@cache
def capabilities() -> tuple[server_pb2.Parameter, ...]:
    """All settings, in the order a form shows them."""
    return tuple(_parameter(described) for described in PARAMETERS)


def outputs() -> tuple[str, ...]:
    """Kinds of output, the usual one first."""
    return tuple(dict.fromkeys(CODECS.values()))


def _parameter(described: Described) -> server_pb2.Parameter:
    name = described.name
    parameter = server_pb2.Parameter(
        name=name, description=described.text, is_advanced=described.is_advanced
    )
    if name == "preset":
        parameter.kind = server_pb2.PARAMETER_KIND_CHOICE
        parameter.choices.extend(PRESETS)
        parameter.default_json = json.dumps("standard")
        return parameter
    kind, default = _type(name), _default(name)
    parameter.kind = _KINDS[kind]
    parameter.default_json = "" if default is None or name == "prompt" else json.dumps(default)
    if name in _CHOICES:
        parameter.kind = server_pb2.PARAMETER_KIND_CHOICE
        parameter.choices.extend(_CHOICES[name])
    elif kind in (int, float):
        parameter.minimum, parameter.maximum = _range(described, kind)
    return parameter


_KINDS: Mapping[type, server_pb2.ParameterKind.ValueType] = {
    str: server_pb2.PARAMETER_KIND_TEXT,
    bool: server_pb2.PARAMETER_KIND_SWITCH,
    int: server_pb2.PARAMETER_KIND_INTEGER,
    float: server_pb2.PARAMETER_KIND_NUMBER,
}


def _owner(name: str) -> tuple[type, str]:
    part, _, field = name.rpartition(".")
    return (_NESTED[part], field) if part else (RestyleSettings, name)


def _type(name: str) -> type:
    owner, field = _owner(name)
    hint = get_type_hints(owner)[field]
    for kind in (hint, *get_args(hint)):
        if kind in _KINDS:
            return kind
    return str


def _default(name: str) -> Any:
    owner, field = _owner(name)
    value = next(one for one in fields(owner) if one.name == field).default
    return None if value is _MISSING else value


_MISSING = fields(RestyleSettings)[0].default  # The prompt has no default.


def accepts(name: str, value: Any, beside: tuple[tuple[str, Any], ...] = ()) -> bool:
    """Whether the engine takes `value` for the setting `name`, with others `beside` it."""
    values: dict[str, Any] = dict(_PROMPT)
    for path, chosen in (*beside, (name, value)):
        part, _, field = path.rpartition(".")
        (values.setdefault(part, {}) if part else values)[field] = chosen
    try:
        settings_from_dict(values)
    except InvalidSettings:
        return False
    return True


def _range(described: Described, kind: type) -> tuple[float, float]:
    """Least and greatest value that are accepted, as doubles that are accepted themselves."""

    def is_accepted(value: float) -> bool:
        return accepts(described.name, value, described.beside)

    inside = next(
        value for value in (_default(described.name), 1, 0.5) if _fits(value, is_accepted)
    )
    if kind is int:
        beyond = _beyond(described.name)
        low = _edge(int(inside), -beyond, is_accepted, _whole_middle)
        high = _edge(int(inside), beyond, is_accepted, _whole_middle)
        return float(low), _not_above(int(high))
    ends = [_edge(float(inside), beyond, is_accepted, _middle) for beyond in (-1e9, 1e9)]
    low, high = (round(end, 6) for end in ends)
    return (low if is_accepted(low) else _LEAST_SHARE), high


def _fits(value: float | None, is_accepted: Callable[[float], bool]) -> bool:
    return value is not None and is_accepted(value)


def _beyond(name: str) -> int:
    """One more than the setting's field can hold."""
    message: Any = settings_pb2.RestyleSettings.DESCRIPTOR
    *parts, field = name.split(".")
    for part in parts:
        message = message.fields_by_name[part].message_type
    is_long = message.fields_by_name[field].cpp_type == FieldDescriptor.CPPTYPE_INT64
    return 2**63 if is_long else 2**31


def _edge(
    inside: float,
    beyond: float,
    is_accepted: Callable[[float], bool],
    middle: Callable[[float, float], float | None],
) -> float:
    """The last accepted value on the way from `inside` to `beyond`."""
    while (between := middle(inside, beyond)) is not None:
        if is_accepted(between):
            inside = between
        else:
            beyond = between
    return inside


def _whole_middle(first: float, second: float) -> int | None:
    """A whole number between two, or `None` where there is none."""
    first, second = int(first), int(second)
    return None if abs(first - second) < 2 else (first + second) // 2


def _middle(first: float, second: float) -> float | None:
    return None if abs(first - second) < 1e-8 else (first + second) / 2


def _not_above(value: int) -> float:
    """The greatest double that is not above `value`."""
    return float(value) if int(float(value)) <= value else math.nextafter(float(value), 0)
