"""What a worker process says first: that it is ready, or why it never will be."""

from __future__ import annotations

import queue

from fresco_server.errors import CannotStart, WorkerLost
from fresco_server.jobs import starting
from fresco_server.jobs.messages import Broken, Ended, Message, Ready, Refused
from fresco_server.jobs.process import WorkerProcess


def wait_ready(process: WorkerProcess, inbox: queue.SimpleQueue[Message | Ended]) -> Ready:
    """The first message of `process`, of which all go into `inbox`; it ends where it is no `Ready`.

    Raises:
        CannotStart: it refuses to work as it was told to.
        WorkerLost: it says nothing, or has ended.
    """
    try:
        message = inbox.get(timeout=starting.START_PATIENCE_S)
    except queue.Empty:
        process.kill()
        raise WorkerLost("it does not answer") from None
    if isinstance(message, Ready):
        return message
    process.close()
    if isinstance(message, Refused):
        raise CannotStart(message.failure.message)
    if isinstance(message, Broken):
        raise WorkerLost(message.message, process.log_tail)
    code = message.code if isinstance(message, Ended) else 0
    raise WorkerLost(starting.cause(code), process.log_tail)
