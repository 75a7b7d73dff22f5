"""Behaviours for a fake daemon's streams."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import grpc
from fakes.daemon import FakeDaemon
from fresco.v1 import frames_pb2


def parts(*sizes: int) -> Any:
    """A behaviour that streams messages of these sizes."""

    def answer(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        for offset, size in enumerate(sizes):
            yield frames_pb2.FetchResultResponse(offset=offset, data=bytes([offset % 256]) * size)

    return answer


def waiting_stream(daemon: FakeDaemon) -> threading.Event:
    """Let FetchResult send one message and wait; set when its call has ended."""
    ended = threading.Event()

    def answer(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        context.add_callback(ended.set)
        yield frames_pb2.FetchResultResponse(offset=1)
        ended.wait(20)

    daemon.answers["FetchResult"] = answer
    return ended
