"""Frozen dataclasses to and from plain values: what is stored, and lines between processes.

Enums are their values, fractions texts such as "5/24", tuples lists. What an event tells, such as
its plan, has its own fields among those of the event. Where several classes may stand in one place,
in a union or a line, a `kind` says which one it is: the event's, or else the class's own name.
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple, TypeVar

from fresco_client import events
from fresco_client.values import FrameRange, Plan, ResultInfo

ValueT = TypeVar("ValueT")
CANNOT_BE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading values of whatever kind may raise."""
_FRACTION = re.compile(r"-?[0-9]{1,40}(/0*[1-9][0-9]{0,40})?")
_LARGEST = 2**63
_KIND = "kind"
EVENT_TYPES: Mapping[str, type[events.Event]] = {
    "state": events.StateChanged,
    "analysed": events.Analysed,
    "progress": events.ProgressMade,
    "keyframe": events.KeyframeReady,
    "frame": events.FrameReady,
    "warned": events.Warned,
    "restarted": events.Restarted,
    "finished": events.Finished,
    "failed": events.Failed,
}
"""Events by the `kind` that they are stored under."""
_KINDS: Mapping[type, str] = {event: kind for kind, event in EVENT_TYPES.items()}
_KEPT_ELSEWHERE = {"sequence", "time", "picture", "is_fetched"}
"""Fields of events and results that have a column, or a file, of their own."""


class _StoredForm(NamedTuple):
    """How the fields of a class are stored, where that is not as they are."""

    to_stored: Callable[[dict[str, Any]], Any]
    to_fields: Callable[[Any], dict[str, Any]]


def to_plain(value: Any) -> Any:
    """`value` as JSON can hold it; what is neither of these stays as it is."""
    if is_dataclass(value):
        return _plain_fields(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, Mapping):
        return {str(name): to_plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[ValueT], plain: Any) -> ValueT:
    """The value of a class that `to_plain` was given; unknown fields are left out.

    Raises:
        CANNOT_BE: it is none.
    """
    return _reader(kind)(plain)


def to_line(message: Any) -> bytes:
    """A message as a line of JSON."""
    return json.dumps(_with_kind(message)).encode() + b"\n"


def from_line(kind: Any, line: bytes) -> Any:
    """The message in a line, of one of the classes in the union `kind`.

    Raises:
        CANNOT_BE: there is none in it.
    """
    return _reader(kind)(json.loads(line))


def _plain_fields(value: Any) -> Any:
    plain: dict[str, Any] = {}
    for name in _stored_names(type(value)):
        content = getattr(value, name)
        if isinstance(value, events.Event) and is_dataclass(content):
            plain |= _plain_fields(content)
        else:
            is_event = isinstance(content, events.Event)
            plain[name] = _with_kind(content) if is_event else to_plain(content)
    form = _FORMS.get(type(value))
    return form.to_stored(plain) if form else plain


def _stored_names(kind: type) -> list[str]:
    is_partly_kept = kind is ResultInfo or issubclass(kind, events.Event)
    names = [one.name for one in fields(typing.cast(Any, kind))]
    return [name for name in names if not (is_partly_kept and name in _KEPT_ELSEWHERE)]


def _plan_to_stored(plain: dict[str, Any]) -> dict[str, Any]:
    return {"working_size": [plain.pop("working_width"), plain.pop("working_height")], **plain}


def _plan_to_fields(stored: Mapping[str, Any]) -> dict[str, Any]:
    width, height = stored["working_size"]
    return {**stored, "working_width": width, "working_height": height}


def _result_to_stored(plain: dict[str, Any]) -> dict[str, Any]:
    return {"report": json.loads(plain.pop("report_json")), **plain}


def _result_to_fields(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {**stored, "report_json": strict_json(_plain_reader(Mapping)(stored["report"]))}


def strict_json(values: Mapping[str, Any]) -> str:
    """`values` as strict JSON: what is no number becomes null."""
    try:
        return json.dumps(values, ensure_ascii=False, allow_nan=False)
    except ValueError:
        plain = json.loads(json.dumps(values), parse_constant=lambda _: None)
        return json.dumps(plain, ensure_ascii=False)


_FORMS: Mapping[type, _StoredForm] = {
    FrameRange: _StoredForm(
        lambda plain: [plain["start"], plain["stop"]],
        lambda stored: dict(zip(("start", "stop"), stored, strict=True)),
    ),
    Plan: _StoredForm(_plan_to_stored, _plan_to_fields),
    ResultInfo: _StoredForm(_result_to_stored, _result_to_fields),
    events.FrameReady: _StoredForm(
        lambda plain: {"time": plain.pop("clip_time"), **plain},
        lambda stored: {**stored, "clip_time": stored["time"]},
    ),
}


def _with_kind(value: Any) -> dict[str, Any]:
    return {_KIND: _kind_of(type(value)), **_plain_fields(value)}


def _kind_of(kind: type) -> str:
    return _KINDS.get(kind, kind.__name__)


def kind_of(event: events.Event) -> str:
    """What an event is stored under."""
    return _KINDS[type(event)]


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _union_reader(arguments)
    if origin is tuple:
        return _tuple_reader(arguments)
    if hint is events.Event:
        return _union_reader(tuple(EVENT_TYPES.values()))
    if is_dataclass(hint):
        return _fields_reader(hint)
    if hint is Fraction:
        return _fraction
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    return _plain_reader(origin or hint)


def is_fraction(plain: object) -> bool:
    """Whether it is a fraction's text, of a length that can be reckoned with."""
    return isinstance(plain, str) and _FRACTION.fullmatch(plain) is not None


def _fraction(plain: Any) -> Fraction:
    if not is_fraction(plain):
        raise ValueError(f"{plain!r:.100} is no fraction")
    return Fraction(plain)


def _plain_reader(kind: Any) -> Callable[[Any], Any]:
    kinds = (int, float) if kind is float else kind

    def read(plain: Any) -> Any:
        is_large = isinstance(plain, int) and abs(plain) >= _LARGEST
        if is_large or (isinstance(kind, type) and not isinstance(plain, kinds)):
            raise TypeError(f"{plain!r:.100} is no {kind}")
        return plain

    return read


def _union_reader(members: tuple[Any, ...]) -> Callable[[Any], Any]:
    kinds = [member for member in members if member is not types.NoneType]
    if len(kinds) > 1:
        by_kind = {_kind_of(kind): _reader(kind) for kind in kinds}
        return lambda plain: by_kind[plain[_KIND]](plain)
    read = _reader(kinds[0])
    return lambda plain: None if plain is None else read(plain)


def _tuple_reader(items: tuple[Any, ...]) -> Callable[[Any], Any]:
    if items[-1] is Ellipsis:
        read = _reader(items[0])
        return lambda plain: tuple(map(read, plain))
    readers = [_reader(item) for item in items]
    return lambda plain: tuple(read(part) for read, part in zip(readers, plain, strict=True))


def _fields_reader(kind: Any) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(kind)
    readers = {name: _reader(hints[name]) for name in _stored_names(kind)}
    is_event, form = issubclass(kind, events.Event), _FORMS.get(kind)
    inlines = {name for name in readers if is_event and is_dataclass(hints[name])}
    optional = {
        one.name
        for one in fields(kind)
        if one.default is not MISSING or one.default_factory is not MISSING
    }

    def read(stored: Any) -> Any:
        plain = form.to_fields(stored) if form else stored
        return kind(
            **{
                name: read_one(plain if name in inlines else plain[name])
                for name, read_one in readers.items()
                if name in inlines or name in plain or name not in optional
            }
        )

    return read
