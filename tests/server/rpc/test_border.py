"""Peers that begin calls and connections and say nothing, too much, or something else."""

from __future__ import annotations

import contextlib
import gzip
import socket
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from fakes.caller import TOKEN, Caller
from fakes.jobs import FakeJobs
from fakes.raw_peer import RawPeer
from fresco.v1 import jobs_pb2, server_pb2
from fresco_server.jobs.service import Jobs
from fresco_server.rpc import server as rpc_server
from fresco_server.rpc.limits import SILENT_CALLS
from fresco_server.rpc.server import RpcServer, make_server
from fresco_server.settings import MESSAGE_BYTES, ServerSettings
from grpc_health.v1 import health_pb2

Connect = Callable[..., RawPeer]
HEALTH = "/grpc.health.v1.Health/Check"
GET_SERVER = "/fresco.v1.ServerService/GetServer"
DESCRIBE = "/fresco.v1.ClipService/DescribeClip"
UPLOAD = "/fresco.v1.ClipService/UploadChunk"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


@pytest.fixture
def connect(server: RpcServer) -> Iterator[Connect]:
    """Connects to the server, with the token unless another is given."""
    peers: list[RawPeer] = []

    def make(token: str | None = TOKEN) -> RawPeer:
        peers.append(RawPeer(server.address, token))
        return peers[-1]

    yield make
    for peer in peers:
        peer.close()


def _is_healthy(caller: Caller) -> bool:
    answer = caller.health.Check(health_pb2.HealthCheckRequest(service=""))
    return answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("method", [HEALTH, GET_SERVER, DESCRIBE, UPLOAD, REFLECTION])
def test_calls_without_a_message_block_nobody(
    connect: Connect, caller: Caller, method: str
) -> None:
    peer = connect()

    for _ in range(4 * SILENT_CALLS):
        peer.begin(method)

    assert _is_healthy(caller)
    assert caller.server.GetServer(server_pb2.GetServerRequest()).version


@pytest.mark.parametrize("method", [HEALTH, DESCRIBE, UPLOAD])
def test_messages_that_never_end_block_nobody(
    connect: Connect, caller: Caller, method: str
) -> None:
    peer = connect()

    for _ in range(4 * SILENT_CALLS):
        peer.send(peer.begin(method), b"\0\0\0\0\x40half")

    assert _is_healthy(caller)
    assert caller.server.GetServer(server_pb2.GetServerRequest()).version


def test_a_call_without_a_message_ends(
    jobs: FakeJobs, settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_server, "SILENCE_S", 0.1)
    running = make_server(cast(Jobs, jobs), settings, TOKEN)
    running.start()
    peer = RawPeer(running.address, TOKEN)

    ended = peer.ended([peer.begin(GET_SERVER), peer.begin(DESCRIBE)])

    assert len(ended) == 2
    peer.close()
    running.stop(0)


def test_many_silent_connections_block_nobody(connect: Connect, caller: Caller) -> None:
    for _ in range(40):
        peer = connect()
        for _ in range(10):
            peer.begin(HEALTH)
            peer.begin(DESCRIBE)

    assert _is_healthy(caller)
    assert caller.server.GetServer(server_pb2.GetServerRequest()).version


def test_who_makes_no_call_gives_the_place_back_and_who_watches_stays(
    jobs: FakeJobs, settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = dict(rpc_server.OPTIONS)
    assert options["grpc.max_connection_idle_ms"] <= 30_000
    shorter = {**options, "grpc.max_connection_idle_ms": 300}
    monkeypatch.setattr(rpc_server, "OPTIONS", tuple(shorter.items()))
    monkeypatch.setattr(rpc_server, "most_connections", lambda: 4)
    running = make_server(cast(Jobs, jobs), settings, TOKEN)
    running.start()
    watcher = Caller(running.address)
    jobs.put("x")
    events = watcher.jobs.WatchJob(jobs_pb2.WatchJobRequest(job_id="x"))
    next(events)
    idle = [RawPeer(running.address, None) for _ in range(3)]

    for peer in idle:
        peer.wait_closed()

    newcomer = Caller(running.address)
    assert _is_healthy(newcomer)
    assert events.is_active()
    for one in (newcomer, watcher, *idle):
        one.close()
    running.stop(0)


def test_wrong_tokens_by_the_thousands_block_nobody(connect: Connect, caller: Caller) -> None:
    peer = connect("another-token-than-the-daemons")

    ended = peer.ended([peer.begin(GET_SERVER) for _ in range(400)])

    # On a busy machine more may wait than the daemon takes at once, which 8 says.
    assert {headers["grpc-status"] for headers in ended.values()} - {"8"} == {"16"}
    assert _is_healthy(caller)


def test_a_compressed_message_that_grows_is_refused(connect: Connect, caller: Caller) -> None:
    peer = connect()
    stream = peer.begin(UPLOAD, ("grpc-encoding", "gzip"))

    peer.message(stream, gzip.compress(bytes(8 * MESSAGE_BYTES)), is_compressed=True)
    ended = peer.ended([stream])

    assert ended[stream].get("grpc-status") == "8"
    assert _is_healthy(caller)


def test_headers_of_many_megabytes_block_nobody(connect: Connect, caller: Caller) -> None:
    peer = connect()
    headers = [(f"x-{n}", "y" * 900) for n in range(20_000)]

    # The call is refused, or the connection is closed while they are still sent.
    with contextlib.suppress(OSError):
        peer.begin(GET_SERVER, *headers)

    assert _is_healthy(caller)
    assert caller.server.GetServer(server_pb2.GetServerRequest()).version


def test_refused_calls_do_not_wash_the_log_away(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    peer = connect("another-token-than-the-daemons")

    peer.ended([peer.begin(GET_SERVER) for _ in range(300)])

    told = [record for record in caplog.records if "UNAUTHENTICATED" in record.getMessage()]
    assert 1 <= len(told) < 30


def test_bytes_of_other_protocols_harm_nobody(server: RpcServer, caller: Caller) -> None:
    host, port = server.address.rsplit(":", 1)
    talk = (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\0" * 9000, b"SSH-2.0-x\r\n")

    for data in talk:
        with socket.create_connection((host, int(port)), timeout=20) as stranger:
            stranger.sendall(data)

    assert _is_healthy(caller)
