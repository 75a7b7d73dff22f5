"""What was found out about the last video files, for all who read them."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from fresco_media.files.state import stamps_of
from fresco_media.video.probe import Probe, probe

_MOST = 6


class Probes:
    """Probes files, and remembers the last few as long as they stay the same; for any thread.

    All packets of a file are looked at for it, and viewer, filmstrip, job list and export want to
    know the same.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[Path, tuple[int, ...]], Probe] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path, is_stopped: Callable[[], bool] = lambda: False) -> Probe | None:
        """What there is to know of the file at `path`; None once `is_stopped`.

        Raises:
            ClipError, OSError: it is gone or cannot be used.
        """
        key = path, stamps_of(os.stat(path))
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        found = probe(path, is_stopped)
        if found is not None:
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return found


PROBES = Probes()
"""Those of the app."""
