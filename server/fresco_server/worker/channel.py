"""The worker's end of the line to the daemon: orders come in, messages go out, one JSON a line."""

from __future__ import annotations

import os
import queue
import sys
import threading
from typing import BinaryIO

from fresco_server.jobs.codec import from_line, to_line
from fresco_server.jobs.messages import Message, Order


class Channel:
    """Orders from standard input, messages to standard output.

    What libraries print goes to standard error instead, where log lines belong. When the input
    ends the daemon is gone and the process ends at once: all that counts is on disk.
    """

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        self._sending = threading.Lock()
        threading.Thread(target=self._read, args=(sys.stdin.buffer,), daemon=True).start()

    def next(self, timeout_s: float | None = None) -> Order | None:
        """The next order; None when none comes in time, or with 0 when none waits."""
        try:
            return self._orders.get(block=timeout_s != 0, timeout=timeout_s or None)
        except queue.Empty:
            return None

    def send(self, message: Message) -> None:
        """Send a message."""
        line = to_line(message)
        with self._sending:
            self._out.write(line)
            self._out.flush()

    def _read(self, lines: BinaryIO) -> None:
        for line in lines:
            self._orders.put(from_line(Order, line))
        os._exit(0)
