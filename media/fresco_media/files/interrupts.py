"""Ctrl-C while a program is still loading its parts: nothing has begun that could be undone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

CANCELLED = 130
"""The exit code of a program that was told to stop."""

NOTHING_LEFT = "Stopped; nothing half-written was left behind."


@contextmanager
def ends_at_once() -> Iterator[None]:
    """Ctrl-C in here ends the process with exit code 130 and a sentence, without a traceback.

    Imports are no place for exceptions: libraries turn them into their own or lose them. Where
    Ctrl-C is ignored or already obeyed in another way, that stays as it is. For the main thread.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is _end:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(signal_number: int, frame: FrameType | None) -> None:
    # Not by print, which may have been interrupted itself; and no orderly end of half-made modules.
    try:
        os.write(2, f"{NOTHING_LEFT}\n".encode())
    finally:
        os._exit(CANCELLED)
