"""Entries in the sequencer's own menus."""

# No `from __future__ import annotations`: Blender reads annotations of these classes.

from typing import Any

import bpy

from . import language
from .state import state

MENUS = ("SEQUENCER_MT_strip", "SEQUENCER_MT_context_menu", "SEQUENCER_MT_preview_context_menu")


class FRESCO_MT_menu(bpy.types.Menu):
    """What Fresco can do; as a menu of its name, the search for menu entries finds all of it"""

    bl_idname = "FRESCO_MT_menu"
    bl_label = "Fresco"

    def draw(self, _context):
        layout = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("fresco.restyle", icon="BRUSH_DATA")
        layout.operator("fresco.look", icon="HIDE_OFF")
        layout.operator("fresco.clear_look", icon="X")
        layout.separator()
        layout.operator("fresco.redo", icon="FILE_REFRESH")
        layout.operator("fresco.reroll", icon="KEYFRAME_HLT")
        layout.operator("fresco.compare", icon="ARROW_LEFTRIGHT")
        layout.operator("fresco.pick_mask", icon="EYEDROPPER")
        layout.separator()
        layout.operator("fresco.connect", icon="PLAY")
        layout.operator("fresco.refresh", icon="FILE_REFRESH")
        layout.operator("fresco.unload", icon="TRASH")
        layout.operator("fresco.cancel_all", icon="X")
        layout.operator("fresco.preferences", icon="PREFERENCES")


def draw_entry(self: Any, _context: Any) -> None:
    """The menu, in one of Blender's."""
    self.layout.separator()
    self.layout.menu("FRESCO_MT_menu", icon="BRUSH_DATA")


def draw_header(self: Any, context: Any) -> None:
    """How far the jobs are, and whether one needs somebody, where the sidebar is closed."""
    if context.space_data.view_type == "PREVIEW":
        return
    faults = [
        f"{card.request.title}: {card.fault.message}" for card in state.open_cards if card.fault
    ]
    if faults:
        self.layout.label(text=f"Fresco: {faults[0][:60]} …", icon="ERROR", translate=False)
    cards = [card for card in state.cards.values() if card.is_open and card.fault is None]
    if not cards:
        return
    share = sum(card.share for card in cards) / len(cards)
    is_held = all(card.is_withdrawn for card in cards)
    text = "Fresco waits: Restyle was undone" if is_held else f"Fresco {share:.0%}"
    if hasattr(self.layout, "progress"):
        self.layout.progress(factor=share, text=text, translate=False)
    else:
        self.layout.label(text=text, translate=False)


CLASSES = (FRESCO_MT_menu,)
language.plain(CLASSES)


def register() -> None:
    """Add them."""
    for kind in CLASSES:
        bpy.utils.register_class(kind)
    for name in MENUS:
        getattr(bpy.types, name).append(draw_entry)
    bpy.types.SEQUENCER_HT_header.append(draw_header)


def unregister() -> None:
    """Take them away."""
    bpy.types.SEQUENCER_HT_header.remove(draw_header)
    for name in MENUS:
        getattr(bpy.types, name).remove(draw_entry)
    for kind in CLASSES:
        bpy.utils.unregister_class(kind)
