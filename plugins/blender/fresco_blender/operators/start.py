"""Restyle, look, and what has to be there for it."""

# No `from __future__ import annotations`: Blender reads these annotations as values.

from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty
from fresco_client import ClientError

from .. import extract, looks, pulse, source, vse
from ..state import state
from .base import SequencerOperator, has_words, look_target, targets


class FRESCO_OT_restyle(SequencerOperator, bpy.types.Operator):
    """Restyle the selected strips; the results appear above them, the strips stay"""

    bl_idname = "fresco.restyle"
    bl_label = "Restyle Strips"

    @classmethod
    def obstacle(cls, context: Any) -> str:
        reason = super().obstacle(context)
        if reason:
            return reason
        scene = vse.scene_of(context)
        strips = targets(context)
        if not strips:
            return source.why_not(vse.active_strip(context), scene)
        reason = next(filter(None, (source.why_not(strip, scene) for strip in strips)), "")
        if not reason and not has_words(scene.fresco):
            return "Type a prompt or choose a style first"
        return reason

    def execute(self, context):
        scene = vse.scene_of(context)
        if state.look_picture is None:
            source.draw_seed(scene.fresco)  # else the look is what is wanted
        looks.clear(scene)
        state.look_picture = None
        started = 0
        for strip in targets(context):
            try:
                pulse.begin(strip, scene, source.wish_for(strip, scene))
                started += 1
            except source.CannotRestyle as error:
                self.report({"ERROR"}, str(error))
        if not started:
            return {"CANCELLED"}
        self.report({"INFO"}, f"Fresco restyles {started} strip{'s' if started > 1 else ''}")
        return {"FINISHED"}


class FRESCO_OT_look(SequencerOperator, bpy.types.Operator):
    """Restyle only the frame under the playhead, to try a prompt in seconds"""

    bl_idname = "fresco.look"
    bl_label = "Look at One Frame"

    @classmethod
    def obstacle(cls, context: Any) -> str:
        reason = super().obstacle(context)
        if reason:
            return reason
        scene = vse.scene_of(context)
        strip = look_target(context)
        reason = source.why_not(strip, scene)
        if reason:
            return reason
        if not vse.left(strip) <= scene.frame_current < vse.right(strip):
            return "Put the playhead onto the selected strip first"
        return "" if has_words(scene.fresco) else "Type a prompt or choose a style first"

    def execute(self, context):
        scene = vse.scene_of(context)
        strip = look_target(context)
        source.draw_seed(scene.fresco)
        try:
            wish = source.look_wish(strip, scene, scene.frame_current)
            command = None
            if wish.needs_render:
                looks.clear(scene)
                command = extract.render_command(strip, scene, wish.order)
        except (source.CannotRestyle, ClientError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        looks.aim(scene, strip)
        state.look_share, state.look_fault = 0.0, None
        pulse.desk().look(wish.order, command)
        return {"FINISHED"}


class FRESCO_OT_clear_look(SequencerOperator, bpy.types.Operator):
    """Take the looked-at frame off the timeline"""

    bl_idname = "fresco.clear_look"
    bl_label = "Clear Look"

    def execute(self, context):
        looks.clear(vse.scene_of(context))
        state.look_picture, state.look_fault = None, None
        return {"FINISHED"}


class FRESCO_OT_connect(bpy.types.Operator):
    """Find the daemon, or start it on this machine"""

    bl_idname = "fresco.connect"
    bl_label = "Start Fresco"

    start: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, _context):
        pulse.desk().connect(start=self.start)
        return {"FINISHED"}


class FRESCO_OT_preferences(bpy.types.Operator):
    """Show the add-on's preferences: command, data folder, a daemon on another machine"""

    bl_idname = "fresco.preferences"
    bl_label = "Open Preferences"

    def execute(self, _context):
        bpy.ops.preferences.addon_show(module=__name__.rpartition(".operators")[0])
        return {"FINISHED"}


class FRESCO_OT_pick_mask(SequencerOperator, bpy.types.Operator):
    """Use the active strip as mask: select the mask strip, then press this"""

    bl_idname = "fresco.pick_mask"
    bl_label = "Mask from Active Strip"

    def execute(self, context):
        strip = vse.active_strip(context)
        if strip is None or strip.type == "SOUND":
            self.report({"ERROR"}, "Select the strip to be used as mask first.")
            return {"CANCELLED"}
        vse.scene_of(context).fresco.mask = strip.name
        return {"FINISHED"}


class FRESCO_OT_copy_fault(bpy.types.Operator):
    """Copy the whole error with its log lines, for a report"""

    bl_idname = "fresco.copy_fault"
    bl_label = "Copy Error"
    text: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context):
        context.window_manager.clipboard = self.text
        return {"FINISHED"}


class FRESCO_OT_unload(bpy.types.Operator):
    """Free the memory that the daemon's idle devices hold"""

    bl_idname = "fresco.unload"
    bl_label = "Free Device Memory"

    def execute(self, _context):
        pulse.desk().release_memory()
        return {"FINISHED"}
