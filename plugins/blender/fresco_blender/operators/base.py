"""What the buttons of the sequencer have in common."""

# No `from __future__ import annotations`: Blender reads these annotations as values.

from typing import Any

from .. import compare, pulse, vse


class SequencerOperator:
    poll_message_set: Any  # of bpy.types.Operator
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


def has_words(settings: Any) -> bool:
    return bool(settings.prompt.strip() or settings.style.strip())


def targets(context: Any) -> list[Any]:
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


def look_target(context: Any) -> Any:
    """The active strip, or what lies below it if it is one of ours."""
    active = vse.active_strip(context)
    if active is not None and compare.timeline_made(active):
        return compare.source_below(vse.scene_of(context), active)
    return active
