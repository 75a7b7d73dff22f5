"""Frozen dataclasses to and from plain values: what is stored, and lines between processes.

Enums are their values, fractions texts such as "5/24", tuples lists. A field that is `INLINED`
has its own fields among those of what holds it. Where several classes
may stand in one place, in a union or a line, a `kind` says which one it is: what the class has
under that name, or else the class's own name.
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
from typing import Any, TypeVar

ValueT = TypeVar("ValueT")
CANNOT_BE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading values of whatever kind may raise."""
_FRACTION = re.compile(r"-?[0-9]{1,40}(/0*[1-9][0-9]{0,40})?")
_LARGEST = 2**63
_KIND = "kind"
INLINED = {"is_inlined": True}
"""Metadata of a field whose own fields are written among those of what holds it."""


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


def _plain_fields(value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for one in fields(value):
        content = getattr(value, one.name)
        if one.metadata == INLINED:
            plain |= _plain_fields(content)
        else:
            plain[one.name] = _with_kind(content) if hasattr(content, _KIND) else to_plain(content)
    return plain


def _with_kind(value: Any) -> dict[str, Any]:
    return {_KIND: _kind_of(type(value)), **_plain_fields(value)}


def _kind_of(kind: type) -> str:
    return getattr(kind, _KIND, kind.__name__)


@cache
def _reader(hint: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _union_reader(arguments)
    if origin is tuple:
        return _tuple_reader(arguments)
    if is_dataclass(hint):
        return _fields_reader(hint)
    if hasattr(hint, "_fields"):  # A named tuple.
        return lambda plain: hint(*plain)
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
    readers = {one.name: _reader(hints[one.name]) for one in fields(kind)}
    inlines = {one.name for one in fields(kind) if one.metadata == INLINED}
    optional = {
        one.name
        for one in fields(kind)
        if one.default is not MISSING or one.default_factory is not MISSING
    }

    def read(plain: Mapping[str, Any]) -> Any:
        return kind(
            **{
                name: read_one(plain if name in inlines else plain[name])
                for name, read_one in readers.items()
                if name in inlines or name in plain or name not in optional
            }
        )

    return read
