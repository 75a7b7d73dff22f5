"""The contract reads as one: everything documented, everything named alike."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from google.protobuf import descriptor_pb2

PROTOS = Path(__file__).parents[2] / "protos"

# Numbers of the fields of descriptor.proto, of which the paths of source comments are made.
FILE_MESSAGE, FILE_ENUM, FILE_SERVICE = 4, 5, 6
MESSAGE_FIELD, MESSAGE_NESTED, MESSAGE_ENUM, MESSAGE_ONEOF = 2, 3, 4, 8
ENUM_VALUE = SERVICE_METHOD = 2


class Part(NamedTuple):
    """Something that has a name in a .proto file."""

    kind: str
    name: str
    parent: str
    comment: str


@cache
def files() -> list[descriptor_pb2.FileDescriptorProto]:
    """All .proto files with their comments, as protoc reads them."""
    names = sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto"))
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", "--include_source_info"]
    with tempfile.TemporaryDirectory() as folder:
        described = Path(folder) / "described"
        subprocess.run(
            [*command, f"--descriptor_set_out={described}", *names], check=True, timeout=60
        )
        return list(descriptor_pb2.FileDescriptorSet.FromString(described.read_bytes()).file)


def parts(*kinds: str) -> list[Part]:
    """All parts of these kinds of the whole contract."""
    return [part for file in files() for part in _parts_of(file) if part.kind in kinds]


def _parts_of(file: descriptor_pb2.FileDescriptorProto) -> Iterator[Part]:
    comments = {
        tuple(location.path): location.leading_comments.strip()
        for location in file.source_code_info.location
    }

    def part(kind: str, name: str, parent: str, *path: int) -> Part:
        return Part(kind, name, parent, comments.get(path, ""))

    def of_enum(
        enum: descriptor_pb2.EnumDescriptorProto, parent: str, *path: int
    ) -> Iterator[Part]:
        yield part("enum", enum.name, parent, *path)
        for i, value in enumerate(enum.value):
            yield part("value", value.name, enum.name, *path, ENUM_VALUE, i)

    def of_message(
        message: descriptor_pb2.DescriptorProto, parent: str, *path: int
    ) -> Iterator[Part]:
        if message.options.map_entry:
            return
        yield part("message", message.name, parent, *path)
        for i, field in enumerate(message.field):
            yield part("field", field.name, message.name, *path, MESSAGE_FIELD, i)
        for i, oneof in enumerate(message.oneof_decl):
            if not oneof.name.startswith("_"):  # what protoc makes of `optional`
                yield part("oneof", oneof.name, message.name, *path, MESSAGE_ONEOF, i)
        for i, nested in enumerate(message.nested_type):
            yield from of_message(nested, message.name, *path, MESSAGE_NESTED, i)
        for i, enum in enumerate(message.enum_type):
            yield from of_enum(enum, message.name, *path, MESSAGE_ENUM, i)

    for i, message in enumerate(file.message_type):
        yield from of_message(message, file.name, FILE_MESSAGE, i)
    for i, enum in enumerate(file.enum_type):
        yield from of_enum(enum, file.name, FILE_ENUM, i)
    for i, service in enumerate(file.service):
        yield part("service", service.name, file.name, FILE_SERVICE, i)
        for j, method in enumerate(service.method):
            yield part("rpc", method.name, service.name, FILE_SERVICE, i, SERVICE_METHOD, j)


def upper_snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


@pytest.mark.parametrize("kind", ["service", "rpc", "message", "field", "oneof", "enum", "value"])
def test_everything_is_documented(kind: str) -> None:
    undocumented = [f"{part.parent}.{part.name}" for part in parts(kind) if not part.comment]

    assert parts(kind)
    assert undocumented == []


def test_comments_are_whole_sentences() -> None:
    # A file ending stands for itself: ".mp4".
    broken = [
        f"{part.parent}.{part.name}: {part.comment}"
        for part in parts("service", "rpc", "message", "field", "enum", "value")
        if not part.comment.startswith(".")
        and (not part.comment.endswith((".", ")")) or not part.comment[0].isupper())
        and not part.comment[0].isdigit()
    ]

    assert broken == []


def test_package_and_folder_are_the_same() -> None:
    for file in files():
        folder = file.name.rpartition("/")[0]
        assert file.package == folder.replace("/", ".")
        assert re.fullmatch(r"[a-z]+(\.[a-z]+)*\.v[1-9]", file.package)
        assert re.fullmatch(r"[a-z0-9_]+\.proto", file.name.rpartition("/")[2])
        assert file.syntax == "proto3"


def test_services_end_with_service() -> None:
    for service in parts("service"):
        assert re.fullmatch(r"([A-Z][a-z0-9]+)+Service", service.name)


def test_messages_enums_and_rpcs_are_in_pascal_case() -> None:
    for part in parts("message", "enum", "rpc"):
        assert re.fullmatch(r"([A-Z][a-z0-9]*)+", part.name), part


def test_fields_and_oneofs_are_in_snake_case() -> None:
    for part in parts("field", "oneof"):
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", part.name), part


def test_values_of_enums_carry_its_name() -> None:
    for value in parts("value"):
        assert value.name.startswith(upper_snake(value.parent) + "_"), value
        assert re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", value.name), value


def test_the_first_value_of_an_enum_is_unspecified_and_zero() -> None:
    for file in files():
        for enum in file.enum_type:
            assert enum.value[0].name == upper_snake(enum.name) + "_UNSPECIFIED"
            assert enum.value[0].number == 0
            assert not enum.options.allow_alias


def test_every_rpc_has_a_request_and_a_response_of_its_own() -> None:
    used: list[str] = []
    for file in files():
        for service in file.service:
            for method in service.method:
                request = method.input_type.rpartition(".")[2]
                response = method.output_type.rpartition(".")[2]
                assert request == method.name + "Request"
                assert response == method.name + "Response"
                used += [request, response]

    assert len(used) == len(set(used))
    calls = {m.name for m in parts("message") if m.name.endswith(("Request", "Response"))}
    assert calls == set(used)


def test_no_name_is_used_by_two_messages() -> None:
    names = [part.name for part in parts("message", "enum")]

    assert len(names) == len(set(names))


def test_imports_are_neither_public_nor_weak() -> None:
    for file in files():
        assert not file.public_dependency
        assert not file.weak_dependency


def test_what_is_true_or_false_reads_as_a_claim() -> None:
    settings = {"RestyleSettings", "AttentionSettings", "OptimisationSettings"}
    boolean = descriptor_pb2.FieldDescriptorProto.TYPE_BOOL
    for file in files():
        for message in file.message_type:
            for field in message.field:
                if field.type == boolean and message.name not in settings:
                    assert field.name.startswith(("is_", "has_", "can_")), field.name


def test_sizes_say_their_unit_and_fit() -> None:
    wide = descriptor_pb2.FieldDescriptorProto.TYPE_INT64
    for file in files():
        for message in file.message_type:
            for field in message.field:
                if field.name.endswith("_bytes"):
                    assert field.type == wide, f"{message.name}.{field.name}"
