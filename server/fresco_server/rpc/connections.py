"""How many connections there may be, so that there are always descriptors for the work itself."""

from __future__ import annotations

import logging
from contextlib import suppress

_LOGGER = logging.getLogger(__name__)
_WANTED_FILES = 16_384
_MOST = 4096
_WITHOUT_LIMITS = 1024


def most_connections() -> int:
    """Connections to take at once: a quarter of the descriptors that this process may have.

    It is raised as far as the system lets it be without asking anybody.
    """
    try:
        import resource
    except ImportError:  # Windows, where sockets are not among the few.
        return _WITHOUT_LIMITS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = _WANTED_FILES if hard == unlimited else min(_WANTED_FILES, hard)
    if soft != unlimited and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    files = _WANTED_FILES if soft == unlimited else soft
    return max(16, min(_MOST, files // 4))
