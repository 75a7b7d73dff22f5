"""gRPC's own part of what goes over HTTP/2: messages with their length, status, deadlines."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from fresco_client.errors import UNAVAILABLE, ClientError, InternalFailure, LimitReached
from fresco_client.errors import error_of_status as _error_of_status
from fresco_client.transport.base import MESSAGE_BYTES, Endpoint

Headers = list[tuple[bytes, bytes]]

_PREFIX = struct.Struct(">?I")  # whether it is compressed, and how long it is
_UNKNOWN = 2
# What answers of a server that does not speak gRPC mean, after the mapping that gRPC publishes.
_STATUS_OF_HTTP = {400: 13, 401: 16, 403: 7, 404: 12}
_UNAVAILABLE_HTTP = {429, 502, 503, 504}
# What the resetting of a stream means, after the same: REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM.
_STATUS_OF_RESET = {7: UNAVAILABLE, 8: 1, 11: 8}


def request_headers(endpoint: Endpoint, path: str, timeout_s: float | None) -> Headers:
    """What a call begins with."""
    scheme = b"https" if endpoint.is_secure else b"http"
    headers: Headers = [
        (b":method", b"POST"),
        (b":scheme", scheme),
        (b":path", path.encode()),
        (b":authority", (endpoint.server_name or endpoint.address).encode()),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        (b"user-agent", b"fresco-client"),
        (b"grpc-accept-encoding", b"identity"),
    ]
    if timeout_s is not None:
        headers.append((b"grpc-timeout", timeout_text(timeout_s).encode()))
    return headers + [(name.encode(), value.encode()) for name, value in endpoint.metadata]


def timeout_text(timeout_s: float) -> str:
    """A deadline as gRPC writes it: at most eight digits and a unit."""
    milliseconds = max(1, round(timeout_s * 1000))
    return f"{milliseconds}m" if milliseconds < 10**8 else f"{min(round(timeout_s), 10**8 - 1)}S"


def framed(message: bytes) -> bytes:
    """A message as it goes over the connection.

    Raises:
        LimitReached: it is too large.
    """
    if len(message) > MESSAGE_BYTES:
        raise LimitReached(_too_large("A message to the daemon", len(message)))
    return _PREFIX.pack(False, len(message)) + message


class MessageDecoder:
    """Takes bytes as they arrive and gives messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, data: bytes | memoryview) -> Iterator[bytes]:
        """Messages that are whole with these bytes.

        Raises:
            LimitReached: the next message is too large.
            InternalFailure: it is compressed, which was not asked for.
        """
        self._bytes += data
        while len(self._bytes) >= _PREFIX.size:
            is_compressed, size = _PREFIX.unpack_from(self._bytes)
            if is_compressed:
                raise InternalFailure("The daemon sent a compressed message. Update it.")
            if size > MESSAGE_BYTES:
                raise LimitReached(_too_large("A message of the daemon", size))
            end = _PREFIX.size + size
            if len(self._bytes) < end:
                return
            with memoryview(self._bytes) as view:
                message = bytes(view[_PREFIX.size : end])
            del self._bytes[:end]
            yield message

    @property
    def is_between(self) -> bool:
        """Whether no message has begun that is not whole."""
        return not self._bytes


class Status:
    """How a call ended, from what headers and trailers say."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._http: int | None = None
        self._code: int | None = None
        self._message = ""
        self._reason = ""
        self._field = ""
        self._remedy = ""

    def add(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Take headers or trailers."""
        for name, value in headers:
            text = value.decode("utf-8", errors="replace")
            if name == b":status":
                self._http = _number(text)
            elif name == b"grpc-status":
                self._code = _number(text)
            elif name == b"grpc-message":
                self._message = unquote(text, errors="replace")
            elif name == b"fresco-reason":
                self._reason = text
            elif name == b"fresco-field":
                self._field = text
            elif name == b"fresco-remedy":
                self._remedy = text

    @property
    def error(self) -> ClientError | None:
        """The error the call ended with; None if it succeeded."""
        if self._code == 0:
            return None
        if self._code is not None:
            return _error_of_status(
                self._code,
                self._message,
                self._reason,
                self._address,
                self._field,
                self._remedy,
            )
        http = self._http or 0
        unavailable = http in _UNAVAILABLE_HTTP
        code = UNAVAILABLE if unavailable else _STATUS_OF_HTTP.get(http, _UNKNOWN)
        return _error_of_status(code, f"not a gRPC answer, HTTP status {http}", "", self._address)


def error_of_reset(code: int, address: str) -> ClientError:
    """The error of a call whose stream the daemon reset."""
    status = _STATUS_OF_RESET.get(code, UNAVAILABLE)
    return _error_of_status(status, f"it reset the call, code {code}", "", address)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _UNKNOWN


def _too_large(what: str, size: int) -> str:
    return f"{what} has {size} bytes, more than the {MESSAGE_BYTES} allowed."
