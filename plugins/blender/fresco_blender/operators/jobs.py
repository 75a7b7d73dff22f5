"""Buttons of jobs, of this file and of the history."""

# No `from __future__ import annotations`: Blender reads these annotations as values.

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from fresco_client import Job, values_of

from .. import placing, source, submission, timeline, vse
from ..core.card import JobCard
from ..core.request import OutputChoice, RestyleRequest
from ..result_placer import needs_operator
from ..state import state
from ..submission import daemon_worker
from .base import JobOperator, SequencerOperator

_OUTPUTS: dict[str, OutputChoice] = {"lossless": "LOSSLESS", "frames": "FRAMES"}
_NOT_REPEATED = frozenset({"start", "stop", "keyframe_seeds"})
"""What a strip says itself, or what would make the same again."""


class FRESCO_OT_cancel(JobOperator, bpy.types.Operator):
    """End this job for good; what it has made on the timeline is removed"""

    bl_idname = "fresco.cancel"
    bl_label = "Cancel Job"

    def execute(self, _context):
        if self.card is None:
            return {"CANCELLED"}
        submission.cancel(self.card)
        if not self.card.is_at_work:
            placing.forget(self.job_id)
        return {"FINISHED"}


class FRESCO_OT_cancel_all(bpy.types.Operator):
    """End all jobs of this file that are not finished; results that are placed stay"""

    bl_idname = "fresco.cancel_all"
    bl_label = "Cancel All Jobs"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Any) -> bool:
        if not state.open_cards:
            cls.poll_message_set("No job of this file is under way")
        return bool(state.open_cards)

    def invoke(self, context, event):
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, _context):
        for card in state.open_cards:
            submission.cancel(card)
            if not card.is_at_work:
                placing.forget(card.job_id)
        return {"FINISHED"}


class FRESCO_OT_pause(JobOperator, bpy.types.Operator):
    """Stop this job so that it can go on later; the device is free meanwhile"""

    bl_idname = "fresco.pause"
    bl_label = "Pause Job"

    def execute(self, _context):
        daemon_worker().pause(self.job_id)
        return {"FINISHED"}


class FRESCO_OT_resume(JobOperator, bpy.types.Operator):
    """Let this job go on where it was"""

    bl_idname = "fresco.resume"
    bl_label = "Resume Job"

    def execute(self, _context):
        if self.card is None:
            return {"CANCELLED"}
        daemon_worker().resume(self.card.request, self.card.last_sequence)
        return {"FINISHED"}


class FRESCO_OT_mend(JobOperator, bpy.types.Operator):
    """Try again what failed"""

    bl_idname = "fresco.mend"
    bl_label = "Try Again"

    def execute(self, _context):
        card = self.card
        if card is None:
            return {"CANCELLED"}
        if card.fault is not None and card.fault.remedy == "SEND":
            submission.send_again(card)
        else:
            submission.attach(card)
        return {"FINISHED"}


class FRESCO_OT_place(JobOperator, SequencerOperator, bpy.types.Operator):
    """Put this job's result above the active strip"""

    bl_idname = "fresco.place"
    bl_label = "Place Result"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

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
            if timeline.request_of(strip) is None:
                card.request = replace(card.request, replaces="")  # there is nothing to replace
            timeline.mark(strip, card.request)
        card.fault = None
        if card.result is None or not card.result.exists():
            state.cards[card.job_id] = card
            card.phase = "working"
            daemon_worker().follow(card.request)
        elif needs_operator(card.request):
            card.phase = "fetching"  # the timer places it at a moment that is safe
        elif not placing.place(card):
            self.report({"ERROR"}, card.fault.message if card.fault else "It cannot be placed.")
            return {"CANCELLED"}
        return {"FINISHED"}


def _card_of_history(job_id: str, strip: Any) -> "JobCard | None":
    """A job that this file knows nothing of, to be placed on a strip."""
    job = next((job for job in state.history if job.id == job_id), None)
    if job is None or strip is None:
        return None
    request = request_of_job(job)
    lies = vse.timing(strip)
    lead = lies.left - lies.origin if request.is_sequence else request.start
    return JobCard(replace(request, lead=lead), phase="working")


def request_of_job(job: Job) -> RestyleRequest:
    """A job of the daemon as a request."""
    chosen = values_of(job.settings) if job.settings else {}
    clip, output = job.clip, job.output
    kind = output.kind if output else None
    is_sequence = bool(job.clip_info and job.clip_info.is_sequence)
    begin = job.plan.start if job.plan else chosen.get("start") or 0
    end = job.plan.stop if job.plan else chosen.get("stop") or 0
    return RestyleRequest(
        job_id=job.id,
        title=job.title or "Fresco",
        path=(clip.path or "") if clip else "",
        is_sequence=is_sequence,
        start=begin,
        stop=end,
        lead=0,
        settings={name: chosen[name] for name in chosen if name not in _NOT_REPEATED},
        model=job.model.source if job.model else "",
        output=_OUTPUTS.get(kind, "MOVIE") if kind else "MOVIE",
        folder=str(source.output_folder()),
    )


class FRESCO_OT_reuse(JobOperator, SequencerOperator, bpy.types.Operator):
    """Put this job's settings into the panel"""

    bl_idname = "fresco.reuse"
    bl_label = "Use These Settings"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def execute(self, context):
        job = next((job for job in state.history if job.id == self.job_id), None)
        if job is None:
            return {"CANCELLED"}
        request = request_of_job(job)
        settings = vse.scene_of(context).fresco
        source.show_settings(settings, request.settings, request.model)
        settings.is_seed_locked = True
        return {"FINISHED"}


class FRESCO_OT_delete(JobOperator, bpy.types.Operator):
    """Remove this job and all it has made at the daemon; results that were fetched stay"""

    bl_idname = "fresco.delete"
    bl_label = "Delete Job"

    def invoke(self, context, event):
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, _context):
        card = self.card
        folder = Path(card.request.folder) if card else source.output_folder()
        daemon_worker().delete(self.job_id, folder)
        return {"FINISHED"}


class FRESCO_OT_refresh(bpy.types.Operator):
    """Ask the daemon for its jobs and models again"""

    bl_idname = "fresco.refresh"
    bl_label = "Refresh Jobs and Models"

    def execute(self, _context):
        daemon_worker().connect(start=False)
        return {"FINISHED"}
