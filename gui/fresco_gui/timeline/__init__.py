"""The filmstrip."""

from fresco_gui.timeline.filmstrip import Filmstrip
from fresco_gui.timeline.states import KeyframeAction, KeyframeState

__all__ = ["Filmstrip", "KeyframeAction", "KeyframeState"]
