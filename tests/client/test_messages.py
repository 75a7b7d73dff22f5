"""Values and messages say the same."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from enum import Enum
from fractions import Fraction
from typing import Any

import pytest
from fresco.v1 import (
    clips_pb2,
    frames_pb2,
    jobs_pb2,
    looks_pb2,
    media_pb2,
    models_pb2,
    server_pb2,
    settings_pb2,
)
from fresco_client import ParameterKind, events, server_info, settings, values
from fresco_client.errors import Forbidden, VersionMismatch
from fresco_client.mapping import enum_number, fields_of
from fresco_client.messages import (
    ENUM_TYPES,
    MESSAGE_TYPES,
    event_of,
    message_of,
    name_of,
    value_of,
)
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import settings as settings_of_test
from hypothesis import strategies as st

FILES = (
    clips_pb2,
    frames_pb2,
    jobs_pb2,
    looks_pb2,
    media_pb2,
    models_pb2,
    server_pb2,
    settings_pb2,
)

# What has no value of its own: requests and responses are arguments and results of Session's
# methods, the others become something of the standard library, or parts of an event or picture.
WITHOUT_VALUE = {"Rational", "JobEvent", "PictureChunk"}

PAIRS = [pytest.param(*pair, id=pair[0].__name__) for pair in MESSAGE_TYPES.items()]


def own_fields(kind: type) -> dict[str, Any]:
    """A value's fields, without those that every event has."""
    names = {field.name for field in dataclasses.fields(kind)}
    if issubclass(kind, events.Event):
        names -= {"sequence", "time"}
    hints = typing.get_type_hints(kind)
    return {name: hints[name] for name in names}


@pytest.mark.parametrize(("value", "message"), PAIRS)
def test_value_and_message_have_the_same_fields(value: type, message: type[Message]) -> None:
    assert set(own_fields(value)) == {name_of(field) for field in fields_of(message)}


@pytest.mark.parametrize(("value", "message"), PAIRS)
def test_what_a_message_may_leave_out_may_be_none(value: type, message: type[Message]) -> None:
    hints = own_fields(value)

    for field in fields_of(message):
        may_be_none = type(None) in typing.get_args(hints[name_of(field)])
        if field.has_presence and field.message_type is None:
            assert may_be_none, field.full_name
        if field.is_repeated:
            assert not may_be_none, field.full_name


@pytest.mark.parametrize(("value", "message"), PAIRS)
def test_values_are_frozen_and_made_by_name(value: Any, message: type[Message]) -> None:
    assert value.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(value))


def test_every_message_of_the_contract_has_a_value() -> None:
    known = {message.DESCRIPTOR.name for message in MESSAGE_TYPES.values()}
    contract = {name for file in FILES for name in file.DESCRIPTOR.message_types_by_name}
    calls = {name for name in contract if name.endswith(("Request", "Response"))}

    assert contract - calls - known == WITHOUT_VALUE


def enums() -> Iterator[EnumDescriptor]:
    for file in FILES:
        yield from typing.cast(Any, file.DESCRIPTOR.enum_types_by_name).values()


WORDS: dict[str, Any] = {
    "PictureEncoding": values.PictureEncoding,
    "FrameKind": values.FrameKind,
    "OutputKind": values.OutputKind,
    "Container": values.Container,
    "ModelKind": server_info.ModelKind,
    "ModelState": server_info.ModelState,
    "DeviceState": server_info.DeviceState,
    "ParameterKind": ParameterKind,
    "KeyframeChangeKind": settings.KeyframeChangeKind,
}


@pytest.mark.parametrize("enum", list(enums()), ids=lambda enum: enum.name)
def test_every_enum_has_a_word_for_each_of_its_values(enum: EnumDescriptor) -> None:
    ours = ENUM_TYPES.get(enum.full_name)
    words: list[Any] = list(ours) if ours else list(typing.get_args(WORDS[enum.name]))

    numbers = {enum_number(enum, word) for word in words}

    assert numbers == {value.number for value in enum.values if value.number != 0}


SINGLE: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(0, 2**31 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False, width=32),
    str: st.text(max_size=9),
    bytes: st.binary(max_size=9),
    Fraction: st.fractions(0, 1000, max_denominator=100_000),
    datetime: st.datetimes(
        datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc)
    ),
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type, made from its annotations."""
    if kind in SINGLE:
        return SINGLE[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if type(None) in arguments:
        (inner,) = [one for one in arguments if one is not type(None)]
        return st.none() | values_of(inner)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=2).map(tuple)
    if arguments:
        return st.dictionaries(values_of(arguments[0]), values_of(arguments[1]), max_size=2)
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    return st.builds(kind, **{name: values_of(hint) for name, hint in fields(kind).items()})


def fields(kind: type) -> dict[str, Any]:
    hints = own_fields(kind)
    # Seconds are kept in whole nanoseconds.
    return {name: hint for name, hint in hints.items() if not name.endswith("_s")} | {
        name: int | None for name in hints if name.endswith("_s")
    }


MESSAGE_VALUES = [
    pytest.param(value, message, id=value.__name__)
    for value, message in MESSAGE_TYPES.items()
    if not issubclass(value, events.Event)
]


@pytest.mark.parametrize(("kind", "message"), MESSAGE_VALUES)
@settings_of_test(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_value_comes_back_from_its_message(
    data: st.DataObject, kind: type, message: type[Message]
) -> None:
    value = data.draw(values_of(kind))

    wire = message_of(value, message).SerializeToString()

    assert value_of(message.FromString(wire), kind) == one_source(value)


def one_source(value: Any) -> Any:
    """What is left of a value when of a clip's two sources only one can be sent."""
    if isinstance(value, values.ClipSource) and value.upload_sha256 is not None:
        return dataclasses.replace(value, path=None)
    if isinstance(value, values.Job) and value.clip is not None:
        return dataclasses.replace(value, clip=one_source(value.clip))
    return value


def test_settings_that_are_left_out_are_not_sent() -> None:
    sent = message_of(
        settings.RestyleSettings(prompt="ink", attention=settings.AttentionSettings()),
        settings_pb2.RestyleSettings,
    )

    assert [field.name for field, _ in sent.ListFields()] == ["prompt", "attention"]


def test_settings_that_are_off_or_zero_are_sent() -> None:
    sent = message_of(
        settings.RestyleSettings(seed=0, free_u=False, strength=0.0), settings_pb2.RestyleSettings
    )

    assert [field.name for field, _ in sent.ListFields()] == ["seed", "strength", "free_u"]


def test_an_event_carries_sequence_and_time() -> None:
    message = jobs_pb2.JobEvent(sequence=3, warned=jobs_pb2.Warned(message="Dark."))
    message.time.FromSeconds(1_700_000_000)

    event = event_of(message)

    assert event == events.Warned(
        sequence=3,
        time=datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc),
        message="Dark.",
    )
    assert event is not None
    assert event.time.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "name", [one.name for one in jobs_pb2.JobEvent.DESCRIPTOR.oneofs[0].fields]
)
def test_every_event_has_its_value(name: str) -> None:
    field: FieldDescriptor = jobs_pb2.JobEvent.DESCRIPTOR.fields_by_name[name]
    message = jobs_pb2.JobEvent(sequence=1)
    inner: Any = getattr(message, name)
    inner.SetInParent()
    if name == "state_changed":
        inner.state = jobs_pb2.JOB_STATE_DONE
    if name == "progress_made":
        inner.progress.stage = jobs_pb2.STAGE_ENCODING

    event = event_of(message)

    assert field.message_type is not None
    assert type(event).__name__ == field.message_type.name


def test_an_event_of_a_kind_only_newer_clients_know_is_none() -> None:
    assert event_of(jobs_pb2.JobEvent(sequence=1)) is None


def test_a_state_only_newer_clients_know_asks_for_an_update() -> None:
    job = jobs_pb2.Job(id="a")
    job.state = typing.cast(Any, 99)

    with pytest.raises(VersionMismatch, match=r"JobState 99.*Update this program"):
        value_of(job, values.Job)


def test_seconds_are_exact_to_the_nanosecond() -> None:
    job = jobs_pb2.Job(state=jobs_pb2.JOB_STATE_DONE)
    job.remaining.FromNanoseconds(1_500_000_001)

    assert value_of(job, values.Job).remaining_s == pytest.approx(1.500000001, abs=1e-10)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (values.ClipSource(path="/a/b\udcff.mp4"), media_pb2.ClipSource),
        (settings.Lora(path="/a/\udce9\udcff"), settings_pb2.Lora),
        (settings.RestyleSettings(prompt="ink \udcff"), settings_pb2.RestyleSettings),
        (
            settings.RestyleSettings(keyframe_pictures={3: "/a/\udcff.png"}),
            settings_pb2.RestyleSettings,
        ),
    ],
)
def test_what_is_not_utf8_is_told_and_never_sent(value: object, kind: type[Message]) -> None:
    with pytest.raises(Forbidden, match=r"\\udc.*not UTF-8.*Rename the file.*type it anew"):
        message_of(value, kind)


@pytest.mark.parametrize(
    ("given_s", "sent_s"), [(1.5, 1.5), (-3.0, 0.0), (1e30, 315_576_000_000.0)]
)
def test_a_duration_is_sent_within_what_messages_can_hold(given_s: float, sent_s: float) -> None:
    message = message_of({"remaining_s": given_s}, jobs_pb2.ProgressMade)

    assert message.remaining.ToNanoseconds() / 1e9 == sent_s
