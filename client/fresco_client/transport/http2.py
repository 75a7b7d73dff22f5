"""One HTTP/2 connection that carries one call at a time, without a thread of its own.

Whoever waits for the call's next message does the reading. So nothing is read that nobody waits
for: the windows stay closed, and the daemon waits for a slow client instead of filling its memory.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    Event,
    PingAckReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes

from fresco_client.errors import ClientError, DaemonUnreachable, TimedOut
from fresco_client.transport.base import CONNECT_S, IDLE_S, Endpoint
from fresco_client.transport.frames import (
    FRAME_BYTES,
    WINDOW_BYTES,
    Data,
    FlowControlWindow,
    FrameError,
    FrameSplitter,
    window_update,
)
from fresco_client.transport.framing import (
    MessageDecoder,
    Status,
    error_of_reset,
    framed,
    request_headers,
)
from fresco_client.transport.trust import certificates_of

_FIRST_WINDOW_BYTES = 65535  # as HTTP/2 has it
_READ_BYTES = 256 * 1024
_WAKE_S = 1.0
_LAST_STREAM = 2**30


class Http2Connection:
    """A connection. One thread at a time uses it; `break_off` is for any other."""

    def __init__(self, endpoint: Endpoint, timeout_s: float) -> None:
        self._endpoint = endpoint
        self._lock = threading.RLock()
        self._is_closed = False
        self._socket = _connect(endpoint, timeout_s)
        self._http = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._splitter = FrameSplitter()
        self._window = FlowControlWindow()
        self._grants = b""
        self._is_usable = True
        self._last_heard = time.monotonic()
        self._pinged: float | None = None
        self._http.initiate_connection()
        self._http.update_settings(
            {
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES,
                SettingCodes.MAX_FRAME_SIZE: FRAME_BYTES,
            }
        )
        self._http.increment_flow_control_window(WINDOW_BYTES - _FIRST_WINDOW_BYTES)

    def begin(self, path: str, message: bytes, timeout_s: float | None = None) -> Call:
        """Begin a call; nothing else may be under way."""
        headers = request_headers(self._endpoint, path, timeout_s)
        self._last_heard = time.monotonic()
        with self._speaking():
            stream = self._http.get_next_available_stream_id()
            self._http.send_headers(stream, headers)
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        return Call(self, self._endpoint, stream, framed(message), deadline)

    def is_usable(self) -> bool:
        """Whether another call can begin: what came since the last one says nothing against it.

        After a while the daemon may be about to close it.
        """
        if time.monotonic() - self._last_heard >= IDLE_S:
            return False
        try:
            while self._is_usable:
                self._socket.settimeout(0)
                self._take(self._socket.recv(_READ_BYTES))
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except (OSError, ClientError):
            return False
        return self._is_usable and self._http.highest_outbound_stream_id < _LAST_STREAM

    def send(self, stream: int, data: memoryview) -> int:
        """Send as much of a request as the windows allow; how many bytes that was."""
        sent = 0
        with self._speaking():
            room = min(len(data), self._http.local_flow_control_window(stream))
            while sent < room:
                size = min(room - sent, self._http.max_outbound_frame_size)
                is_last = sent + size == len(data)
                part = data[sent : sent + size].tobytes()
                self._http.send_data(stream, part, end_stream=is_last)
                sent += size
        self.flush()
        return sent

    def receive(self, deadline: float | None) -> list[Event | Data]:
        """What comes next, maybe nothing; waits for a second at most.

        Raises:
            DaemonUnreachable: the connection is lost, or the daemon has not answered for too long.
            TimedOut: the deadline has passed.
        """
        self.flush()
        now = time.monotonic()
        if deadline is not None and now >= deadline:
            raise TimedOut("")
        self._check_alive(now)
        wait_s = _WAKE_S if deadline is None else min(_WAKE_S, deadline - now)
        try:
            self._socket.settimeout(wait_s)
            data = self._socket.recv(_READ_BYTES)
        except (TimeoutError, ssl.SSLWantReadError):
            return []
        except OSError as error:
            raise self._lost(_words(error)) from error
        return self._take(data)

    def grant(self, stream: int, size: int) -> None:
        """Let the daemon send as many bytes more on a stream; 0 is the whole connection."""
        if size:
            self._grants += window_update(stream, size)

    def flush(self) -> None:
        """Send what waits to be sent."""
        data = self._http.data_to_send() + self._grants
        if not data:
            return
        self._grants = b""
        try:
            self._socket.settimeout(CONNECT_S)
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(_words(error)) from error

    def break_off(self) -> None:
        """End what another thread waits for here."""
        with self._lock, suppress(OSError):
            if not self._is_closed:
                # Not that of SSLSocket, which is not made for being called by another thread.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """End it; the daemon takes that as a cancellation of the call that is under way."""
        with self._lock:
            self._is_closed = True
            self._socket.close()

    def _take(self, received: bytes) -> list[Event | Data]:
        if not received:
            raise self._lost("connection closed")
        self._last_heard = time.monotonic()
        events: list[Event | Data] = []
        with self._speaking():
            for part in self._splitter.split(received):
                if isinstance(part, Data):
                    self.grant(0, self._window.take(len(part.content)))
                    events.append(part)
                else:
                    events.extend(self._http.receive_data(part))
        self._heed(events)
        self.flush()
        return events

    def _heed(self, events: list[Event | Data]) -> None:
        for event in events:
            if isinstance(event, ConnectionTerminated):
                self._is_usable = False
            elif isinstance(event, PingAckReceived):
                self._pinged = None

    def _check_alive(self, now: float) -> None:
        """Ask a silent daemon whether it is there, and give up on one that does not answer."""
        if self._pinged is None:
            if now - self._last_heard >= self._endpoint.keepalive_s:
                self._pinged = now
                with self._speaking():
                    self._http.ping(b"fresco??")
                self.flush()
        elif self._last_heard > self._pinged:
            self._pinged = None
        elif now - self._pinged >= self._endpoint.keepalive_timeout_s:
            raise self._lost("no sign of life")

    @contextmanager
    def _speaking(self) -> Generator[None, None, None]:
        """HTTP/2, as long as the other side keeps to it."""
        try:
            yield
        except (H2Error, FrameError) as error:
            raise self._lost(f"what answers there does not speak HTTP/2: {error}") from error

    def _lost(self, detail: str) -> DaemonUnreachable:
        self._is_usable = False
        return DaemonUnreachable(self._endpoint.address, detail)


class Call:
    """One call on a connection: its request goes out, its messages come in."""

    def __init__(
        self,
        connection: Http2Connection,
        endpoint: Endpoint,
        stream: int,
        request: bytes,
        deadline: float | None,
    ) -> None:
        self.is_ended = False
        self.is_complete = False
        """Whether both sides came to their proper end, so that the connection is free again."""
        self._connection = connection
        self._endpoint = endpoint
        self._stream = stream
        self._unsent = memoryview(request)
        self._deadline = deadline
        self._messages = MessageDecoder()
        self._window = FlowControlWindow()
        self._received: deque[bytes] = deque()
        self._status = Status(endpoint.address)
        self._error: ClientError | None = None

    def push(self) -> None:
        """Send what the windows allow of the request."""
        if self._unsent:
            self._unsent = self._unsent[self._connection.send(self._stream, self._unsent) :]

    def next_message(self) -> bytes | None:
        """The next message; None when the call has ended well.

        Raises:
            ClientError: it failed.
        """
        while not self._received:
            if self._error is not None:
                raise self._error
            if self.is_ended:
                return None
            self.push()
            for event in self._connection.receive(self._deadline):
                self._take(event)
        return self._received.popleft()

    def _take(self, event: Event | Data) -> None:
        if self._error is not None or self.is_ended:
            return
        if isinstance(event, Data):
            self._take_data(event)
        elif isinstance(event, ConnectionTerminated):
            self._error = DaemonUnreachable(self._endpoint.address, _farewell(event))
        elif getattr(event, "stream_id", None) != self._stream:
            return
        elif isinstance(event, ResponseReceived | TrailersReceived):
            self._status.add(_pairs(event))
        elif isinstance(event, StreamReset):
            self._error = error_of_reset(int(event.error_code or 0), self._endpoint.address)
        elif isinstance(event, StreamEnded):
            self._end()

    def _take_data(self, data: Data) -> None:
        if data.stream != self._stream:
            return
        self._connection.grant(self._stream, self._window.take(len(data.content)))
        try:
            self._received.extend(self._messages.add(data.content))
        except ClientError as error:
            self._error = error

    def _end(self) -> None:
        self._error = self._status.error
        if self._error is None and not self._messages.is_between:
            self._error = DaemonUnreachable(self._endpoint.address, "an answer was cut short")
        self.is_ended = True
        self.is_complete = not self._unsent


def _connect(endpoint: Endpoint, timeout_s: float) -> socket.socket:
    address = endpoint.host_and_port
    try:
        plain = socket.create_connection(address, timeout=min(timeout_s, CONNECT_S))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not endpoint.is_secure:
            return plain
        try:
            name = endpoint.server_name or address[0]
            return _tls(endpoint).wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise
    except OSError as error:
        raise DaemonUnreachable(endpoint.address, _words(error)) from error


def _tls(endpoint: Endpoint) -> ssl.SSLContext:
    """What trusts this one certificate, or those the system trusts, and checks the name in it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    certificates = certificates_of(endpoint)
    if certificates is None:
        context.load_default_certs()
        return context
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificates.decode("utf-8", "replace"))
    return context


def _words(error: OSError) -> str:
    """What happened, as a person would say it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not fit: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
        return "it does not speak TLS as this program does"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return "no answer"
    return (error.strerror or str(error)).lower()


def _farewell(event: ConnectionTerminated) -> str:
    is_plain = event.error_code in {None, ErrorCodes.NO_ERROR}
    return "it is shutting down" if is_plain else f"it ended the connection, {event.error_code}"


def _pairs(event: ResponseReceived | TrailersReceived) -> list[tuple[bytes, bytes]]:
    pairs: list[tuple[bytes, bytes]] = []
    for name, value in event.headers or ():
        pairs.append((_as_bytes(name), _as_bytes(value)))
    return pairs


def _as_bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
