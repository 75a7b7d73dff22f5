"""Texts, bars and faults, as all panels and dialogues of ours draw them."""

from __future__ import annotations

import textwrap
from typing import Any

from .core.faults import PluginFault

_REMEDY_TEXTS = {
    "FOLLOW": ("Try Again", "FILE_REFRESH"),
    "SEND": ("Send Again", "FILE_REFRESH"),
    "RECONNECT": ("Reconnect", "FILE_REFRESH"),
    "START": ("Start Fresco", "PLAY"),
    "PREFERENCES": ("Open Preferences", "PREFERENCES"),
    "RESUME": ("Resume", "PLAY"),
    "PLACE": ("Place Result", "IMPORT"),
}
_BAR = 16


def draw_prop(layout: Any, owner: Any, name: str, **more: Any) -> None:
    """A property under its own title, whatever words Blender knows."""
    title = owner.bl_rna.properties[name].name
    layout.prop(owner, name, text=title, translate=False, **more)


def draw_progress(layout: Any, share: float, text: str) -> None:
    """A bar; before 4.0 there were none."""
    if hasattr(layout, "progress"):
        layout.progress(factor=share, text=text, translate=False)
        return
    done = round(share * _BAR)
    bar = f"{'█' * done}{'░' * (_BAR - done)} {share:.0%}"
    layout.label(text=bar, translate=False)
    layout.label(text=text, translate=False)


def draw_fault(layout: Any, context: Any, fault: PluginFault, job_id: str = "") -> None:
    """A sentence, and the button that may mend it."""
    column = layout.column(align=True)
    column.alert = True
    draw_text(column, context, fault.message, "ERROR")
    row = layout.row(align=True)
    _draw_remedy(row, fault, job_id)
    whole = f"{fault.message}\n{fault.details}" if fault.details else fault.message
    row.operator("fresco.copy_fault", text="", icon="COPYDOWN").text = whole


def _draw_remedy(row: Any, fault: PluginFault, job_id: str) -> None:
    if not fault.remedy:
        return
    text, icon = _REMEDY_TEXTS[fault.remedy]
    if fault.remedy == "PREFERENCES":
        row.operator("fresco.preferences", text=text, icon=icon)
    elif fault.remedy in {"START", "RECONNECT"}:
        row.operator("fresco.connect", text=text, icon=icon).start = True
    elif fault.remedy == "RESUME" and job_id:
        row.operator("fresco.resume", text=text, icon=icon).job_id = job_id
    elif fault.remedy == "PLACE" and job_id:
        row.operator("fresco.place", text=text, icon=icon).job_id = job_id
    elif job_id:
        row.operator("fresco.mend", text=text, icon=icon).job_id = job_id


def draw_text(layout: Any, context: Any, text: str, icon: str = "NONE") -> None:
    """A text over as many lines as the region's width asks for."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(text, _columns(context)) or [""]):
        mark = icon if number == 0 else ("BLANK1" if icon != "NONE" else "NONE")
        column.label(text=line, icon=mark, translate=False)


def _columns(context: Any) -> int:
    """How many letters fit; letters are about 6.6 points wide, and margins and icon need 60."""
    scale = context.preferences.system.ui_scale
    width = context.region.width if context.region else 280
    return max(int((width / scale - 60) / 6.6), 16)
