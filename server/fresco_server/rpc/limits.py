"""How much the server takes at once. Long calls are counted, so that short ones find a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fresco_server.errors import DaemonLimitReached

UNARY_THREADS = 16
"""Threads that streams never have: health and other short calls always answer."""
WAITING_CALLS = 256
"""Short calls that wait for a thread; beyond them gRPC itself says RESOURCE_EXHAUSTED."""
LONG_UNARY = frozenset(
    {
        "/fresco.v1.ClipService/DescribeClip",
        "/fresco.v1.ClipService/FinishUpload",
        "/fresco.v1.JobService/CreateJob",
        "/fresco.v1.JobService/RerollKeyframes",
        "/fresco.v1.ModelService/ListModels",
        "/fresco.v1.ModelService/LoadModel",
        "/fresco.v1.ModelService/ResolveSettings",
    }
)
"""Calls with one answer that may take as long as a stream, and take a place like one."""
SILENT_CALLS = 64
"""Calls that may wait for their message; of more, those go of whom most wait."""
SILENCE_S = 60.0
"""How long one may: as long as a chunk takes on a slow line."""
HEALTH_THREADS = 40
"""Threads for nothing but health checks: whether the daemon lives is never a long question."""
HEALTH_WATCHES = 32
"""Of health, which anybody who has the token may watch; the other streams keep their places."""
SILENT_HEALTH_CALLS = 32
HEALTH_SILENCE_S = 5.0
IDLE_CONNECTION_MS = 20_000
"""How long a connection without a call is kept; clients give theirs up earlier, see `IDLE_S`."""
_HEALTH_SERVICE = "/grpc.health.v1."


def is_health(method: str) -> bool:
    """Whether `method` is one of the health service's."""
    return method.startswith(_HEALTH_SERVICE)


class StreamSlots:
    """Slots for `limit` long calls at once."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._free = threading.Semaphore(limit)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """One of the slots while inside.

        Raises:
            LimitReached: all are taken.
        """
        if not self._free.acquire(blocking=False):
            raise DaemonLimitReached(
                f"{self.limit} streams and long calls are open; close one or try again later",
                reason="TOO_MANY_STREAMS",
            )
        try:
            yield
        finally:
            self._free.release()
