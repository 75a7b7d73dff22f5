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


def test_the_documentation_names_the_same_packages() -> None:
    words = (ROOT / "docs/desktop.md").read_text("utf-8").split()
    begin = words.index("apt")

    listed = [word for word in words[begin + 2 : begin + 3 + len(PACKAGES)] if word != "\\"]

    assert tuple(listed) == PACKAGES
