"""The filmstrip."""

from fresco_gui.timeline.content import KeyframeAction, KeyframeState
from fresco_gui.timeline.filmstrip import Filmstrip

__all__ = ["Filmstrip", "KeyframeAction", "KeyframeState"]
