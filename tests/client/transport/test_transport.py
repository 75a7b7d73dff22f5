"""Both transports behave alike."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from fakes.daemon import TOKEN, FakeDaemon, fail
from fakes.relay import Relay
from fakes.waiting import until
from fresco.v1 import clips_pb2, frames_pb2, jobs_pb2, server_pb2
from fresco_client import errors
from fresco_client.transport import Endpoint, Transport, TransportKind, open_transport
from fresco_client.transport.base import method_of

GET_JOB = method_of(jobs_pb2.GetJobRequest, jobs_pb2.GetJobResponse)
GET_SERVER = method_of(server_pb2.GetServerRequest, server_pb2.GetServerResponse)
CHUNK = method_of(clips_pb2.UploadChunkRequest, clips_pb2.UploadChunkResponse)
FETCH = method_of(frames_pb2.FetchResultRequest, frames_pb2.FetchResultResponse)
REQUEST = frames_pb2.FetchResultRequest()

MIB = 1024 * 1024

EXPECTED = {
    grpc.StatusCode.CANCELLED: errors.Cancelled,
    grpc.StatusCode.UNKNOWN: errors.InternalFailure,
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequest,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.TimedOut,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExists,
    grpc.StatusCode.PERMISSION_DENIED: errors.Forbidden,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.LimitReached,
    grpc.StatusCode.FAILED_PRECONDITION: errors.NotPossibleNow,
    grpc.StatusCode.ABORTED: errors.NotPossibleNow,
    grpc.StatusCode.OUT_OF_RANGE: errors.OutOfRange,
    grpc.StatusCode.UNIMPLEMENTED: errors.NotSupported,
    grpc.StatusCode.INTERNAL: errors.InternalFailure,
    grpc.StatusCode.UNAVAILABLE: errors.DaemonUnreachable,
    grpc.StatusCode.DATA_LOSS: errors.DataLost,
    grpc.StatusCode.UNAUTHENTICATED: errors.NotAuthorised,
}


def parts(*sizes: int) -> Any:
    """A behaviour that streams messages of these sizes."""

    def answer(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        for offset, size in enumerate(sizes):
            yield frames_pb2.FetchResultResponse(offset=offset, data=bytes([offset % 256]) * size)

    return answer


def test_every_call_carries_token_and_version(daemon: FakeDaemon, transport: Transport) -> None:
    transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)

    name, metadata = daemon.seen[-1]
    assert name == "GetServer"
    assert metadata["authorization"] == f"Bearer {TOKEN}"
    assert metadata["fresco-api"] == "1.0"


def test_streams_carry_token_and_version(daemon: FakeDaemon, transport: Transport) -> None:
    daemon.answers["FetchResult"] = parts(1)

    list(transport.stream(FETCH, REQUEST))

    name, metadata = daemon.seen[-1]
    assert name == "FetchResult"
    assert metadata["authorization"] == f"Bearer {TOKEN}"
    assert metadata["fresco-api"] == "1.0"


@pytest.mark.parametrize("code", list(EXPECTED), ids=lambda code: code.name)
def test_a_failed_call_raises_the_error_of_its_status(
    daemon: FakeDaemon, transport: Transport, code: grpc.StatusCode
) -> None:
    message = "Größe 多 ist 100 % falsch."
    daemon.answers["GetJob"] = lambda request, context: fail(context, code, message, "SOME_REASON")

    with pytest.raises(errors.ClientError) as caught:
        transport.unary(GET_JOB, jobs_pb2.GetJobRequest(), 5)

    error = caught.value
    assert type(error) is EXPECTED[code]
    if isinstance(error, errors.CallFailed):
        assert error.reason == "SOME_REASON"
        assert error.message == message


def test_a_failed_stream_gives_what_came_before_its_error(
    daemon: FakeDaemon, transport: Transport
) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield frames_pb2.FetchResultResponse(offset=7)
        fail(context, grpc.StatusCode.DATA_LOSS, "Gone.", "RESULT_LOST")

    daemon.answers["FetchResult"] = answer
    call = transport.stream(FETCH, REQUEST)

    assert next(call).offset == 7
    with pytest.raises(errors.DataLost, match="Gone") as caught:
        next(call)
    assert caught.value.reason == "RESULT_LOST"


def test_a_call_that_fails_at_once_raises_when_it_is_iterated(
    daemon: FakeDaemon, transport: Transport
) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        fail(context, grpc.StatusCode.OUT_OF_RANGE, "Past the end.")
        yield

    daemon.answers["FetchResult"] = answer
    call = transport.stream(FETCH, REQUEST)

    with pytest.raises(errors.OutOfRange):
        next(call)


def test_many_small_messages_arrive_in_order(daemon: FakeDaemon, transport: Transport) -> None:
    daemon.answers["FetchResult"] = parts(*[10] * 3000)

    offsets = [answer.offset for answer in transport.stream(FETCH, REQUEST)]

    assert offsets == list(range(3000))


def test_large_messages_arrive_whole(daemon: FakeDaemon, transport: Transport) -> None:
    sizes = [MIB, 0, 4 * MIB - 100, 1, 400_000] * 4
    daemon.answers["FetchResult"] = parts(*sizes)

    answers = list(transport.stream(FETCH, REQUEST))

    assert [len(answer.data) for answer in answers] == sizes
    assert all(set(answer.data) <= {answer.offset % 256} for answer in answers)


def test_large_requests_arrive_whole(daemon: FakeDaemon, transport: Transport) -> None:
    received: list[int] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        received.append(len(request.data))
        return clips_pb2.UploadChunkResponse(received_bytes=len(request.data))

    daemon.answers["UploadChunk"] = answer

    for size in (MIB, 4 * MIB - 100, 0):
        transport.unary(CHUNK, clips_pb2.UploadChunkRequest(data=bytes(size)), 10)

    assert received == [MIB, 4 * MIB - 100, 0]


def test_a_message_of_more_than_4_mib_is_refused(daemon: FakeDaemon, transport: Transport) -> None:
    daemon.answers["FetchResult"] = parts(4 * MIB + 1)

    with pytest.raises(errors.LimitReached):
        list(transport.stream(FETCH, REQUEST))
    with pytest.raises(errors.LimitReached):
        transport.unary(CHUNK, clips_pb2.UploadChunkRequest(data=bytes(4 * MIB + 1)), 10)

    assert transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5).api_major == 1


def test_a_call_without_answer_ends_at_its_deadline(
    daemon: FakeDaemon, transport: Transport
) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        until(lambda: not context.is_active(), "the deadline to reach the daemon")
        return jobs_pb2.GetJobResponse()

    daemon.answers["GetJob"] = answer
    start = time.monotonic()

    with pytest.raises(errors.TimedOut):
        transport.unary(GET_JOB, jobs_pb2.GetJobRequest(), 0.3)

    assert time.monotonic() - start < 3


def waiting_stream(daemon: FakeDaemon) -> threading.Event:
    """Let FetchResult send one message and wait; set when its call has ended."""
    ended = threading.Event()

    def answer(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        context.add_callback(ended.set)
        yield frames_pb2.FetchResultResponse(offset=1)
        ended.wait(20)

    daemon.answers["FetchResult"] = answer
    return ended


def test_cancelling_ends_iteration_in_another_thread_and_the_daemons_work(
    daemon: FakeDaemon, transport: Transport
) -> None:
    ended = waiting_stream(daemon)
    call = transport.stream(FETCH, REQUEST)
    received: list[Any] = []
    reader = threading.Thread(target=lambda: received.extend(call), daemon=True)
    reader.start()
    until(lambda: daemon.seen[-1:] != [] and daemon.seen[-1][0] == "FetchResult", "the call")
    time.sleep(0.1)

    call.cancel()

    reader.join(3)
    assert not reader.is_alive()
    assert len(received) == 1
    assert ended.wait(5)
    assert list(call) == []


def test_cancelling_between_messages_ends_the_call(
    daemon: FakeDaemon, transport: Transport
) -> None:
    ended = waiting_stream(daemon)
    call = transport.stream(FETCH, REQUEST)
    next(call)

    call.cancel()
    call.cancel()

    assert list(call) == []
    assert ended.wait(5)


def test_a_stream_nobody_holds_is_cancelled(daemon: FakeDaemon, transport: Transport) -> None:
    ended = waiting_stream(daemon)
    call = transport.stream(FETCH, REQUEST)
    next(call)

    del call

    assert ended.wait(5)


def test_closing_ends_streams_and_refuses_calls(daemon: FakeDaemon, transport: Transport) -> None:
    ended = waiting_stream(daemon)
    call = transport.stream(FETCH, REQUEST)
    received: list[Any] = []
    reader = threading.Thread(target=lambda: received.extend(call), daemon=True)
    reader.start()
    until(lambda: len(received) == 1, "the first message")

    transport.close()

    reader.join(3)
    assert not reader.is_alive()
    assert ended.wait(5)
    with pytest.raises(errors.SessionClosed):
        transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
    with pytest.raises(errors.SessionClosed):
        transport.stream(FETCH, REQUEST)


def test_the_daemon_waits_for_a_slow_client(daemon: FakeDaemon, transport: Transport) -> None:
    sent = 0

    def answer(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        nonlocal sent
        while context.is_active():
            yield frames_pb2.FetchResultResponse(data=bytes(MIB))
            sent += 1

    daemon.answers["FetchResult"] = answer
    call = transport.stream(FETCH, REQUEST)
    next(call)

    def is_still() -> bool:
        before = sent
        time.sleep(0.4)
        return sent == before

    until(is_still, "the daemon to wait")
    blocked_at = sent
    for _ in range(blocked_at + 10):
        next(call)
    until(lambda: sent > blocked_at, "the daemon to go on")
    call.cancel()

    assert blocked_at < 48


def test_calls_and_streams_of_several_threads_do_not_disturb_each_other(
    daemon: FakeDaemon, transport: Transport
) -> None:
    daemon.answers["FetchResult"] = parts(*[20_000] * 50)
    results: list[int] = []

    def work() -> None:
        for _ in range(3):
            results.append(len(list(transport.stream(FETCH, REQUEST))))
            answer = transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 10)
            results.append(answer.api_major)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(results) == [1] * 15 + [50] * 15


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


def test_a_lost_network_is_noticed_in_bounded_time(
    kind: TransportKind, daemon: FakeDaemon, relay: Relay
) -> None:
    waiting_stream(daemon)
    endpoint = Endpoint(
        address=relay.address, token=TOKEN, keepalive_s=0.3, keepalive_timeout_s=0.3
    )
    transport = open_transport(endpoint, kind)
    call = transport.stream(FETCH, REQUEST)
    next(call)
    start = time.monotonic()

    relay.is_frozen = True

    with pytest.raises(errors.DaemonUnreachable):
        next(call)
    assert time.monotonic() - start < 8
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


@pytest.fixture
def secure(tls: tuple[Path, Path]) -> Iterator[FakeDaemon]:
    """A daemon with a certificate."""
    daemon = FakeDaemon(tls=tls)
    daemon.answers["FetchResult"] = parts(10, MIB, 10)
    yield daemon
    daemon.stop()


def secured(
    daemon: FakeDaemon,
    certificate: Path | None,
    host: str = "localhost",
    server_name: str | None = None,
) -> Endpoint:
    return Endpoint(
        address=f"{host}:{daemon.port}",
        token=TOKEN,
        is_secure=True,
        certificate=certificate,
        server_name=server_name,
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_daemons_own_certificate_is_trusted(
    kind: TransportKind, secure: FakeDaemon, tls: tuple[Path, Path], host: str
) -> None:
    transport = open_transport(secured(secure, tls[0], host), kind)

    answer = transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
    sizes = [len(part.data) for part in transport.stream(FETCH, REQUEST)]
    transport.close()

    assert answer.api_major == 1
    assert sizes == [10, MIB, 10]


def test_cancelling_ends_an_encrypted_stream(
    kind: TransportKind, secure: FakeDaemon, tls: tuple[Path, Path]
) -> None:
    ended = waiting_stream(secure)
    transport = open_transport(secured(secure, tls[0]), kind)
    call = transport.stream(FETCH, REQUEST)
    next(call)
    reader = threading.Thread(target=lambda: list(call), daemon=True)
    reader.start()
    time.sleep(0.1)

    call.cancel()

    reader.join(3)
    assert not reader.is_alive()
    assert ended.wait(5)
    transport.close()


@pytest.mark.parametrize("which", ["another's", "the system's"])
def test_a_certificate_that_is_not_the_expected_one_is_refused(
    kind: TransportKind, secure: FakeDaemon, tls: tuple[Path, Path], which: str
) -> None:
    certificate = tls[0].with_name("another.pem") if which == "another's" else None
    transport = open_transport(secured(secure, certificate), kind)

    with pytest.raises(errors.DaemonUnreachable):
        transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
    transport.close()


def test_the_certificate_must_carry_the_name_that_is_asked_for(
    kind: TransportKind, secure: FakeDaemon, tls: tuple[Path, Path]
) -> None:
    wrong = open_transport(secured(secure, tls[0], server_name="elsewhere.example"), kind)
    right = open_transport(secured(secure, tls[0], "127.0.0.1", server_name="localhost"), kind)

    with pytest.raises(errors.DaemonUnreachable):
        wrong.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
    assert right.unary(GET_SERVER, server_pb2.GetServerRequest(), 5).api_major == 1
    wrong.close()
    right.close()


def test_a_certificate_that_cannot_be_read_is_named(
    kind: TransportKind, secure: FakeDaemon, tmp_path: Path
) -> None:
    endpoint = secured(secure, tmp_path / "missing.pem")

    with pytest.raises(errors.FileFailed, match=r"missing\.pem"):
        open_transport(endpoint, kind).unary(GET_SERVER, server_pb2.GetServerRequest(), 5)
