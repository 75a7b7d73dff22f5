"""Following a job, across lost connections and restarts of the daemon."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

from fresco.v1 import jobs_pb2, media_pb2

from fresco_client.connection import Connection, RetryBackoff
from fresco_client.errors import (
    Cancelled,
    ClientError,
    DaemonUnreachable,
    LimitReached,
    SessionClosed,
    TimedOut,
)
from fresco_client.events import Event
from fresco_client.messages import event_of, message_of
from fresco_client.streams import Stream
from fresco_client.transport.base import StreamCall
from fresco_client.values import PictureOptions

ConnectionState = Literal["connected", "reconnecting"]


class Watch(Stream[Event]):
    """The events of a job in order, none lost and none twice, until the job has ended.

    One thread iterates; any thread may close it, upon which iteration ends.
    """

    def __init__(
        self,
        connection: Connection,
        job_id: str,
        *,
        after: int = 0,
        pictures: PictureOptions | None = None,
        is_replay_only: bool = False,
        patience_s: float | None = None,
        on_connection: Callable[[ConnectionState], None] | None = None,
    ) -> None:
        # Its own `close` cancels; a method of its own kept here would keep it from being freed.
        super().__init__(lambda: None)
        self.job_id = job_id
        self.last_sequence = after
        """Sequence number of the last event given out."""
        self._connection = connection
        self._pictures = pictures
        self._is_replay_only = is_replay_only
        self._on_connection = on_connection
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._call: StreamCall[jobs_pb2.WatchJobResponse] | None = None
        total_s = connection.patience_s if patience_s is None else patience_s
        self._patience = RetryBackoff(total_s, self._closed.wait)
        self._is_retrying = False
        self._state: ConnectionState = "connected"

    def __next__(self) -> Event:
        """The next event, as soon as it happens.

        Raises:
            NotFound: there is no such job, or it was deleted.
            DaemonUnreachable: the daemon was away for longer than patience lasts.
            ClientError: the daemon refused.
        """
        while not self._closed.is_set():
            try:
                event = self._receive()
            except (DaemonUnreachable, Cancelled, LimitReached, TimedOut) as error:
                self._recover(error)
                continue
            except SessionClosed:
                break
            if event is not None:
                return event
        raise StopIteration

    def close(self) -> None:
        """Stop watching; the job goes on."""
        self._closed.set()
        with self._lock:
            call = self._call
        if call is not None:
            call.cancel()

    def _receive(self) -> Event | None:
        """The next event, or None for one that was known or cannot be understood."""
        if self._call is None:
            self._start()
        assert self._call is not None
        try:
            message = next(self._call).event
        except StopIteration:
            self._closed.set()
            return None
        if message.sequence <= self.last_sequence:
            return None
        self.last_sequence = message.sequence
        self._patience.reset()
        self._is_retrying = False
        return event_of(message)

    def _start(self) -> None:
        if self._is_retrying:
            # The next event may be far away; that the daemon is there is to be known now.
            self._connection.greet()
            self._tell("connected")
        request = jobs_pb2.WatchJobRequest(
            job_id=self.job_id,
            after_sequence=self.last_sequence,
            is_replay_only=self._is_replay_only,
        )
        if self._pictures is not None:
            options = message_of(self._pictures, media_pb2.PictureOptions)
            request.pictures.CopyFrom(options)
        call = self._connection.stream(request, jobs_pb2.WatchJobResponse)
        with self._lock:
            self._call = call
        if self._closed.is_set():
            call.cancel()

    def _recover(self, error: ClientError) -> None:
        """Wait a little and look where the daemon is.

        Raises:
            ClientError: `error`, if it is no lost connection or patience is at its end.
        """
        # A daemon may count a stream that was lost for a while.
        if isinstance(error, LimitReached) and not self._is_retrying:
            raise error
        with self._lock:
            self._call = None
        self._is_retrying = True
        self._tell("reconnecting")
        self._patience.pause(error)
        if not self._closed.is_set():
            self._connection.renew(may_start=False)

    def _tell(self, state: ConnectionState) -> None:
        if state != self._state:
            self._state = state
            if self._on_connection is not None:
                self._on_connection(state)
