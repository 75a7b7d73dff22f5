"""Whether the desktop app can be tested here at all."""

from __future__ import annotations

import pytest
from fresco_gui.qt_libraries import why_not


def test_qt_loads() -> None:
    try:
        import PyQt6.QtWidgets
    except ImportError:
        pytest.skip(why_not())

    assert PyQt6.QtWidgets.QApplication is not None
