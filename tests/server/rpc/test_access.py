"""Every call needs the token; versions that do not fit are told apart."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from fakes.caller import TOKEN, Caller, refused
from fresco.v1 import clips_pb2, jobs_pb2, server_pb2
from fresco_server.rpc.access import version_refusal
from fresco_server.rpc.server import RpcServer
from fresco_server.rpc.version import API_MAJOR, API_MINOR
from grpc import StatusCode
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc


def _reflection(caller: Caller) -> Any:
    return reflection_pb2_grpc.ServerReflectionStub(caller.channel)


CALLS: dict[str, Any] = {
    "unary": lambda caller: caller.server.GetServer(server_pb2.GetServerRequest()),
    "stream": lambda caller: list(caller.jobs.WatchJob(jobs_pb2.WatchJobRequest(job_id="x"))),
    "health": lambda caller: caller.health.Check(health_pb2.HealthCheckRequest()),
    "health watch": lambda caller: list(caller.health.Watch(health_pb2.HealthCheckRequest())),
    "reflection": lambda caller: list(
        _reflection(caller).ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        )
    ),
    "unknown": lambda caller: caller.channel.unary_unary("/fresco.v1.JobService/Nothing")(b""),
}


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper()])
@pytest.mark.parametrize("name", CALLS)
def test_no_call_is_answered_without_the_token(
    server: RpcServer, name: str, token: str | None
) -> None:
    caller = Caller(server.address, token)

    with refused(StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"):
        CALLS[name](caller)

    caller.close()


@pytest.mark.parametrize(
    "metadata",
    [
        (("authorization", TOKEN),),
        (("authorization", f"Basic {TOKEN}"),),
        (("authorization", "Bearer"),),
        (("authorization", f"Bearer {TOKEN}"), ("authorization", "Bearer wrong")),
        (("authorization-bin", f"Bearer {TOKEN}".encode()),),
    ],
    ids=["no scheme", "other scheme", "nothing", "two", "binary"],
)
def test_a_token_of_another_form_is_refused(server: RpcServer, metadata: Any) -> None:
    with grpc.insecure_channel(server.address) as channel, refused(StatusCode.UNAUTHENTICATED):
        channel.unary_unary("/fresco.v1.ServerService/GetServer")(b"", metadata=metadata)


def test_the_scheme_may_be_written_small(server: RpcServer) -> None:
    with grpc.insecure_channel(server.address) as channel:
        call = channel.unary_unary("/fresco.v1.ServerService/GetServer")
        answer = call(b"", metadata=(("authorization", f"bearer {TOKEN}"),))

    assert answer


def test_a_call_without_the_token_is_refused_before_its_message_comes(server: RpcServer) -> None:
    def never() -> Any:
        yield from ()

    with grpc.insecure_channel(server.address) as channel:
        call = channel.stream_unary("/fresco.v1.ClipService/StartUpload")

        with refused(StatusCode.UNAUTHENTICATED):
            call(never())


@pytest.mark.parametrize("api", [None, f"{API_MAJOR}.{API_MINOR}", f"{API_MAJOR}.0"])
def test_a_version_that_fits_is_served(server: RpcServer, api: str | None) -> None:
    caller = Caller(server.address, api=api)

    answer = caller.server.GetServer(server_pb2.GetServerRequest())

    assert (answer.api_major, answer.api_minor) == (API_MAJOR, API_MINOR)
    caller.close()


@pytest.mark.parametrize(
    ("api", "side"),
    [
        (f"{API_MAJOR}.{API_MINOR + 1}", "update the daemon"),
        (f"{API_MAJOR + 1}.0", "update the daemon"),
        (f"{API_MAJOR - 1}.7", "update the client"),
        ("one", "update the client"),
        ("1", "update the client"),
        ("1.0.0", "update the client"),
        ("٣.٠", "update the client"),
    ],
)
def test_a_version_that_does_not_fit_says_which_side_to_update(api: str, side: str) -> None:
    refusal = version_refusal([api])

    assert refusal is not None
    assert refusal.code is StatusCode.FAILED_PRECONDITION
    assert side in refusal.message


def test_a_version_that_does_not_fit_is_refused_by_every_service(server: RpcServer) -> None:
    caller = Caller(server.address, api="99.0")

    with refused(StatusCode.FAILED_PRECONDITION, "VERSION_MISMATCH"):
        caller.clips.StartUpload(clips_pb2.StartUploadRequest())
    with refused(StatusCode.FAILED_PRECONDITION, "VERSION_MISMATCH"):
        caller.health.Check(health_pb2.HealthCheckRequest())

    caller.close()
