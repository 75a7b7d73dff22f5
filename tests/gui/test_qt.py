"""Whether the desktop app can be tested here at all."""

from __future__ import annotations

import pytest


def test_qt_loads() -> None:
    try:
        import PyQt6.QtWidgets
    except ImportError as error:
        pytest.skip(
            f"the desktop app is not tested: Qt cannot be loaded ({error}); on Debian and Ubuntu "
            "it needs the packages libegl1, libgl1, libxkbcommon0, libdbus-1-3, libfontconfig1 "
            "and libglib2.0-0"
        )

    assert PyQt6.QtWidgets.QApplication is not None
