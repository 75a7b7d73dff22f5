"""Calls that no client should make, at any daemon: `fuzz(address, token)`.

Messages are made from the contract's descriptors: random ones, good ones with some fields changed,
bytes that are none, none at all, too many, too large. Calls lack the token, name other versions,
and are cut at random. However they end, it must be with a status that the contract documents.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, reduce
from pathlib import Path
from typing import Any

import grpc
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
from google.protobuf.message import Message
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

PROTOS = Path(__file__).parents[2] / "protos" / "fresco" / "v1"
FILES = (clips_pb2, frames_pb2, jobs_pb2, looks_pb2, models_pb2, server_pb2)
STREAM_PATIENCE_S = 0.2
PATIENCE_S = 30.0
_FILM = b"film"


@dataclass(frozen=True)
class Method:
    """A call of the contract: its path, its request, and the statuses it may end with."""

    path: str
    request: Any
    is_stream: bool
    documented: frozenset[StatusCode]

    @property
    def name(self) -> str:
        """Without the service."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Target:
    """What there is at a daemon that calls may name, besides what is not there."""

    job_ids: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    skipped: frozenset[str] = frozenset()
    """Names of calls that are not made, such as PullModel where there is a network."""
    slow: frozenset[str] = frozenset({"LoadModel", "DescribeClip", "CreateJob", "ListModels"})
    """Names of calls that may take longer than anybody here waits."""


@dataclass(frozen=True)
class Attack:
    """One call: what is sent, with which metadata, and after how many answers it is cut."""

    method: Method
    payloads: tuple[bytes, ...] = field(repr=False)
    metadata: tuple[tuple[str, str | bytes], ...]
    is_known: bool
    is_message: bool
    cut_after: int | None = None
    shown: str = ""


# What the contract documents


@cache
def methods() -> tuple[Method, ...]:
    """All calls of the contract, and those of health and reflection."""
    text = "\n".join(path.read_text("utf-8") for path in sorted(PROTOS.glob("*.proto")))
    found: list[Method] = []
    for file in FILES:
        for service in file.DESCRIPTOR.services_by_name.values():
            common = _statuses(text, rf"service {service.name} \{{")
            for call in service.methods:
                kind = getattr(file, call.input_type.name)
                own = _statuses(text, rf"rpc {call.name}\(")
                path = f"/{service.full_name}/{call.name}"
                if service.name == "ServerService":
                    common = frozenset()  # These are about all services, and have reasons.
                found.append(Method(path, kind, call.server_streaming, own | common))
    health = frozenset({StatusCode.NOT_FOUND})
    info = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    return (
        *found,
        Method("/grpc.health.v1.Health/Check", health_pb2.HealthCheckRequest, False, health),
        Method("/grpc.health.v1.Health/Watch", health_pb2.HealthCheckRequest, True, health),
        Method(info, reflection_pb2.ServerReflectionRequest, True, frozenset()),
    )


def _statuses(text: str, line: str) -> frozenset[StatusCode]:
    """The statuses in the comment above a line."""
    match = re.search(rf"((?:^ *//.*\n)*)^ *{line}", text, re.MULTILINE)
    assert match is not None, line
    words = set(re.findall(r"\b[A-Z][A-Z_]+\b", match[1]))
    return frozenset(status for status in StatusCode if status.name in words)


# What is sent

_NUMBERS = st.sampled_from([0, 1, -1, 2, 3, 24, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63)])
_DOUBLES = st.sampled_from(
    [0.0, -0.0, 0.5, 1.0, -1.0, 1e-300, 1e300, float("nan"), float("inf"), float("-inf")]
)
_TRICKS = (
    "",
    ".",
    "..",
    "/",
    "//",
    "/..",
    "/etc/passwd",
    "/etc/shadow",
    "/dev/zero",
    "/proc/self/environ",
    "/proc/self/fd/0",
    "~/x",
    "file:///etc/passwd",
    "C:\\Windows\\win.ini",
    "\\\\server\\share\\x",
    "//server/share/x",
    "/tmp/%s%n%d",
    "/tmp/%04d.png",
    "/tmp/\0x",
    "/tmp/$(id)",
    "/tmp/'; DROP TABLE jobs; --",
    "/" + "a" * 300,
    "/" + "a/" * 3000,
    "a/b",
    "../../x",
    "owner/name",
    "/x.ckpt",
    "\u202e\ufeff",
    "🎬" * 50,
    "e\u0301" * 100,
    "x" * 70,
    "x" * 5000,
    "ü" * 300_000,
    "tile",
    "draft",
    "best",
    "cpu",
    "cuda:0",
    "WzEuMCwgIngiXQ==",
)
_DIGESTS = (
    hashlib.sha256(_FILM).hexdigest(),
    hashlib.sha256(b"").hexdigest(),
    "0" * 64,
    "F" * 64,
)
_BYTES = st.sampled_from(
    [b"", b"f", b"fi", b"lm", _FILM, b"\xff" * 7, bytes(1 << 20), bytes((1 << 20) + 1)]
)


def _texts(target: Target) -> st.SearchStrategy[str]:
    known = (*target.job_ids, *target.paths, *_DIGESTS)
    cut = [path[:-1] for path in target.paths] + [f"{path}/../x" for path in target.paths]
    return st.sampled_from([*known, *known, *cut, *_TRICKS]) | st.text(max_size=20)


def _value(one: Any, target: Target, depth: int) -> st.SearchStrategy[Any]:
    """Any value of a field, sensible or not."""
    if one.message_type is not None:
        return _messages(one.message_type, target, depth - 1)
    if one.enum_type is not None:
        return st.sampled_from([*one.enum_type.values_by_number, 99, -1])
    if one.cpp_type in (one.CPPTYPE_INT32, one.CPPTYPE_INT64):
        bits = 31 if one.cpp_type == one.CPPTYPE_INT32 else 63
        return _NUMBERS.filter(lambda number: -(2**bits) <= number < 2**bits)
    if one.cpp_type in (one.CPPTYPE_DOUBLE, one.CPPTYPE_FLOAT):
        return _DOUBLES
    if one.cpp_type == one.CPPTYPE_BOOL:
        return st.booleans()
    return _BYTES if one.type == one.TYPE_BYTES else _texts(target)


def _messages(descriptor: Any, target: Target, depth: int = 4) -> st.SearchStrategy[Any]:
    """Some fields of a message with any values, as plain values."""
    fields = [one for one in descriptor.fields if depth > 0 or one.message_type is None]
    if not fields:
        return st.just({})
    chosen = st.lists(st.sampled_from(fields), max_size=4, unique_by=lambda one: one.name)
    return chosen.flatmap(
        lambda some: st.fixed_dictionaries({one.name: _field(one, target, depth) for one in some})
    )


def _field(one: Any, target: Target, depth: int) -> st.SearchStrategy[Any]:
    if one.message_type is not None and one.message_type.GetOptions().map_entry:
        key, value = one.message_type.fields
        return st.dictionaries(_value(key, target, depth), _value(value, target, depth), max_size=3)
    value = _value(one, target, depth)
    return st.lists(value, max_size=3) if one.is_repeated else value


def _good(kind: Any, target: Target) -> list[Any]:
    """Requests of a kind that a daemon should meet, or nearly."""
    clips = [media_pb2.ClipSource(path=path) for path in target.paths]
    clips.append(media_pb2.ClipSource(upload_sha256=_DIGESTS[0]))
    ink = settings_pb2.RestyleSettings(prompt="ink")
    made: list[Any] = []
    for clip in clips:
        made += [
            clips_pb2.DescribeClipRequest(clip=clip),
            jobs_pb2.CreateJobRequest(job_id="fuzzed", clip=clip, settings=ink),
            looks_pb2.LookRequest(clip=clip, settings=ink, client_id="fuzzer"),
        ]
    for job_id in target.job_ids:
        changes = [jobs_pb2.KeyframeChange(index=8)]
        made += [
            jobs_pb2.WatchJobRequest(job_id=job_id, pictures=media_pb2.PictureOptions()),
            jobs_pb2.RerollKeyframesRequest(job_id=job_id, new_job_id="again", changes=changes),
            frames_pb2.FetchFrameRequest(job_id=job_id, kind=frames_pb2.FRAME_KIND_KEYFRAME),
            frames_pb2.FetchResultRequest(job_id=job_id),
        ]
    for digest in _DIGESTS:
        made += [
            clips_pb2.StartUploadRequest(sha256=digest, size_bytes=4, file_name="x.mp4"),
            clips_pb2.UploadChunkRequest(sha256=digest, data=_FILM),
            clips_pb2.FinishUploadRequest(sha256=digest),
        ]
    made.append(models_pb2.PullModelRequest(source="owner/name"))
    return [message for message in made if isinstance(message, kind)] or [kind()]


def _changed(good: Message, kind: Any, values: dict[str, Any]) -> bytes:
    return reduce(_merged, [good, kind(**values)], kind()).SerializeToString()


def _merged(first: Any, second: Message) -> Any:
    first.MergeFrom(second)
    return first


def _payloads(method: Method, target: Target) -> st.SearchStrategy[tuple[bool, tuple[bytes, ...]]]:
    """What is sent, and whether it is the one message that the call takes."""
    kind = method.request
    random = _messages(kind.DESCRIPTOR, target)
    changed = st.builds(
        lambda good, values: _changed(good, kind, values),
        st.sampled_from(_good(kind, target)),
        st.just({}) | random,
    )
    whole = random.map(lambda values: kind(**values).SerializeToString())
    torn = st.builds(lambda data, end: data[:end], changed, st.integers(0, 40))
    garbage = st.binary(max_size=60) | st.sampled_from([b"\xff" * 20, b"\x0a\x02\xff\xfe"])
    # Seldom, as sending it takes as long as all the others together.
    huge = st.integers(0, 19).map(lambda dice: bytes(5 << 20) if dice == 19 else bytes(dice))
    return st.one_of(
        st.tuples(st.just(True), st.tuples(changed)),
        st.tuples(st.just(True), st.tuples(changed)),
        st.tuples(st.just(True), st.tuples(whole)),
        st.tuples(st.just(False), st.tuples(torn | garbage)),
        st.tuples(st.just(False), st.lists(garbage | whole, max_size=3).map(tuple)),
        st.tuples(st.just(False), st.tuples(huge)),
    )


def _metadata(token: str) -> st.SearchStrategy[tuple[bool, tuple[tuple[str, str | bytes], ...]]]:
    """Mostly the right token; and whether it is the right one."""
    right = ("authorization", f"Bearer {token}")
    good: Any = [(right,)] * 24 + [
        (right, ("fresco-api", api)) for api in ("1.0", "1.99", "2.0", "0.9", "x", "")
    ]
    wrong: Any = [
        (),
        (("authorization", ""),),
        (("authorization", f"Basic {token}"),),
        (("authorization", f"Bearer {token}x"),),
        (("authorization", "Bearer " + "x" * 4000),),
        (right, right),
        (("authorization-bin", b"\xff\x00"),),
    ]
    return st.sampled_from([(True, one) for one in good] + [(False, one) for one in wrong])


def attacks(token: str, target: Target) -> st.SearchStrategy[Attack]:
    """Calls that no client should make."""
    chosen = [method for method in methods() if method.name not in target.skipped]
    cuts = st.none() | st.integers(0, 2)

    def of(method: Method) -> st.SearchStrategy[Attack]:
        return st.builds(
            lambda sent, sender, cut: Attack(
                method=method,
                payloads=sent[1],
                metadata=sender[1],
                is_known=sender[0],
                is_message=sent[0],
                cut_after=cut,
                shown=" ".join(repr(data[:200]) for data in sent[1]),
            ),
            _payloads(method, target),
            _metadata(token),
            cuts,
        )

    return st.sampled_from(chosen).flatmap(of)


# What must come back


def attack_once(channel: grpc.Channel, attack: Attack, target: Target = Target()) -> None:
    """Make a call.

    Raises:
        AssertionError: it ended in another way than the contract documents.
    """
    may_take_long = attack.method.is_stream or attack.method.name in target.slow
    call: Any = channel.stream_stream(attack.method.path)(
        iter(attack.payloads),
        metadata=attack.metadata,
        timeout=STREAM_PATIENCE_S if may_take_long else PATIENCE_S,
    )
    try:
        for count, _ in enumerate(call):
            if count == attack.cut_after:
                call.cancel()
    except grpc.RpcError:
        pass
    if attack.cut_after is not None:
        call.cancel()
    _check(attack, call, may_take_long=may_take_long)


def _check(attack: Attack, call: Any, *, may_take_long: bool) -> None:
    code, details = call.code(), call.details() or ""
    told = f"{attack.method.path} ended with {code.name}: {details}"
    assert "Traceback" not in details, told
    assert code not in (StatusCode.INTERNAL, StatusCode.UNKNOWN), told
    if code is StatusCode.OK:
        assert attack.is_known, f"{attack.method.path} was answered without the token"
        return
    if code is StatusCode.CANCELLED and attack.cut_after is not None:
        return
    if code is StatusCode.DEADLINE_EXCEEDED and may_take_long:
        return
    # gRPC itself refuses messages that are too large, before it asks who sends them.
    if code is StatusCode.RESOURCE_EXHAUSTED:
        return
    reason = dict(call.trailing_metadata() or ()).get("fresco-reason", "")
    if not attack.is_known:
        assert (code, reason) == (StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"), told
        return
    assert reason or not attack.method.path.startswith("/fresco."), f"{told}; it has no reason"
    if reason in ("VERSION_MISMATCH", "SHUTTING_DOWN", "WORKER_LOST"):
        return
    if code is StatusCode.INVALID_ARGUMENT and not attack.is_message:
        return
    assert code in attack.method.documented, f"{told}; that is not documented"


def check_health(channel: grpc.Channel, token: str) -> None:
    """The daemon must still answer."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    metadata = (("authorization", f"Bearer {token}"),)
    answer = stub.Check(health_pb2.HealthCheckRequest(), metadata=metadata, timeout=PATIENCE_S)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def fuzz(
    address: str,
    token: str,
    target: Target = Target(),
    *,
    examples: int = 1000,
    is_random: bool = False,
) -> None:
    """Make `examples` calls at the daemon at `address`, other ones each time if `is_random`.

    Raises:
        AssertionError: one ended in another way than the contract documents, or the daemon no
            longer answers.
    """
    unlimited: Sequence[tuple[str, int]] = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(address, options=unlimited) as channel:

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=not is_random,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(attacks(token, target))
        def run(attack: Attack) -> None:
            attack_once(channel, attack, target)

        run()
        check_health(channel, token)
