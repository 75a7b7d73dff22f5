"""Threads that are told to end and not waited for: the window must not stand still meanwhile."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable

_PATIENCE_S = 5.0
# With what runs on them: Qt's objects end on the window's thread, not with the last to hold them.
_ending: dict[threading.Thread, object] = {}


def start(run: Callable[[], None], name: str) -> threading.Thread:
    """Run it on a thread that does not keep the program alive."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def leave_to_end(thread: threading.Thread, owner: object) -> None:
    """The thread was told to end; only the end of the program waits for it.

    Python must not be taken down under a thread that is about to come back from a codec. `owner`,
    whose method runs on it, is kept as long.
    """
    for one in [one for one in _ending if not one.is_alive()]:
        del _ending[one]
    if thread.is_alive():
        _ending[thread] = owner


@atexit.register
def _wait() -> None:
    for thread in _ending:
        thread.join(_PATIENCE_S)
