"""Calls in Python alone: for hosts such as Blender and Resolve, in whose Python nothing compiled
can be relied on.

A call has a connection to itself while it lasts; connections of ended calls are used again. There
are no threads: whoever waits for an answer reads it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Generic

from google.protobuf.message import DecodeError, Message

from fresco_client.errors import ClientError, InternalFailure, SessionClosed
from fresco_client.transport.base import CONNECT_S, Endpoint, Method, ResponseT
from fresco_client.transport.http2 import Call, Http2Connection

_IDLE_CONNECTIONS = 4


class PureTransport:
    """A pool of connections."""

    def __init__(self, endpoint: Endpoint) -> None:
        _ = endpoint.host_and_port
        self.endpoint = endpoint
        self.is_closed = False
        # Of the same thread again: a stream may be collected, and so cancelled, at any moment.
        self._lock = threading.RLock()
        self._idle: list[Http2Connection] = []
        self._busy: set[Http2Connection] = set()

    def unary(self, method: Method[ResponseT], request: Message, timeout_s: float) -> ResponseT:
        """See `Transport.unary`."""
        connection = self.take(timeout_s)
        call: Call | None = None
        try:
            call = connection.begin(method.path, request.SerializeToString(), timeout_s)
            message = call.next_message()
            rest = call.next_message() if message is not None else None
        except ClientError as error:
            raise self._seen(error) from error
        finally:
            self.give(connection, call is not None and call.is_complete)
        if message is None or rest is not None:
            raise InternalFailure("The daemon did not answer with one message. Update it.")
        return parsed(method, message)

    def stream(self, method: Method[ResponseT], request: Message) -> PureStream[ResponseT]:
        """See `Transport.stream`."""
        if self.is_closed:
            raise SessionClosed
        return PureStream(self, method, request.SerializeToString())

    def close(self) -> None:
        """See `Transport.close`."""
        with self._lock:
            self.is_closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for connection in idle:
            connection.close()
        for connection in busy:
            connection.break_off()

    def take(self, timeout_s: float) -> Http2Connection:
        """A connection for one call; an idle one, if it is still good.

        Raises:
            ClientError: none can be made, or this is closed.
        """
        while True:
            with self._lock:
                if self.is_closed:
                    raise SessionClosed
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = Http2Connection(self.endpoint, timeout_s)
            elif not connection.is_usable():
                connection.close()
                continue
            with self._lock:
                if not self.is_closed:
                    self._busy.add(connection)
                    return connection
            connection.close()

    def give(self, connection: Http2Connection, is_reusable: bool) -> None:
        """Take a connection back after its call."""
        with self._lock:
            self._busy.discard(connection)
            if is_reusable and not self.is_closed and len(self._idle) < _IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()

    def _seen(self, error: ClientError) -> ClientError:
        """What an error is to who called."""
        return SessionClosed() if self.is_closed else error


class PureStream(Generic[ResponseT]):
    """A call that answers many times."""

    def __init__(self, transport: PureTransport, method: Method[ResponseT], request: bytes) -> None:
        self._transport = transport
        self._method = method
        self._turn = threading.Lock()
        self._is_cancelled = False
        self._connection: Http2Connection | None = None
        self._call: Call | None = None
        self._error: ClientError | None = None
        try:
            self._connection = transport.take(CONNECT_S)
            self._call = self._connection.begin(method.path, request)
            # The daemon is to begin now, not when somebody asks for the first answer.
            self._call.push()
        except ClientError as error:
            self._error = error
            self._release()

    def __iter__(self) -> Iterator[ResponseT]:
        return self

    def __next__(self) -> ResponseT:
        try:
            with self._turn:
                return self._next()
        finally:
            # If `cancel` could not get its turn meanwhile, letting go is up to us.
            if self._is_cancelled:
                self._release_in_turn()

    def __del__(self) -> None:
        with suppress(AttributeError):  # it was not made
            self.cancel()

    def cancel(self) -> None:
        """See `StreamCall.cancel`."""
        self._is_cancelled = True
        connection = self._connection
        if connection is not None:
            connection.break_off()
        self._release_in_turn()

    def _next(self) -> ResponseT:
        error, self._error = self._error, None
        if error is not None and not self._is_cancelled:
            raise error
        if self._connection is None or self._call is None or self._is_cancelled:
            raise StopIteration
        try:
            message = self._call.next_message()
        except BaseException as error:
            self._release()
            if isinstance(error, ClientError) and (self._is_cancelled or self._transport.is_closed):
                raise StopIteration from None
            raise
        if message is None:
            self._release()
            raise StopIteration
        if self._is_cancelled:
            raise StopIteration
        return parsed(self._method, message)

    def _release_in_turn(self) -> None:
        if self._turn.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._turn.release()

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            is_complete = self._call is not None and self._call.is_complete
            self._transport.give(connection, is_complete and not self._is_cancelled)


def parsed(method: Method[ResponseT], message: bytes) -> ResponseT:
    """The answer in these bytes.

    Raises:
        InternalFailure: they are none.
    """
    try:
        return method.response.FromString(message)
    except DecodeError as error:
        raise InternalFailure(f"The answer to {method.path} cannot be read.") from error
