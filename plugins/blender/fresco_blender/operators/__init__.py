"""Buttons and menu entries."""

from __future__ import annotations

import bpy

from .jobs import (
    FRESCO_OT_cancel,
    FRESCO_OT_delete,
    FRESCO_OT_mend,
    FRESCO_OT_pause,
    FRESCO_OT_place,
    FRESCO_OT_refresh,
    FRESCO_OT_resume,
    FRESCO_OT_reuse,
)
from .results import (
    FRESCO_OT_compare,
    FRESCO_OT_redo,
    FRESCO_OT_reroll,
    keyframe_at_playhead,
)
from .start import (
    FRESCO_OT_clear_look,
    FRESCO_OT_connect,
    FRESCO_OT_copy_fault,
    FRESCO_OT_look,
    FRESCO_OT_pick_mask,
    FRESCO_OT_preferences,
    FRESCO_OT_restyle,
    FRESCO_OT_unload,
)

CLASSES = (
    FRESCO_OT_restyle,
    FRESCO_OT_look,
    FRESCO_OT_clear_look,
    FRESCO_OT_connect,
    FRESCO_OT_preferences,
    FRESCO_OT_cancel,
    FRESCO_OT_pause,
    FRESCO_OT_resume,
    FRESCO_OT_mend,
    FRESCO_OT_place,
    FRESCO_OT_reuse,
    FRESCO_OT_delete,
    FRESCO_OT_refresh,
    FRESCO_OT_redo,
    FRESCO_OT_reroll,
    FRESCO_OT_compare,
    FRESCO_OT_pick_mask,
    FRESCO_OT_copy_fault,
    FRESCO_OT_unload,
)

__all__ = ["CLASSES", "keyframe_at_playhead", "register", "unregister"]


def register() -> None:
    """Show them."""
    for kind in CLASSES:
        bpy.utils.register_class(kind)


def unregister() -> None:
    """Take them away."""
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
