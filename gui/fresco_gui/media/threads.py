"""Threads that are told to end and not waited for: the window must not stand still meanwhile."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable

_PATIENCE_S = 5.0
_ending: set[threading.Thread] = set()


def start(run: Callable[[], None], name: str) -> threading.Thread:
    """Run it on a thread that does not keep the program alive."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def leave_to_end(thread: threading.Thread) -> None:
    """The thread was told to end; only the end of the program waits for it.

    Python must not be taken down under a thread that is about to come back from a codec.
    """
    _ending.difference_update([one for one in _ending if not one.is_alive()])
    if thread.is_alive():
        _ending.add(thread)


@atexit.register
def _wait() -> None:
    for thread in _ending:
        thread.join(_PATIENCE_S)
