"""A bound on the memory that requests take for their work at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class WorkRoom:
    """Memory for pictures that are being made: who finds none waits for others to be done."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._taken_bytes = 0
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, size_bytes: int) -> Iterator[None]:
        """Wait until there is room for so many bytes, or nothing else is made."""

        def has_room() -> bool:
            return not self._taken_bytes or self._taken_bytes + size_bytes <= self._most_bytes

        with self._changed:
            self._changed.wait_for(has_room)
            self._taken_bytes += size_bytes
        try:
            yield
        finally:
            with self._changed:
                self._taken_bytes -= size_bytes
                self._changed.notify_all()
