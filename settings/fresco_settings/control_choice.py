"""What of a clip's structure binds: one kind of control, or several with a strength each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from fresco_settings.errors import InvalidSettings

ControlKind = Literal["tile", "canny", "hed", "depth", "openpose", "lineart", "none"]
CONTROL_KINDS: tuple[ControlKind, ...] = get_args(ControlKind)
STRONGEST_CONTROL = 5
"""The greatest strength that a control can have."""


@dataclass(frozen=True)
class ControlChoice:
    """Kinds of control in the order they were named; `strengths` has those that were given one."""

    kinds: tuple[ControlKind, ...]
    strengths: Mapping[ControlKind, float]

    @staticmethod
    def parse(text: str) -> ControlChoice:
        """The choice that `text` stands for: "depth", or "depth:0.6,canny:0.4".

        A comma before a digit is a decimal mark, as everywhere: "depth:0,6,canny:0,4".

        Raises:
            InvalidSettings: a kind is unknown or named twice, a strength is no number of 0 to 5,
                or "none" stands beside another kind.
        """
        kinds: list[ControlKind] = []
        strengths: dict[ControlKind, float] = {}
        for part in re.split(r",(?!\d)", text):
            name, colon, strength = (piece.strip() for piece in part.partition(":"))
            kind = _kind(name)
            if kind in kinds:
                raise InvalidSettings("control", f"{kind} is named twice; name each kind once")
            kinds.append(kind)
            if colon:
                strengths[kind] = _strength(kind, strength)
        if "none" in kinds and (len(kinds) > 1 or strengths):
            raise InvalidSettings("control", f"{text!r} has none beside others; leave none out")
        return ControlChoice(tuple(kinds), strengths)


def _kind(name: str) -> ControlKind:
    found = next((kind for kind in CONTROL_KINDS if kind == name), None)
    if found is None:
        raise InvalidSettings(
            "control",
            f"{name!r} is unknown; use one of {', '.join(CONTROL_KINDS)}, or several with a "
            "strength each, as depth:0.6,canny:0.4",
        )
    return cast(ControlKind, found)


def _strength(kind: ControlKind, text: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not 0 <= value <= STRONGEST_CONTROL:
        raise InvalidSettings(
            "control",
            f"{text!r} is no strength of {kind}; give a number of 0 to {STRONGEST_CONTROL}",
        )
    return value
