"""Entries in the sequencer's own menus."""

from __future__ import annotations

from typing import Any

import bpy

from . import timeline, vse
from .state import state

MENUS = ("SEQUENCER_MT_strip", "SEQUENCER_MT_context_menu", "SEQUENCER_MT_preview_context_menu")


def draw_entries(self: Any, context: Any) -> None:
    """What can be done with the selected strips."""
    layout = self.layout
    layout.separator()
    layout.operator_context = "INVOKE_DEFAULT"
    layout.operator("fresco.restyle", icon="BRUSH_DATA")
    layout.operator("fresco.look", icon="HIDE_OFF")
    if timeline.request_of(vse.active_strip(context)) is not None:
        layout.operator("fresco.redo", icon="FILE_REFRESH")
        layout.operator("fresco.reroll", icon="KEYFRAME_HLT")
        layout.operator("fresco.compare", icon="ARROW_LEFTRIGHT")


def draw_header(self: Any, context: Any) -> None:
    """How far the jobs are, where the sidebar is closed."""
    if context.space_data.view_type == "PREVIEW":
        return
    cards = [card for card in state.cards.values() if card.is_open and card.fault is None]
    if cards:
        share = sum(card.share for card in cards) / len(cards)
        text = f"Fresco {share:.0%}"
        if hasattr(self.layout, "progress"):
            self.layout.progress(factor=share, text=text)
        else:
            self.layout.label(text=text)


def register() -> None:
    """Add them."""
    for name in MENUS:
        getattr(bpy.types, name).append(draw_entries)
    bpy.types.SEQUENCER_HT_header.append(draw_header)


def unregister() -> None:
    """Take them away."""
    bpy.types.SEQUENCER_HT_header.remove(draw_header)
    for name in MENUS:
        getattr(bpy.types, name).remove(draw_entries)
