"""Values to protobuf messages and back: `mapping`, and which value goes with which message."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar

from fresco.v1 import jobs_pb2, looks_pb2, media_pb2, models_pb2, server_pb2, settings_pb2
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from fresco_client import events, server_info, settings, values
from fresco_client.errors import Forbidden, VersionMismatch
from fresco_client.mapping import (
    DURATION,
    RATIONAL,
    TIMESTAMP,
    MessageWriter,
    enum_prefix,
    fields_of,
    is_map,
)

ValueT = TypeVar("ValueT")

MESSAGE_TYPES: dict[type, type[Message]] = {
    values.ClipSource: media_pb2.ClipSource,
    values.ClipInfo: media_pb2.ClipInfo,
    values.PictureOptions: media_pb2.PictureOptions,
    values.Picture: media_pb2.Picture,
    values.OutputOptions: jobs_pb2.OutputOptions,
    values.StageProgress: jobs_pb2.StageProgress,
    values.FrameRange: jobs_pb2.FrameRange,
    values.Plan: jobs_pb2.Plan,
    values.ResultInfo: jobs_pb2.ResultInfo,
    values.Failure: jobs_pb2.Failure,
    values.Job: jobs_pb2.Job,
    settings.AttentionSettings: settings_pb2.AttentionSettings,
    settings.OptimisationSettings: settings_pb2.OptimisationSettings,
    settings.SmoothingSettings: settings_pb2.SmoothingSettings,
    settings.RestyleSettings: settings_pb2.RestyleSettings,
    settings.Lora: settings_pb2.Lora,
    settings.ModelChoice: settings_pb2.ModelChoice,
    settings.KeyframeChange: jobs_pb2.KeyframeChange,
    events.StateChanged: jobs_pb2.StateChanged,
    events.Analysed: jobs_pb2.Analysed,
    events.ProgressMade: jobs_pb2.ProgressMade,
    events.KeyframeReady: jobs_pb2.KeyframeReady,
    events.FrameReady: jobs_pb2.FrameReady,
    events.Warned: jobs_pb2.Warned,
    events.Restarted: jobs_pb2.Restarted,
    events.Finished: jobs_pb2.Finished,
    events.Failed: jobs_pb2.Failed,
    server_info.Style: models_pb2.Style,
    server_info.Model: models_pb2.Model,
    server_info.PullProgress: models_pb2.PullModelResponse,
    server_info.ResolvedSettings: models_pb2.ResolveSettingsResponse,
    server_info.LookProgress: looks_pb2.LookProgress,
    server_info.Device: server_pb2.Device,
    server_info.Limits: server_pb2.Limits,
    server_info.Parameter: server_pb2.Parameter,
    server_info.Capabilities: server_pb2.Capabilities,
    server_info.ServerInfo: server_pb2.GetServerResponse,
}
"""Which message carries which value."""

ENUM_TYPES: dict[str, type[Enum]] = {
    "fresco.v1.JobState": values.JobState,
    "fresco.v1.Stage": values.Stage,
}
"""Enums that are Enums here too; all others are words."""

_VALUE_TYPES: dict[str, type] = {
    message.DESCRIPTOR.full_name: value for value, message in MESSAGE_TYPES.items()
}


def value_of(message: Message, kind: type[ValueT], **more: object) -> ValueT:
    """The value a message carries; `more` gives fields that are not in it.

    Raises:
        VersionMismatch: an enum has a value that this client does not know.
    """
    content = {field.name: field.read(message) for field in _fields_of(kind)}
    return kind(**content, **more)


class _ClientWriter(MessageWriter):
    """Sends what a daemon can be told."""

    def checked(self, field: FieldDescriptor, content: Any) -> Any:
        """The content of a plain field.

        Raises:
            Forbidden: a name or words that are not UTF-8, which the contract cannot carry.
        """
        if isinstance(content, str):
            try:
                content.encode("utf-8")
            except UnicodeEncodeError:
                shown = repr(content.encode("utf-8", "backslashreplace").decode())
                raise Forbidden(
                    f"{shown}: it is not UTF-8, so no daemon can be told it. Rename the file or "
                    "its folder if it is a name, and type it anew if it is words.",
                    "NAME_NOT_UTF8",
                ) from None
        return content


_WRITER = _ClientWriter()
name_of = _WRITER.name_of
message_of = _WRITER.message_of


def event_of(message: jobs_pb2.JobEvent) -> events.Event | None:
    """The event a message carries; None for one of a kind that only newer clients know."""
    which = message.WhichOneof("event")
    if which is None:
        return None
    inner: Message = getattr(message, which)
    kind = typing.cast(type[events.Event], _VALUE_TYPES[inner.DESCRIPTOR.full_name])
    return value_of(inner, kind, sequence=message.sequence, time=_time_of(message.time))


@dataclass(frozen=True)
class _Field:
    """How one field of a value is read from a message."""

    name: str
    read: Callable[[Message], Any]


@cache
def _fields_of(kind: type) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(kind)
    return tuple(
        _Field(name_of(field), _reader(field, _takes_none(hints[name_of(field)])))
        for field in fields_of(MESSAGE_TYPES[kind])
    )


def _takes_none(hint: object) -> bool:
    is_union = typing.get_origin(hint) in {typing.Union, types.UnionType}
    return is_union and types.NoneType in typing.get_args(hint)


def _reader(field: FieldDescriptor, takes_none: bool) -> Callable[[Message], Any]:
    name = field.name
    if is_map(field):
        return lambda message: dict(getattr(message, name))
    read_one = _reader_of_one(field, takes_none)
    if field.is_repeated:
        return lambda message: tuple(map(read_one, getattr(message, name)))
    if field.has_presence and takes_none:
        return lambda message: read_one(getattr(message, name)) if message.HasField(name) else None
    return lambda message: read_one(getattr(message, name))


def _reader_of_one(field: FieldDescriptor, takes_none: bool) -> Callable[[Any], Any]:
    if field.enum_type is not None:
        return _enum_reader(field.enum_type, takes_none)
    if field.message_type is None:
        return _as_it_is
    special = _SPECIAL_READERS.get(field.message_type.full_name)
    if special is not None:
        return special
    kind: type[object] = _VALUE_TYPES[field.message_type.full_name]

    def read(inner: Message) -> object:
        return value_of(inner, kind)

    return read


def _as_it_is(item: Any) -> Any:
    return item


def _enum_reader(kind: EnumDescriptor, takes_none: bool) -> Callable[[int], Any]:
    prefix = enum_prefix(kind)
    words = {value.number: value.name.removeprefix(prefix) for value in kind.values}
    enum = ENUM_TYPES.get(kind.full_name)
    known: dict[int, Any] = {
        number: enum[word] if enum else word.lower() for number, word in words.items() if number
    }
    if takes_none:
        known[0] = None

    def read(number: int) -> Any:
        if number not in known:
            raise VersionMismatch(
                f"The daemon sent {kind.name} {number}, which this program does not know. "
                "Update this program."
            )
        return known[number]

    return read


def _time_of(message: Any) -> datetime:
    return message.ToDatetime(tzinfo=timezone.utc)


def _seconds_of(message: Any) -> float:
    return message.seconds + message.nanos / 1e9


def _fraction_of(message: Any) -> Fraction:
    return Fraction(message.numerator, message.denominator or 1)


_SPECIAL_READERS: dict[str, Callable[[Any], Any]] = {
    TIMESTAMP: _time_of,
    DURATION: _seconds_of,
    RATIONAL: _fraction_of,
}
