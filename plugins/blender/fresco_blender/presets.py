"""Presets of all settings, by Blender's own system."""

# No `from __future__ import annotations`: Blender reads annotations of these classes.

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy
from bl_operators.presets import AddPresetBase
from bl_ui.utils import PresetPanel
from bpy.types import Menu, Operator, Panel

from . import language
from .properties import PRESET_NAMES

FOLDER = "fresco"
# Whole expressions: names that `preset_defines` gives are lost where a Blender runs on Python 3.13.
_SETTINGS = "(getattr(bpy.context, 'sequencer_scene', None) or bpy.context.scene).fresco"


class _Presets:
    layout: Any  # of Blender's classes
    preset_subdir = FOLDER
    preset_operator = "script.execute_preset"

    def path_menu(self, searchpaths: Iterable[str], operator: str, **given: Any):
        if not any(any(Path(path).glob("*.py")) for path in searchpaths):
            self.layout.label(text="None is kept yet: name these settings", translate=False)
        # Of a list that is empty Blender says "Missing Paths"; an iterator never is.
        Menu.path_menu(self, iter(searchpaths), operator, **given)


class FRESCO_MT_presets(_Presets, Menu):
    """Presets of Fresco"""

    bl_label = "Fresco Presets"
    draw = Menu.draw_preset


class FRESCO_OT_add_preset(AddPresetBase, Operator):
    """Keep these settings as a preset, or remove one"""

    bl_idname = "fresco.add_preset"
    bl_label = "Add Fresco Preset"
    preset_menu = "FRESCO_MT_presets"
    preset_subdir = FOLDER
    preset_values = [f"{_SETTINGS}.{name}" for name in PRESET_NAMES]


class FRESCO_PT_presets(_Presets, PresetPanel, Panel):
    """Presets in the header of the panel."""

    bl_label = "Fresco Presets"
    bl_space_type = "SEQUENCE_EDITOR"
    preset_add_operator = "fresco.add_preset"


CLASSES = (FRESCO_MT_presets, FRESCO_OT_add_preset, FRESCO_PT_presets)
language.plain(CLASSES)
register, unregister = bpy.utils.register_classes_factory(CLASSES)
