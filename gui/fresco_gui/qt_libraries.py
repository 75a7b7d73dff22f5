"""Whether Qt can start here; looked at first, for Qt ends the process where it cannot."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import sys
from pathlib import Path

PACKAGES = (
    "libegl1",
    "libgl1",
    "libglib2.0-0",
    "libdbus-1-3",
    "libfontconfig1",
    "libxkbcommon-x11-0",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-keysyms1",
    "libxcb-shape0",
)
"""What Qt's libraries and its plugin for X screens need on a bare Debian or Ubuntu, as `ldd` says;
what these depend on comes with them."""


def why_not() -> str:
    """Why Qt cannot start, with what to do about it; empty if it can."""
    try:
        importlib.import_module("PyQt6.QtWidgets")
    except ImportError as error:
        return _missing(str(error))
    is_forced = bool(os.environ.get("QT_QPA_PLATFORM"))
    return "" if is_forced or not sys.platform.startswith("linux") else _why_no_screen()


def _why_no_screen() -> str:
    has_wayland = bool(os.environ.get("WAYLAND_DISPLAY"))
    if not os.environ.get("DISPLAY"):
        if has_wayland:
            return ""
        return (
            "There is no screen: neither DISPLAY nor WAYLAND_DISPLAY is set. Start fresco-gui in a "
            "desktop session; the command line, fresco, needs none."
        )
    try:
        ctypes.CDLL(str(_screen_plugin()))
    except OSError as error:
        # Qt takes the Wayland screen where there is one.
        return "" if has_wayland else _missing(str(error))
    return ""


def _screen_plugin() -> Path:
    found = importlib.util.find_spec("PyQt6")
    folder = Path(found.origin).parent if found and found.origin else Path()
    plugin = folder / "Qt6/plugins/platforms/libqxcb.so"
    # A Qt of the system's own package manager came with what it needs.
    return plugin if plugin.is_file() else Path("libxcb.so.1")


def _missing(error: str) -> str:
    return (
        f"The desktop app needs PyQt6 and the system's libraries that it uses ({error}). Install "
        "PyQt6 with 'pip install fresco[gui]'; on Debian and Ubuntu also 'apt install "
        f"{' '.join(PACKAGES)}'."
    )
