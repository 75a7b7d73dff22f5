"""Calls whose message has yet to come: few may wait at once, and none for ever.

A call holds a thread from its headers on. A client that sends those and nothing else would keep
it, so when more wait than there is room for, one of the connection goes that has most waiting.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import grpc

from fresco_server.errors import BadRequest

_TURN_S = 1.0


@dataclass(eq=False)
class _PendingCall:
    context: grpc.ServicerContext
    peer: str
    since: float = field(default_factory=time.monotonic)
    is_given_up: bool = False


class PendingCalls:
    """Room for `most` calls that wait for a message, each for at most `patience_s` seconds."""

    def __init__(self, most: int, patience_s: float) -> None:
        self._most = most
        self._patience_s = patience_s
        self._waiting: list[_PendingCall] = []
        self._lock = threading.Lock()
        self._closes = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="rpc-pending-calls", daemon=True)
        self._thread.start()

    @contextmanager
    def waiting(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Inside, the call waits for its message.

        Raises:
            BadRequest: the message did not come in time.
        """
        call = _PendingCall(context, context.peer())
        with self._lock:
            self._waiting.append(call)
            surplus = [self._surplus()] if len(self._waiting) > self._most else []
        _give_up(surplus)
        try:
            yield
        except Exception:
            if call.is_given_up:
                raise BadRequest(
                    "request", "its message did not come; send the call again"
                ) from None
            raise
        finally:
            with self._lock, suppress(ValueError):
                self._waiting.remove(call)

    def _surplus(self) -> _PendingCall:
        """Take out the one that has waited longest of the connection with most that wait."""
        of_peer = Counter(call.peer for call in self._waiting)
        peer, _ = of_peer.most_common(1)[0]
        found = next(call for call in self._waiting if call.peer == peer)
        self._waiting.remove(found)
        return found

    def close(self) -> None:
        """Let all wait as long as they like; for the end of the server."""
        self._closes.set()

    def _watch(self) -> None:
        while not self._closes.wait(_TURN_S):
            oldest = time.monotonic() - self._patience_s
            with self._lock:
                late = [call for call in self._waiting if call.since < oldest]
                self._waiting = [item for item in self._waiting if item not in late]
            _give_up(late)


def _give_up(calls: list[_PendingCall]) -> None:
    for call in calls:
        call.is_given_up = True
        # There is no other way to wake the thread that waits for the message.
        call.context.cancel()
