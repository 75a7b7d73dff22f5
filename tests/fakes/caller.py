"""A bare gRPC client for tests: every stub, with the token, and what a refused call must carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import grpc
import pytest
from fakes.waiting import PATIENCE_S
from fresco.v1 import (
    clips_pb2_grpc,
    frames_pb2_grpc,
    jobs_pb2_grpc,
    looks_pb2_grpc,
    models_pb2_grpc,
    server_pb2_grpc,
)
from grpc_health.v1 import health_pb2_grpc

TOKEN = "a-token-for-tests"
_Call = Callable[..., Any]
_UNLIMITED = (("grpc.max_send_message_length", -1),)


class _Details(NamedTuple):
    method: str
    timeout: float | None
    metadata: Any
    credentials: Any = None
    wait_for_ready: bool | None = None
    compression: Any = None


class _WithMetadata(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Adds metadata and a deadline to every call."""

    def __init__(self, metadata: tuple[tuple[str, str], ...]) -> None:
        self._metadata = metadata

    def _added(self, details: Any) -> _Details:
        metadata = (*(details.metadata or ()), *self._metadata)
        return _Details(details.method, details.timeout or PATIENCE_S, metadata)

    def intercept_unary_unary(
        self, continuation: _Call, client_call_details: Any, request: Any
    ) -> Any:
        return continuation(self._added(client_call_details), request)

    def intercept_unary_stream(
        self, continuation: _Call, client_call_details: Any, request: Any
    ) -> Any:
        return continuation(self._added(client_call_details), request)

    def intercept_stream_stream(
        self, continuation: _Call, client_call_details: Any, request_iterator: Any
    ) -> Any:
        return continuation(self._added(client_call_details), request_iterator)


class Caller:
    """Stubs of all services on one channel."""

    def __init__(
        self,
        address: str,
        token: str | None = TOKEN,
        *,
        api: str | None = None,
        certificate: bytes | None = None,
    ) -> None:
        if certificate is None:
            self.plain = grpc.insecure_channel(address, options=_UNLIMITED)
        else:
            credentials = grpc.ssl_channel_credentials(certificate)
            self.plain = grpc.secure_channel(address, credentials, options=_UNLIMITED)
        pairs = (("authorization", token and f"Bearer {token}"), ("fresco-api", api))
        metadata = tuple((key, value) for key, value in pairs if value is not None)
        self.channel = grpc.intercept_channel(self.plain, _WithMetadata(metadata))
        self.clips = clips_pb2_grpc.ClipServiceStub(self.channel)
        self.frames = frames_pb2_grpc.FrameServiceStub(self.channel)
        self.jobs = jobs_pb2_grpc.JobServiceStub(self.channel)
        self.looks = looks_pb2_grpc.LookServiceStub(self.channel)
        self.models = models_pb2_grpc.ModelServiceStub(self.channel)
        self.server = server_pb2_grpc.ServerServiceStub(self.channel)
        self.health: Any = health_pb2_grpc.HealthStub(self.channel)

    def close(self) -> None:
        """Close the channel; calls under way are cancelled."""
        self.plain.close()


@contextmanager
def refused(code: grpc.StatusCode, reason: str | None = None) -> Iterator[None]:
    """The call inside ends with `code`, a sentence, and `reason`."""
    with pytest.raises(grpc.RpcError) as caught:
        yield
    error: Any = caught.value
    assert error.code() is code, f"{error.code()}: {error.details()}"
    assert "Traceback" not in error.details()
    if reason is not None:
        assert dict(error.trailing_metadata())["fresco-reason"] == reason, error.details()
        assert len(error.details()) > 5
