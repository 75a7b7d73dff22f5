"""What the app says where Qt cannot start, which would end the process without a word of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fresco_gui.qt_libraries import PACKAGES

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these are Linux's libraries")


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    """Start the app where a test says what the screen is."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")
    }
    return subprocess.run(
        [sys.executable, "-m", "fresco_gui"],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_a_screen_it_says_so() -> None:
    ended = start()

    assert ended.returncode == 1
    assert "There is no screen" in ended.stderr


def test_a_missing_library_is_named_with_the_packages_to_install(tmp_path: Path) -> None:
    (tmp_path / "libxcb-cursor.so.0").touch()

    ended = start(DISPLAY=":99", LD_LIBRARY_PATH=str(tmp_path))

    assert ended.returncode == 1
    assert "libxcb-cursor.so.0" in ended.stderr
    assert all(package in ended.stderr for package in PACKAGES)


_STARTING = """
import sys, tempfile, threading
from pathlib import Path

elsewhere = []

class Watch:
    def find_spec(self, name, *_):
        if name.startswith("PyQt6") and threading.current_thread() is not threading.main_thread():
            elsewhere.append(name)

sys.meta_path.insert(0, Watch())
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication
from fresco_gui.problems.problem import ErrorBoundary
from fresco_gui.preferences.stored import DaemonChoice, Folders, Preferences
from fresco_gui.window import MainWindow

application = QApplication([])
with tempfile.TemporaryDirectory() as folder:
    state = Path(folder)
    window = MainWindow(Preferences(state), Folders(state=state, results=state), ErrorBoundary())
    window.start(None, DaemonChoice(data=state / "data", is_started=False))
    QTimer.singleShot(1500, window.close)
    QTimer.singleShot(2000, application.quit)
    application.exec()
assert not elsewhere, elsewhere
"""


def test_no_part_of_qt_is_loaded_beside_the_windows_thread_which_may_crash() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _STARTING],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr


def test_the_documentation_names_the_same_packages() -> None:
    words = (ROOT / "docs/desktop.md").read_text("utf-8").split()
    begin = words.index("apt")

    listed = [word for word in words[begin + 2 : begin + 3 + len(PACKAGES)] if word != "\\"]

    assert tuple(listed) == PACKAGES
