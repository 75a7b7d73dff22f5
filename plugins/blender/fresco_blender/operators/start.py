"""Restyle, look, and what has to be there for it."""

# No `from __future__ import annotations`: Blender reads these annotations as values.

import bpy
from bpy.props import BoolProperty, StringProperty
from fresco_client import ClientError

from .. import extract, looks, selection, source, vse
from ..state import state
from ..submission import begin, daemon_worker
from .base import SequencerOperator


class FRESCO_OT_restyle(SequencerOperator, bpy.types.Operator):
    """Restyle the selected strips; the results appear above them, the strips stay"""

    bl_idname = "fresco.restyle"
    bl_label = "Restyle Strips"
    obstacle = staticmethod(selection.restyle_obstacle)

    def execute(self, context):
        scene = vse.scene_of(context)
        if state.look_picture is None:
            source.draw_seed(scene.fresco)  # else the look is what is wanted
        looks.clear(scene)
        state.look_picture = None
        started = 0
        for strip in selection.targets(context):
            try:
                begin(strip, scene, source.prepare_request(strip, scene))
                started += 1
            except source.StripUnsuitable as error:
                self.report({"ERROR"}, str(error))
        if not started:
            return {"CANCELLED"}
        self.report({"INFO"}, f"Fresco restyles {started} strip{'s' if started > 1 else ''}")
        return {"FINISHED"}


class FRESCO_OT_look(SequencerOperator, bpy.types.Operator):
    """Restyle only the frame under the playhead, to try a prompt in seconds"""

    bl_idname = "fresco.look"
    bl_label = "Look at One Frame"
    obstacle = staticmethod(selection.look_obstacle)

    def execute(self, context):
        scene = vse.scene_of(context)
        strip = selection.look_target(context)
        source.draw_seed(scene.fresco)
        try:
            prepared = source.prepare_look(strip, scene, scene.frame_current)
            command = None
            if prepared.needs_render:
                looks.clear(scene)
                command = extract.render_command(strip, scene, prepared.request)
        except (source.StripUnsuitable, ClientError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        looks.remember_source(scene, strip)
        state.look_share, state.look_fault = 0.0, None
        daemon_worker().look(prepared.request, command)
        return {"FINISHED"}


class FRESCO_OT_clear_look(SequencerOperator, bpy.types.Operator):
    """Take the looked-at frame off the timeline"""

    bl_idname = "fresco.clear_look"
    bl_label = "Clear Look"

    def execute(self, context):
        looks.clear(vse.scene_of(context))
        state.look_picture, state.look_fault = None, None
        return {"FINISHED"}


class FRESCO_OT_choose_style(SequencerOperator, bpy.types.Operator):
    """Use this style"""

    bl_idname = "fresco.choose_style"
    bl_label = "Choose Style"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    style: StringProperty(options={"SKIP_SAVE"})

    def execute(self, context):
        vse.scene_of(context).fresco.style = self.style
        return {"FINISHED"}


class FRESCO_OT_connect(bpy.types.Operator):
    """Find the daemon, or start it on this machine"""

    bl_idname = "fresco.connect"
    bl_label = "Start Fresco"

    start: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, _context):
        daemon_worker().connect(start=self.start)
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
    bl_options = {"REGISTER", "INTERNAL"}
    text: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context):
        context.window_manager.clipboard = self.text
        return {"FINISHED"}


class FRESCO_OT_unload(bpy.types.Operator):
    """Free the memory that the daemon's idle devices hold"""

    bl_idname = "fresco.unload"
    bl_label = "Free Device Memory"

    def execute(self, _context):
        daemon_worker().release_memory()
        return {"FINISHED"}
