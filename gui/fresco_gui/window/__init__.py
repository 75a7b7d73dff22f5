"""The window: its views, its menus, and for each thing a user does one object that does it."""

from __future__ import annotations

from fresco_gui.window.main import MainWindow

__all__ = ["MainWindow"]
