"""One daemon, wherever it is by now: calls that survive a lost connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from google.protobuf.message import Message

from fresco_client.errors import DaemonUnreachable, SessionClosed
from fresco_client.handshake import greet
from fresco_client.server_info import ServerInfo
from fresco_client.transport import TransportKind, open_transport
from fresco_client.transport.base import Endpoint, ResponseT, StreamCall, Transport, method_of

CALL_S = 30.0
"""Seconds that a call may take unless it says otherwise."""

CALL_PATIENCE_S = 5.0
"""Seconds for which a single call is tried again on a lost connection."""

_GREETING_S = 10.0
_FIRST_DELAY_S = 0.05
_LONGEST_DELAY_S = 2.0

Locate = Callable[[bool], Endpoint | None]
"""Finds a daemon again; told whether it may start one that was ended on purpose."""


class RetryBackoff:
    """How long something is tried again, with growing delays, until it succeeds once more."""

    def __init__(
        self,
        total_s: float,
        wait: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total_s = total_s
        self._wait = wait
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """It succeeded: be patient anew."""
        self._delay_s = _FIRST_DELAY_S
        self._deadline: float | None = None

    def pause(self, error: Exception) -> None:
        """Wait before it is tried again.

        Raises:
            Exception: `error`, when patience is at its end.
        """
        now = self._clock()
        if self._deadline is None:
            self._deadline = now + self._total_s
        if now >= self._deadline:
            raise error
        self._wait(min(self._delay_s, self._deadline - now))
        self._delay_s = min(2 * self._delay_s, _LONGEST_DELAY_S)


class Connection:
    """Calls to a daemon. Safe to use from several threads."""

    def __init__(
        self,
        endpoint: Endpoint,
        kind: TransportKind | None,
        locate: Locate | None = None,
        patience_s: float = 60.0,
    ) -> None:
        self.endpoint: Endpoint = endpoint
        self.patience_s = patience_s
        self._kind: TransportKind | None = kind
        self._locate = locate
        self._lock = threading.Lock()
        self._transport = open_transport(endpoint, kind)
        self._retired: list[Transport] = []
        self._is_closed = False

    @property
    def transport(self) -> Transport:
        """The way to where the daemon was last seen."""
        with self._lock:
            if self._is_closed:
                raise SessionClosed
            return self._transport

    def call(
        self, request: Message, response: type[ResponseT], timeout_s: float = CALL_S
    ) -> ResponseT:
        """The answer to a request that may be repeated without harm, as all of the contract may.

        Raises:
            ClientError: it was refused, or the daemon could not be reached for some seconds.
        """
        method = method_of(type(request), response)
        patience = RetryBackoff(min(self.patience_s, CALL_PATIENCE_S))
        while True:
            try:
                return self.transport.unary(method, request, timeout_s)
            except DaemonUnreachable as error:
                patience.pause(error)
            self.renew(may_start=True)

    def stream(self, request: Message, response: type[ResponseT]) -> StreamCall[ResponseT]:
        """Start a call that answers many times. It is not repeated."""
        return self.transport.stream(method_of(type(request), response), request)

    def greet(self) -> ServerInfo:
        """What the daemon is, asked once.

        Raises:
            VersionMismatch: it does not speak our version.
            ClientError: it cannot be reached or does not let us in.
        """
        return greet(self.transport, _GREETING_S)

    def renew(self, may_start: bool) -> None:
        """Look where the daemon is now, after a connection was lost.

        Raises:
            ClientError: it is of another version, or was to be started and failed.
        """
        found = self._locate(may_start) if self._locate else None
        with self._lock:
            if found is None or found == self.endpoint or self._is_closed:
                return
            # Streams of the old one are to fail, not to end as if it were closed.
            self._retired.append(self._transport)
            self._transport = open_transport(found, self._kind)
            self.endpoint = found

    def close(self) -> None:
        """End all calls."""
        with self._lock:
            self._is_closed = True
            transports = [*self._retired, self._transport]
        for transport in transports:
            transport.close()
