"""Buttons and menu entries."""

# No `from __future__ import annotations`: Blender reads these annotations as values.

import uuid
from dataclasses import replace
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty
from fresco_client import ClientError, Job

from . import compare, extract, looks, pulse, source, timeline, vse
from .core.card import JobCard
from .core.order import Order
from .core.timing import nearest
from .state import state


class _SequencerOperator:
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        reason = cls.obstacle(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    @classmethod
    def obstacle(cls, context: Any) -> str:
        """Why the button is grey; empty if it is not."""
        scene = vse.scene_of(context)
        if scene is None or scene.sequence_editor is None:
            return "Add a strip to the sequencer first"
        if pulse.is_rendering():
            return "Blender is rendering; wait until it is done"
        return ""


def _has_words(settings: Any) -> bool:
    return bool(settings.prompt.strip() or settings.style.strip())


class FRESCO_OT_restyle(_SequencerOperator, bpy.types.Operator):
    """Restyle the selected strips; the results appear above them, the strips stay"""

    bl_idname = "fresco.restyle"
    bl_label = "Restyle Strips"

    @classmethod
    def obstacle(cls, context):
        reason = super().obstacle(context)
        if reason:
            return reason
        scene = vse.scene_of(context)
        strips = _targets(context)
        if not strips:
            return source.why_not(vse.active_strip(context), scene)
        reason = next(filter(None, (source.why_not(strip, scene) for strip in strips)), "")
        if not reason and not _has_words(scene.fresco):
            return "Type a prompt or choose a style first"
        return reason

    def execute(self, context):
        scene = vse.scene_of(context)
        looks.clear(scene)
        source.draw_seed(scene.fresco)
        started = 0
        for strip in _targets(context):
            try:
                pulse.begin(strip, scene, source.wish_for(strip, scene))
                started += 1
            except source.CannotRestyle as error:
                self.report({"ERROR"}, str(error))
        if not started:
            return {"CANCELLED"}
        self.report({"INFO"}, f"Fresco restyles {started} strip{'s' if started > 1 else ''}")
        return {"FINISHED"}


def _targets(context: Any) -> list[Any]:
    """Selected strips that have a picture and were not made by us; else the active one."""
    chosen = [
        strip
        for strip in vse.selected_strips(context)
        if strip.type != "SOUND" and not compare.timeline_made(strip)
    ]
    active = vse.active_strip(context)
    if not chosen and active is not None and active.type != "SOUND":
        chosen = [active]
    return chosen


class FRESCO_OT_look(_SequencerOperator, bpy.types.Operator):
    """Restyle only the frame under the playhead, to try a prompt in seconds"""

    bl_idname = "fresco.look"
    bl_label = "Look at One Frame"

    @classmethod
    def obstacle(cls, context):
        reason = super().obstacle(context)
        if reason:
            return reason
        scene = vse.scene_of(context)
        strip = _look_target(context)
        reason = source.why_not(strip, scene)
        if reason:
            return reason
        if not vse.left(strip) <= scene.frame_current < vse.right(strip):
            return "Put the playhead onto the selected strip first"
        return "" if _has_words(scene.fresco) else "Type a prompt or choose a style first"

    def execute(self, context):
        scene = vse.scene_of(context)
        strip = _look_target(context)
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


def _look_target(context: Any) -> Any:
    """The active strip, or what lies below it if it is one of ours."""
    active = vse.active_strip(context)
    if active is not None and compare.timeline_made(active):
        return compare.source_below(vse.scene_of(context), active)
    return active


class FRESCO_OT_clear_look(_SequencerOperator, bpy.types.Operator):
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
        bpy.ops.preferences.addon_show(module=__package__)
        return {"FINISHED"}


class _JobOperator:
    bl_options = {"REGISTER", "INTERNAL"}
    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @property
    def card(self) -> "JobCard | None":
        """The job that is meant, if it is still there."""
        return state.cards.get(self.job_id)


class FRESCO_OT_cancel(_JobOperator, bpy.types.Operator):
    """End this job for good; what it has made on the timeline is removed"""

    bl_idname = "fresco.cancel"
    bl_label = "Cancel Job"
    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, _context):
        card = self.card
        if card is None:
            return {"CANCELLED"}
        if card.state is not None and not card.state.is_ended:
            pulse.desk().cancel(self.job_id)
        else:
            if card.phase in {"sending", "rendering"}:
                pulse.desk().cancel(self.job_id)
            pulse.forget(self.job_id)
        return {"FINISHED"}


class FRESCO_OT_pause(_JobOperator, bpy.types.Operator):
    """Stop this job so that it can go on later; the device is free meanwhile"""

    bl_idname = "fresco.pause"
    bl_label = "Pause Job"
    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, _context):
        pulse.desk().pause(self.job_id)
        return {"FINISHED"}


class FRESCO_OT_resume(_JobOperator, bpy.types.Operator):
    """Let this job go on where it was"""

    bl_idname = "fresco.resume"
    bl_label = "Resume Job"
    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, _context):
        if self.card is None:
            return {"CANCELLED"}
        pulse.desk().resume(self.card.order, self.card.last_sequence)
        return {"FINISHED"}


class FRESCO_OT_mend(_JobOperator, bpy.types.Operator):
    """Try again what failed"""

    bl_idname = "fresco.mend"
    bl_label = "Try Again"
    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, _context):
        card = self.card
        if card is None:
            return {"CANCELLED"}
        if card.fault is not None and card.fault.remedy == "SEND":
            pulse.send_again(card)
        else:
            pulse.attach(card)
        return {"FINISHED"}


class FRESCO_OT_place(_JobOperator, _SequencerOperator, bpy.types.Operator):
    """Put this job's result above the active strip"""

    bl_idname = "fresco.place"
    bl_label = "Place Result"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}
    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context):
        scene, strip = vse.scene_of(context), vse.active_strip(context)
        card = self.card or _card_of_history(self.job_id, strip)
        if card is None:
            self.report({"ERROR"}, "Select the strip that the result belongs to first.")
            return {"CANCELLED"}
        if not timeline.sources(scene, card.job_id):
            if strip is None:
                self.report({"ERROR"}, "Select the strip that the result belongs to first.")
                return {"CANCELLED"}
            timeline.mark(strip, card.order)
        card.fault = None
        if card.result is None or not card.result.exists():
            state.cards[card.job_id] = card
            card.phase = "working"
            pulse.desk().follow(card.order)
        elif not pulse.place(card):
            self.report({"ERROR"}, card.fault.message if card.fault else "It cannot be placed.")
            return {"CANCELLED"}
        return {"FINISHED"}


def _card_of_history(job_id: str, strip: Any) -> "JobCard | None":
    """A job that this file knows nothing of, to be placed on a strip."""
    job = next((job for job in state.history if job.id == job_id), None)
    if job is None or strip is None:
        return None
    order = order_of(job)
    lies = vse.timing(strip)
    lead = lies.left - lies.origin if order.is_sequence else order.start
    return JobCard(replace(order, lead=lead), phase="working")


def order_of(job: Job) -> Order:
    """A job of the daemon as an order."""
    chosen = _set_by_hand(job)
    clip, output = job.clip, job.output
    kind = output.kind if output else None
    is_sequence = bool(job.clip_info and job.clip_info.is_sequence)
    begin = job.plan.start if job.plan else chosen.get("start") or 0
    end = job.plan.stop if job.plan else chosen.get("stop") or 0
    return Order(
        job_id=job.id,
        title=job.title or "Fresco",
        path=(clip.path or "") if clip else "",
        is_sequence=is_sequence,
        start=begin,
        stop=end,
        lead=0,
        settings={name: chosen[name] for name in chosen if name not in {"start", "stop"}},
        model=job.model.source if job.model else "",
        output={"lossless": "LOSSLESS", "frames": "FRAMES"}.get(kind or "", "MOVIE"),
        folder=str(source.output_folder()),
    )


def _set_by_hand(job: Job) -> dict[str, Any]:
    if job.settings is None:
        return {}
    found = {}
    for name, value in vars(job.settings).items():
        if value is None or name in {"attention", "optimisation", "smoothing", "keyframe_seeds"}:
            continue
        if name == "keyframe_prompts":
            value = {str(index): words for index, words in value.items()}
        found[name] = value
    return found


class FRESCO_OT_reuse(_JobOperator, _SequencerOperator, bpy.types.Operator):
    """Put this job's settings into the panel"""

    bl_idname = "fresco.reuse"
    bl_label = "Use These Settings"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}
    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context):
        job = next((job for job in state.history if job.id == self.job_id), None)
        if job is None:
            return {"CANCELLED"}
        order = order_of(job)
        settings = vse.scene_of(context).fresco
        source.show_settings(settings, dict(order.settings), order.model)
        settings.is_seed_locked = True
        return {"FINISHED"}


class FRESCO_OT_delete(_JobOperator, bpy.types.Operator):
    """Remove this job and all it has made at the daemon; results that were fetched stay"""

    bl_idname = "fresco.delete"
    bl_label = "Delete Job"
    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context, event):
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, _context):
        pulse.desk().delete(self.job_id)
        return {"FINISHED"}


class FRESCO_OT_refresh(bpy.types.Operator):
    """Ask the daemon for its jobs and models again"""

    bl_idname = "fresco.refresh"
    bl_label = "Refresh"

    def execute(self, _context):
        pulse.desk().connect(start=False)
        return {"FINISHED"}


class _ResultOperator(_SequencerOperator):
    @classmethod
    def obstacle(cls, context):
        reason = super().obstacle(context)
        if not reason and timeline.recipe_of(vse.active_strip(context)) is None:
            return "Select a result of Fresco first"
        return reason


class FRESCO_OT_redo(_ResultOperator, bpy.types.Operator):
    """Restyle this result's source again with other settings; this result stays below the new one"""

    bl_idname = "fresco.redo"
    bl_label = "Redo with Changes"

    def invoke(self, context, _event):
        scene, result = vse.scene_of(context), vse.active_strip(context)
        order = timeline.recipe_of(result)
        source.show_settings(scene.fresco, dict(order.settings), order.model)
        scene.fresco.is_seed_locked = True
        return context.window_manager.invoke_props_dialog(self, width=420)

    def draw(self, context):
        from .panels import draw_words

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
            pulse.begin(below, scene, source.wish_for(below, scene))
        except source.CannotRestyle as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class FRESCO_OT_reroll(_ResultOperator, bpy.types.Operator):
    """Make the keyframe nearest to the playhead anew; only frames that depend on it change"""

    bl_idname = "fresco.reroll"
    bl_label = "Reroll This Keyframe"

    words: StringProperty(
        name="Words", description="Words added to the prompt for this keyframe; empty: as before"
    )

    @classmethod
    def obstacle(cls, context):
        reason = super().obstacle(context)
        if not reason and keyframe_at_playhead(context) is None:
            return "Put the playhead onto the result first"
        return reason

    def execute(self, context):
        scene, result = vse.scene_of(context), vse.active_strip(context)
        order, index = timeline.recipe_of(result), keyframe_at_playhead(context)
        if order is None or index is None:
            return {"CANCELLED"}
        again = replace(order, job_id=uuid.uuid4().hex, replaces=order.job_id)
        card = JobCard(again)
        state.cards[again.job_id] = card
        timeline.mark(result, again)
        result.color_tag = vse.COLOURS["remade"]
        pulse.desk().reroll(again, order.job_id, index, self.words.strip() or None)
        self.report({"INFO"}, f"Fresco makes keyframe {index} anew")
        return {"FINISHED"}


def keyframe_at_playhead(context: Any) -> "int | None":
    """The keyframe of the active result nearest to the playhead, by its source frame."""
    scene, result = vse.scene_of(context), vse.active_strip(context)
    if result is None or result.get(timeline.KEYFRAMES) is None:
        return None
    if not vse.left(result) <= scene.frame_current < vse.right(result):
        return None
    index = scene.frame_current - vse.timing(result).origin + int(result[timeline.START])
    return nearest([int(keyframe) for keyframe in result[timeline.KEYFRAMES]], index)


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


class FRESCO_OT_pick_mask(_SequencerOperator, bpy.types.Operator):
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


def register():
    for kind in CLASSES:
        bpy.utils.register_class(kind)


def unregister():
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
