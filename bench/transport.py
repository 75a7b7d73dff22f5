"""How quick the transports are on this machine: python bench/transport.py [SECONDS].

Unary calls of a small message, and a stream of messages of 400 kB, over the loopback device, by
both transports of the client and beside them by the stubs grpcio generates. The daemon runs in
another process, so that it does not share the interpreter with what is measured.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fresco.v1 import frames_pb2, frames_pb2_grpc, server_pb2, server_pb2_grpc

MESSAGE = 400_000


def main() -> None:
    """Measure and print one line for each way."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    daemon = context.Process(target=serve, args=(theirs,), daemon=True)
    daemon.start()
    address = f"127.0.0.1:{ours.recv()}"
    print(f"{'':12}{'unary/s':>10}{'stream MB/s':>14}")
    for name, opened in (("pure", client), ("grpcio", client), ("stubs", stubs)):
        unary, stream, close = opened(address, name)
        calls = rate(unary, seconds)
        megabytes = throughput(stream, seconds)
        print(f"{name:12}{calls:10.0f}{megabytes:14.0f}")
        close()
    daemon.kill()


Opened = tuple[Callable[[], Any], Callable[[], Iterator[Any]], Callable[[], Any]]


def client(address: str, kind: Any) -> Opened:
    """One of the client's transports."""
    from fresco_client.transport import open_transport
    from fresco_client.transport.base import Endpoint, method_of

    transport = open_transport(Endpoint(address=address), kind)
    unary = method_of(server_pb2.GetServerRequest, server_pb2.GetServerResponse)
    stream = method_of(frames_pb2.FetchResultRequest, frames_pb2.FetchResultResponse)
    return (
        lambda: transport.unary(unary, server_pb2.GetServerRequest(), 10),
        lambda: cancelled_at_end(transport.stream(stream, frames_pb2.FetchResultRequest())),
        transport.close,
    )


def stubs(address: str, kind: str) -> Opened:
    """What grpcio generates."""
    import grpc

    channel = grpc.insecure_channel(address)
    server = server_pb2_grpc.ServerServiceStub(channel)
    frames = frames_pb2_grpc.FrameServiceStub(channel)
    return (
        lambda: server.GetServer(server_pb2.GetServerRequest(), timeout=10),
        lambda: cancelled_at_end(frames.FetchResult(frames_pb2.FetchResultRequest())),
        channel.close,
    )


def cancelled_at_end(call: Any) -> Iterator[Any]:
    """The messages of a call, which ends when nobody wants more."""
    try:
        yield from call
    finally:
        call.cancel()


def rate(call: Callable[[], Any], seconds: float) -> float:
    """Calls per second."""
    call()
    start = time.perf_counter()
    count = 0
    while (passed := time.perf_counter() - start) < seconds:
        call()
        count += 1
    return count / passed


def throughput(stream: Callable[[], Iterator[Any]], seconds: float) -> float:
    """Megabytes per second."""
    messages = stream()
    next(messages)
    start = time.perf_counter()
    count = 0
    passed = 0.0
    for message in messages:
        count += len(message.data)
        passed = time.perf_counter() - start
        if passed >= seconds:
            break
    return count / passed / 1e6


class _Server(server_pb2_grpc.ServerServiceServicer):
    def GetServer(self, request: Any, context: Any) -> Any:
        return server_pb2.GetServerResponse(version="0.1.0", api_major=1)

    def DrainNode(self, request: Any, context: Any) -> Any:
        return server_pb2.DrainNodeResponse()


class _Frames(frames_pb2_grpc.FrameServiceServicer):
    def FetchFrame(self, request: Any, context: Any) -> Iterator[Any]:
        yield from ()

    def ConfirmResult(self, request: Any, context: Any) -> Any:
        return frames_pb2.ConfirmResultResponse()

    def FetchResult(self, request: Any, context: Any) -> Iterator[Any]:
        message = frames_pb2.FetchResultResponse(data=bytes(MESSAGE))
        while context.is_active():
            yield message


def serve(pipe: Any) -> None:
    """The daemon's process: says its port, then serves until it is killed."""
    import grpc

    server = grpc.server(ThreadPoolExecutor(4))
    server_pb2_grpc.add_ServerServiceServicer_to_server(_Server(), server)
    frames_pb2_grpc.add_FrameServiceServicer_to_server(_Frames(), server)
    pipe.send(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
