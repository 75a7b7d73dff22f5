"""Python's cyclic garbage, collected on the window's thread only.

Python collects wherever it happens to run, and so may destroy widgets on a thread that decodes
frames. Qt keeps lists of all widgets, which only the window's thread may change.
"""

from __future__ import annotations

import gc

from PyQt6.QtCore import QObject, QTimer

_INTERVAL_MS = 200


class GarbageCollector(QObject):
    """Collects when Python would, but from the event loop of the thread that makes it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect)
        self._timer.start(_INTERVAL_MS)

    def stop(self) -> None:
        """Collect all, and let Python collect again by itself."""
        self._timer.stop()
        gc.collect()
        gc.enable()

    def _collect(self) -> None:
        """Collect the oldest generation that is due; it takes the younger ones along."""
        due = [
            generation
            for generation, (count, most) in enumerate(
                zip(gc.get_count(), gc.get_threshold(), strict=True)
            )
            if most and count > most
        ]
        if due:
            gc.collect(due[-1])
