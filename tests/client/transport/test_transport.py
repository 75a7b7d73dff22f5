"""Both transports behave alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from fakes.behaviours import parts, waiting_stream
from fakes.daemon import TOKEN, FakeDaemon, fail
from fakes.waiting import PATIENCE_S, until
from fresco.v1 import clips_pb2, frames_pb2, jobs_pb2, server_pb2
from fresco_client import TransportKind, errors
from fresco_client.transport import Endpoint, Transport, open_transport
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


def test_every_call_carries_token_and_version(daemon: FakeDaemon, transport: Transport) -> None:
    transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)

    name, metadata = daemon.seen[-1]
    assert name == "GetServer"
    assert metadata["authorization"] == f"Bearer {TOKEN}"
    assert metadata["fresco-api"] == "1.0"


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5h://127.0.0.1:9"])
@pytest.mark.parametrize("names", [str.upper, str.lower])
def test_proxies_never_stand_between_client_and_daemon(
    proxy: str,
    names: Callable[[str], str],
    daemon: FakeDaemon,
    kind: TransportKind,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("no_proxy", "no_grpc_proxy"):
        monkeypatch.setenv(names(name), "")
    for name in ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy"):
        monkeypatch.setenv(names(name), proxy)
    transport = open_transport(Endpoint(address=daemon.address, token=TOKEN), kind)

    transport.unary(GET_SERVER, server_pb2.GetServerRequest(), 5)

    assert daemon.seen[-1][0] == "GetServer"
    transport.close()


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

    with pytest.raises(errors.TimedOut):
        transport.unary(GET_JOB, jobs_pb2.GetJobRequest(), 0.3)


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

    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert len(received) == 1
    assert ended.wait(PATIENCE_S)
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
    assert ended.wait(PATIENCE_S)


def test_a_stream_nobody_holds_is_cancelled(daemon: FakeDaemon, transport: Transport) -> None:
    ended = waiting_stream(daemon)
    call = transport.stream(FETCH, REQUEST)
    next(call)

    del call

    assert ended.wait(PATIENCE_S)


def test_closing_ends_streams_and_refuses_calls(daemon: FakeDaemon, transport: Transport) -> None:
    ended = waiting_stream(daemon)
    call = transport.stream(FETCH, REQUEST)
    received: list[Any] = []
    reader = threading.Thread(target=lambda: received.extend(call), daemon=True)
    reader.start()
    until(lambda: len(received) == 1, "the first message")

    transport.close()

    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert ended.wait(PATIENCE_S)
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
        thread.join(PATIENCE_S)

    assert sorted(results) == [1] * 15 + [50] * 15
