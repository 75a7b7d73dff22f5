"""A peer that speaks HTTP/2 frame by frame, so that it can do what no library would."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from typing import Any

import h2.config
import h2.connection

PATIENCE_S = 20.0
_FRAME_BYTES = 16_000


class RawPeer:
    """A connection to a daemon at `address` with frames of the caller's choice."""

    def __init__(self, address: str, token: str | None) -> None:
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self._h2: Any = h2.connection.H2Connection(config)
        self._token = token
        self._h2.initiate_connection()
        self._flush()

    def begin(self, method: str, *more: tuple[str, str]) -> int:
        """Send a call's headers; the number of its stream."""
        stream: int = self._h2.get_next_available_stream_id()
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", method),
            (":authority", "localhost"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            *more,
        ]
        if self._token is not None:
            headers.append(("authorization", f"Bearer {self._token}"))
        self._h2.send_headers(stream, headers)
        self._flush()
        return stream

    def send(self, stream: int, data: bytes, *, ends: bool = False) -> None:
        """Send bytes of a call."""
        while len(data) > _FRAME_BYTES:
            self._h2.send_data(stream, data[:_FRAME_BYTES])
            data = data[_FRAME_BYTES:]
        self._h2.send_data(stream, data, end_stream=ends)
        self._flush()

    def message(self, stream: int, data: bytes, *, is_compressed: bool = False) -> None:
        """Send a whole message, the last of its call."""
        self.send(stream, struct.pack(">BI", is_compressed, len(data)) + data, ends=True)

    def ended(self, wanted: Sequence[int]) -> dict[int, dict[str, str]]:
        """Wait until the calls have ended; the last headers of each, with `reset` if it was."""
        found: dict[int, dict[str, str]] = {}
        while not set(wanted) <= found.keys():
            data = self._socket.recv(65536)
            assert data, "the daemon closed the connection"
            for event in self._h2.receive_data(data):
                kind = type(event).__name__
                if kind in ("TrailersReceived", "ResponseReceived"):
                    headers = {str(k): str(v) for k, v in event.headers}
                    if "grpc-status" in headers:
                        found[event.stream_id] = headers
                elif kind == "StreamReset":
                    found.setdefault(event.stream_id, {"reset": str(event.error_code)})
            self._flush()
        return found

    def wait_closed(self) -> None:
        """Answer pings as a live peer does until the daemon closes the connection."""
        while data := self._socket.recv(65536):
            self._h2.receive_data(data)
            self._flush()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _flush(self) -> None:
        self._socket.sendall(self._h2.data_to_send())
