"""Presets of all settings, by Blender's own system."""

# No `from __future__ import annotations`: Blender reads annotations of these classes.

import bpy
from bl_operators.presets import AddPresetBase
from bl_ui.utils import PresetPanel
from bpy.types import Menu, Operator, Panel

from . import language
from .properties import PRESET_NAMES

FOLDER = "fresco"
# Whole expressions: names that `preset_defines` gives are lost where a Blender runs on Python 3.13.
_SETTINGS = "(getattr(bpy.context, 'sequencer_scene', None) or bpy.context.scene).fresco"


class FRESCO_MT_presets(Menu):
    """Presets of Fresco"""

    bl_label = "Fresco Presets"
    preset_subdir = FOLDER
    preset_operator = "script.execute_preset"
    draw = Menu.draw_preset


class FRESCO_OT_add_preset(AddPresetBase, Operator):
    """Keep these settings as a preset, or remove one"""

    bl_idname = "fresco.add_preset"
    bl_label = "Add Fresco Preset"
    preset_menu = "FRESCO_MT_presets"
    preset_subdir = FOLDER
    preset_values = [f"{_SETTINGS}.{name}" for name in PRESET_NAMES]


class FRESCO_PT_presets(PresetPanel, Panel):
    """Presets in the header of the panel."""

    bl_label = "Fresco Presets"
    bl_space_type = "SEQUENCE_EDITOR"
    preset_subdir = FOLDER
    preset_operator = "script.execute_preset"
    preset_add_operator = "fresco.add_preset"


CLASSES = (FRESCO_MT_presets, FRESCO_OT_add_preset, FRESCO_PT_presets)
language.plain(CLASSES)
register, unregister = bpy.utils.register_classes_factory(CLASSES)
