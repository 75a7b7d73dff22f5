"""Widgets that nobody holds are destroyed on the window's thread, whoever makes the garbage."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QLabel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_a_busy_thread_does_not_destroy_widgets(qtbot: QtBot) -> None:
    ended_on: list[threading.Thread] = []
    kept: list[list[object]] = []

    def leave_widget() -> None:
        label = QLabel()
        label.itself = label  # type: ignore[attr-defined]
        weakref.finalize(label, lambda: ended_on.append(threading.current_thread()))

    def allocate() -> None:
        kept.extend([] for _ in range(20 * gc.get_threshold()[0]))

    for _ in range(20):
        leave_widget()
    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()

    qtbot.waitUntil(lambda: len(ended_on) == 20, timeout=60_000)
    assert set(ended_on) == {threading.current_thread()}
