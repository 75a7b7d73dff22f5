"""What every part of the app needs."""

from __future__ import annotations

from dataclasses import dataclass

from fresco_gui.preferences.stored import Folders, Preferences
from fresco_gui.problems.reporter import Reporter
from fresco_gui.stream import Workers


@dataclass(frozen=True, kw_only=True)
class Services:
    """Made once by the controller, handed to all its parts."""

    preferences: Preferences
    folders: Folders
    workers: Workers
    reporter: Reporter
