"""Choosing settings: a form made from what the daemon says can be chosen."""

from __future__ import annotations

from fresco_gui.inspector.panel import Inspector

__all__ = ["Inspector"]
