"""Connections that cannot be made, or are lost, are noticed alike by both transports."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from fakes.behaviours import waiting_stream
from fakes.daemon import TOKEN, FakeDaemon
from fakes.relay import Relay
from fakes.waiting import until
from fresco.v1 import frames_pb2, server_pb2
from fresco_client import TransportKind, errors
from fresco_client.transport import Endpoint, Transport, http2, open_transport
from fresco_client.transport.base import method_of

GET_SERVER = method_of(server_pb2.GetServerRequest, server_pb2.GetServerResponse)
FETCH = method_of(frames_pb2.FetchResultRequest, frames_pb2.FetchResultResponse)
REQUEST = frames_pb2.FetchResultRequest()


def test_a_refused_connection_says_so(kind: TransportKind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    transport = open_transport(Endpoint(address=address), kind)

    with pytest.raises(errors.DaemonUnreachable, match=r"refused") as caught:
        transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
    with pytest.raises(errors.DaemonUnreachable):
        next(transport.stream(FETCH, REQUEST))
    transport.close()

    assert address in caught.value.message


def test_a_connection_that_the_daemon_may_be_about_to_close_is_not_used_again(
    daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers: set[str] = set()

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        peers.add(context.peer())
        return server_pb2.GetServerResponse(api_major=1)

    daemon.answers["GetServer"] = answer
    transport = open_transport(Endpoint(address=daemon.address, token=TOKEN), "pure")
    for _ in range(2):
        transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
    before = len(peers)
    monkeypatch.setattr(http2, "IDLE_S", 0.0)

    transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)

    assert (before, len(peers)) == (1, 2)
    transport.close()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(100)], ids=["none", "http", "zeros"]
)
def test_another_program_on_the_port_is_no_daemon(kind: TransportKind, answer: bytes) -> None:
    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.recv(10)
                client.sendall(answer)

    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, daemon=True).start()
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    transport = open_transport(Endpoint(address=address), kind)

    with pytest.raises((errors.DaemonUnreachable, errors.TimedOut)):
        transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 2)
    transport.close()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.mark.parametrize("address", ["", "localhost", "localhost:x", ":80"])
def test_an_address_without_host_or_port_is_refused(kind: TransportKind, address: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        open_transport(Endpoint(address=address), kind)


def test_a_killed_daemon_is_unreachable_and_reachable_again_when_it_is_back(
    kind: TransportKind, daemon: FakeDaemon, transport: Transport
) -> None:
    waiting_stream(daemon)
    call = transport.stream(FETCH, REQUEST)
    next(call)

    daemon.stop()

    with pytest.raises((errors.DaemonUnreachable, errors.Cancelled)):
        next(call)
    with pytest.raises(errors.DaemonUnreachable):
        transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
    again = FakeDaemon(daemon.facts, port=daemon.port)

    def is_back() -> bool:
        try:
            return bool(transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5))
        except errors.DaemonUnreachable:
            return False

    until(is_back, "the daemon to be reached again", 5)
    again.stop()


def test_a_lost_network_is_noticed(kind: TransportKind, daemon: FakeDaemon, relay: Relay) -> None:
    waiting_stream(daemon)
    endpoint = Endpoint(
        address=relay.address, token=TOKEN, keepalive_s=0.3, keepalive_timeout_s=0.3
    )
    transport = open_transport(endpoint, kind)
    call = transport.stream(FETCH, REQUEST)
    next(call)

    relay.is_frozen = True

    with pytest.raises(errors.DaemonUnreachable):
        next(call)
    transport.close()


def test_a_silent_stream_stays_open_while_the_daemon_is_there(
    kind: TransportKind, daemon: FakeDaemon
) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield frames_pb2.FetchResultResponse(offset=1)
        time.sleep(1.0)
        yield frames_pb2.FetchResultResponse(offset=2)

    daemon.answers["FetchResult"] = answer
    endpoint = Endpoint(
        address=daemon.address, token=TOKEN, keepalive_s=0.3, keepalive_timeout_s=2.0
    )
    transport = open_transport(endpoint, kind)

    offsets = [answer.offset for answer in transport.stream(FETCH, REQUEST)]
    transport.close()

    assert offsets == [1, 2]
