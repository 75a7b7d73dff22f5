"""Filling messages of the contract from values whose fields have the same names.

Used on both sides of the wire. A Duration `x` is `x_s` in seconds, or `None` where it is not known;
enums are the words of their names, or an Enum of such names. Nothing here knows a single field by
name, so a field added to the contract only has to be added to its value.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from fractions import Fraction
from typing import Any, TypeVar

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

MessageT = TypeVar("MessageT", bound=Message)

DURATION = "google.protobuf.Duration"
TIMESTAMP = "google.protobuf.Timestamp"
RATIONAL = "fresco.v1.Rational"
RENAMED = {"fresco.v1.FrameReady.time": "clip_time"}
"""Fields that are called otherwise in their values: an event's own `time` is another."""
_LONGEST_DURATION_S = 315_576_000_000.0  # Ten thousand years, the most that Duration may hold.
_LARGEST_INT64 = 2**63 - 1
_LARGEST_PART = 2**31 - 1


def fields_of(kind: type[Message]) -> Sequence[FieldDescriptor]:
    """The fields of a message, whichever implementation of protobuf describes them."""
    return typing.cast(Sequence[FieldDescriptor], kind.DESCRIPTOR.fields)


def enum_prefix(kind: EnumDescriptor) -> str:
    """What the names of an enum's values begin with, before their words."""
    return kind.values_by_number[0].name.removesuffix("UNSPECIFIED")


def enum_number(kind: EnumDescriptor, value: str | Enum) -> int:
    """The number of an enum's value, given as a word or an Enum."""
    word = value.name if isinstance(value, Enum) else value.upper()
    return kind.values_by_name[enum_prefix(kind) + word].number


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


class MessageWriter:
    """Writes values, or mappings of the same names, into messages; what is None is left out."""

    def name_of(self, field: FieldDescriptor) -> str:
        """What a message's field is called in its value."""
        is_duration = field.message_type is not None and field.message_type.full_name == DURATION
        return RENAMED.get(field.full_name, field.name + "_s" * is_duration)

    def message_of(self, value: object, kind: type[MessageT], **more: object) -> MessageT:
        """The message that carries a value; `more` gives fields that are not in it."""
        message = kind()
        self._fill(message, value, more)
        return message

    def checked(self, field: FieldDescriptor, content: Any) -> Any:
        """The content of a plain field, as it can be sent."""
        return content

    def _fill(self, message: Message, value: object, more: Mapping[str, object]) -> None:
        for field in fields_of(type(message)):
            name = self.name_of(field)
            if name in more:
                content: Any = more[name]
            elif isinstance(value, Mapping):
                content = typing.cast(Mapping[str, Any], value).get(name)
            else:
                content = getattr(value, name)
            if content is not None:
                self._write(message, field, content)

    def _write(self, message: Message, field: FieldDescriptor, content: Any) -> None:
        target: Any = getattr(message, field.name)
        if is_map(field):
            entries = content.items()
            target.update({self.checked(field, k): self.checked(field, v) for k, v in entries})
        elif field.is_repeated and field.message_type is not None:
            for item in content:
                self._write_message(target.add(), item)
        elif field.is_repeated:
            target.extend(self._plain(field, item) for item in content)
        elif field.message_type is not None:
            self._write_message(target, content)
        else:
            setattr(message, field.name, self._plain(field, content))

    def _plain(self, field: FieldDescriptor, content: Any) -> Any:
        if field.enum_type is not None and not isinstance(content, int):
            return enum_number(field.enum_type, content)
        return self.checked(field, content)

    def _write_message(self, message: Any, content: Any) -> None:
        kind: str = message.DESCRIPTOR.full_name
        if isinstance(content, Message):
            message.SetInParent()
            message.CopyFrom(content)
        elif kind == DURATION:
            if math.isfinite(content):
                within = max(0.0, min(_LONGEST_DURATION_S, content))
                message.FromNanoseconds(round(within * 1e6) * 1000)
        elif kind == TIMESTAMP and isinstance(content, datetime):
            message.FromDatetime(content)
        elif kind == TIMESTAMP:
            message.FromNanoseconds(round(content * 1e6) * 1000)
        elif kind == RATIONAL:
            _write_fraction(message, Fraction(content))
        else:
            message.SetInParent()
            self._fill(message, content, {})


def _write_fraction(message: Any, exact: Fraction) -> None:
    if abs(exact.numerator) > _LARGEST_INT64 or exact.denominator > _LARGEST_INT64:
        exact = exact.limit_denominator(_LARGEST_PART)
    message.numerator = max(-_LARGEST_INT64, min(_LARGEST_INT64, exact.numerator))
    message.denominator = exact.denominator
