"""What can be done with a result."""

# No `from __future__ import annotations`: Blender reads these annotations as values.

import uuid
from dataclasses import replace

import bpy
from bpy.props import StringProperty

from .. import compare, selection, source, submission, timeline, vse
from ..core.card import JobCard
from ..panels import draw_words
from ..state import state
from .base import SequencerOperator


class _ResultOperator(SequencerOperator):
    obstacle = staticmethod(selection.result_obstacle)


class FRESCO_OT_redo(_ResultOperator, bpy.types.Operator):
    """Restyle this result's source with other settings; this result stays, below the new one"""

    bl_idname = "fresco.redo"
    bl_label = "Redo with Changes"

    def invoke(self, context, _event):
        scene, result = vse.scene_of(context), vse.active_strip(context)
        request = timeline.request_of(result)
        if request is None:
            return {"CANCELLED"}
        self.former = source.kept_settings(scene.fresco)
        source.show_request(scene.fresco, request)
        scene.fresco.is_seed_locked = True
        return context.window_manager.invoke_props_dialog(self, width=420)

    def cancel(self, context):
        source.restore_settings(vse.scene_of(context).fresco, self.former)

    def draw(self, context):
        column = self.layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        draw_words(column, vse.scene_of(context).fresco)

    def execute(self, context):
        scene, result = vse.scene_of(context), vse.active_strip(context)
        below = compare.source_below(scene, result)
        if below is None:
            self.report({"ERROR"}, "The source of this result is no longer below it.")
            return {"CANCELLED"}
        source.draw_seed(scene.fresco)
        try:
            submission.begin(below, scene, source.prepare_request(below, scene))
        except source.StripUnsuitable as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class FRESCO_OT_reroll(_ResultOperator, bpy.types.Operator):
    """Make the keyframe nearest to the playhead anew; only frames that depend on it change"""

    bl_idname = "fresco.reroll"
    bl_label = "Reroll This Keyframe"
    obstacle = staticmethod(selection.reroll_obstacle)
    bl_options = {"UNDO"}  # changing words afterwards would start a job for every letter

    words: StringProperty(
        name="Words",
        description="Words added to the prompt for this keyframe; empty: as before",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context, _event):
        return context.window_manager.invoke_props_dialog(self, width=360)

    def execute(self, context):
        result = vse.active_strip(context)
        request, index = timeline.request_of(result), selection.keyframe_at_playhead(context)
        if request is None or index is None:
            return {"CANCELLED"}
        again = replace(
            source.moved_here(request), job_id=uuid.uuid4().hex, replaces=request.job_id
        )
        card = JobCard(again)
        state.cards[again.job_id] = card
        timeline.mark(result, again)
        result.color_tag = vse.COLOURS["remade"]
        submission.daemon_worker().reroll(again, request.job_id, index, self.words.strip() or None)
        self.report({"INFO"}, f"Fresco makes keyframe {index} anew")
        return {"FINISHED"}


class FRESCO_OT_compare(_ResultOperator, bpy.types.Operator):
    """Wipe between this result and its source; the same again takes the wipe away"""

    bl_idname = "fresco.compare"
    bl_label = "Wipe to Source"

    def execute(self, context):
        scene = vse.scene_of(context)
        try:
            compare.toggle(scene, vse.active_strip(context), scene.fresco.wipe)
        except (LookupError, timeline.NoRoom) as error:
            self.report({"ERROR"}, str(error).strip("'"))
            return {"CANCELLED"}
        return {"FINISHED"}
