"""A window that is closed while this process does the work itself."""

from __future__ import annotations

import signal
from types import FrameType


def cancels_work() -> None:
    """From here on a closed window ends the command as Ctrl-C does, with nothing half-written.

    Only for work in this process: a job at a daemon outlives the window. A process that was told
    to outlive it (`nohup`) does.
    """
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) == signal.SIG_DFL:
        signal.signal(hangup, _cancel)


def _cancel(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
