"""What Resolve's window calls remedies: it has no button that starts a daemon."""

from __future__ import annotations

from fresco_client.remedies import in_window
from fresco_settings import Remedy

_WORDS = {
    Remedy.START_DAEMON: "Start one in a terminal: fresco serve.",
    Remedy.START_DAEMON_ONCE: "run “fresco serve” once",
}


def in_resolve(text: object) -> str:
    """A sentence or an error in the words of the window beside Resolve."""
    return in_window(str(text), _WORDS)
