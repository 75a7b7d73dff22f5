"""Calls by grpcio: the quickest way where its compiled wheel can be installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, cast

import grpc
from google.protobuf.message import Message

from fresco_client.errors import (
    ClientError,
    SessionClosed,
    error_of_status,
)
from fresco_client.transport.base import (
    CONNECT_S,
    IDLE_S,
    MESSAGE_BYTES,
    Endpoint,
    Method,
    ResponseT,
)
from fresco_client.transport.trust import certificates_of


class GrpcioTransport:
    """A channel of grpcio."""

    def __init__(self, endpoint: Endpoint) -> None:
        _ = endpoint.host_and_port
        self.endpoint = endpoint
        self.is_closed = False
        self._channel = _open_channel(endpoint)

    def unary(self, method: Method[ResponseT], request: Message, timeout_s: float) -> ResponseT:
        """See `Transport.unary`."""
        call = self._channel.unary_unary(
            method.path,
            request_serializer=_bytes_of,
            response_deserializer=method.response.FromString,
        )
        try:
            return call(request, timeout=timeout_s, metadata=self.endpoint.metadata)
        except grpc.RpcError as error:
            raise self.error_of(error) from error
        except ValueError as error:  # what grpc says of a closed channel
            raise SessionClosed from error

    def stream(self, method: Method[ResponseT], request: Message) -> GrpcioStream[ResponseT]:
        """See `Transport.stream`."""
        call = self._channel.unary_stream(
            method.path,
            request_serializer=_bytes_of,
            response_deserializer=method.response.FromString,
        )
        try:
            return GrpcioStream(self, call(request, metadata=self.endpoint.metadata))
        except ValueError as error:
            raise SessionClosed from error

    def close(self) -> None:
        """See `Transport.close`."""
        self.is_closed = True
        self._channel.close()

    def error_of(self, error: grpc.RpcError) -> ClientError:
        """Ours for theirs."""
        if self.is_closed:
            return SessionClosed()
        call = cast(grpc.Call, error)
        code: int = call.code().value[0]
        trailers = dict(call.trailing_metadata() or ())
        reason = trailers.get("fresco-reason", "")
        details = call.details() or ""
        field, remedy = trailers.get("fresco-field", ""), trailers.get("fresco-remedy", "")
        address = self.endpoint.address
        return error_of_status(code, details, str(reason), address, str(field), str(remedy))


class GrpcioStream(Generic[ResponseT]):
    """A call that answers many times."""

    def __init__(self, transport: GrpcioTransport, call: Any) -> None:
        self._transport = transport
        self._call = call
        self._is_cancelled = False

    def __iter__(self) -> Iterator[ResponseT]:
        return self

    def __next__(self) -> ResponseT:
        if self._is_cancelled:
            raise StopIteration
        try:
            return next(self._call)
        except grpc.RpcError as error:
            if self._is_cancelled or self._transport.is_closed:
                raise StopIteration from None
            raise self._transport.error_of(error) from error

    def cancel(self) -> None:
        """See `StreamCall.cancel`."""
        self._is_cancelled = True
        self._call.cancel()


def _bytes_of(message: Message) -> bytes:
    return message.SerializeToString()


def _open_channel(endpoint: Endpoint) -> grpc.Channel:
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", MESSAGE_BYTES),
        ("grpc.max_send_message_length", MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", round(endpoint.keepalive_s * 1000)),
        ("grpc.keepalive_timeout_ms", round(endpoint.keepalive_timeout_s * 1000)),
        ("grpc.http2.ping_timeout_ms", round(endpoint.keepalive_timeout_s * 1000)),
        ("grpc.http2.max_pings_without_data", 0),
        # A daemon that starts again is to be noticed soon.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", round(CONNECT_S * 1000)),
        ("grpc.max_reconnect_backoff_ms", 1000),
        ("grpc.client_idle_timeout_ms", round(IDLE_S * 1000)),
        # Channels of other parts of the program, and proxies, are none of our business.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_http_proxy", 0),
        ("grpc.service_config_disable_resolution", 1),
    ]
    if not endpoint.is_secure:
        return grpc.insecure_channel(endpoint.address, options)
    if endpoint.server_name is not None:
        options.append(("grpc.ssl_target_name_override", endpoint.server_name))
    credentials = grpc.ssl_channel_credentials(certificates_of(endpoint))
    return grpc.secure_channel(endpoint.address, credentials, options)
