"""What ends a daemon, and how."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from fresco_server.daemon import _stopped_by_signals

HANGUP = getattr(signal, "SIGHUP", None)


@pytest.mark.skipif(HANGUP is None, reason="no terminal is closed by a signal here")
@pytest.mark.parametrize(
    ("before", "is_stopped"),
    [(signal.SIG_DFL, True), (signal.SIG_IGN, False)],
    ids=["closed", "nohup"],
)
def test_a_closed_terminal_stops_in_order_unless_it_is_to_be_outlived(
    before: signal.Handlers, is_stopped: bool
) -> None:
    assert HANGUP is not None
    stop, kept = threading.Event(), signal.signal(HANGUP, before)
    try:
        with _stopped_by_signals(stop):
            os.kill(os.getpid(), HANGUP)
            assert stop.wait(1) == is_stopped
        assert signal.getsignal(HANGUP) == before
    finally:
        signal.signal(HANGUP, kept)
