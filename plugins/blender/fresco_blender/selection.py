"""What is selected in the sequencer, and why something cannot be done with it now."""

from __future__ import annotations

from typing import Any

from . import compare, source, timeline, vse
from .core.timing import nearest
from .state import state

_NO_WORDS = "Type a prompt or choose a style first"


def targets(context: Any) -> list[Any]:
    """Selected strips that have a picture and were not made by us; else the active one.

    Of a keyframe, look or wipe what it lies over is meant.
    """
    chosen = [
        strip
        for strip in vse.selected_strips(context)
        if strip.type != "SOUND" and not timeline.is_made_here(strip)
    ]
    active = vse.active_strip(context)
    if active is not None and timeline.is_aid(active):
        active = compare.source_below(vse.scene_of(context), active)
    if not chosen and active is not None and active.type != "SOUND":
        chosen = [active]
    return chosen


def look_target(context: Any) -> Any:
    """The active strip, or what lies below it if it is one of ours."""
    active = vse.active_strip(context)
    if active is not None and timeline.is_made_here(active):
        return compare.source_below(vse.scene_of(context), active)
    return active


def keyframe_at_playhead(context: Any) -> int | None:
    """The keyframe of the active result nearest to the playhead, by its source frame."""
    scene, result = vse.scene_of(context), vse.active_strip(context)
    if result is None or result.get(timeline.KEYFRAMES) is None:
        return None
    if not vse.left(result) <= scene.frame_current < vse.right(result):
        return None
    index = scene.frame_current - vse.timing(result).origin + int(result[timeline.START])
    return nearest([int(keyframe) for keyframe in result[timeline.KEYFRAMES]], index)


def sequencer_obstacle(context: Any) -> str:
    """Why nothing can be done in the sequencer; empty if something can."""
    scene = vse.scene_of(context)
    if scene is None or scene.sequence_editor is None:
        return "Add a strip to the sequencer first"
    return "Blender is rendering; wait until it is done" if vse.is_rendering() else ""


def restyle_obstacle(context: Any) -> str:
    """Why the selected strips cannot be restyled; empty if they can."""
    reason = sequencer_obstacle(context)
    if reason:
        return reason
    scene = vse.scene_of(context)
    strips = targets(context) or [look_target(context)]
    reason = next(filter(None, (source.why_not(strip, scene) for strip in strips)), "")
    return reason or ("" if _has_words(scene.fresco) else _NO_WORDS)


def look_obstacle(context: Any) -> str:
    """Why the frame under the playhead cannot be looked at; empty if it can."""
    reason = sequencer_obstacle(context)
    if reason:
        return reason
    scene, strip = vse.scene_of(context), look_target(context)
    reason = source.why_not(strip, scene)
    if reason:
        return reason
    if not vse.left(strip) <= scene.frame_current < vse.right(strip):
        return "Put the playhead onto the selected strip first"
    return "" if _has_words(scene.fresco) else _NO_WORDS


def result_obstacle(context: Any) -> str:
    """Why nothing can be done with the active strip as a result; empty if something can."""
    reason = sequencer_obstacle(context)
    if not reason and timeline.request_of(vse.active_strip(context)) is None:
        return "Select a result of Fresco first"
    return reason


def reroll_obstacle(context: Any) -> str:
    """Why no keyframe of the active result can be made anew; empty if one can."""
    reason = result_obstacle(context)
    if reason:
        return reason
    if _is_being_remade(vse.active_strip(context)):
        return "A keyframe of this result is being made anew; wait until it is there"
    if keyframe_at_playhead(context) is None:
        return "Put the playhead onto the result first"
    return ""


def _has_words(settings: Any) -> bool:
    return bool(settings.prompt.strip() or settings.style.strip())


def _is_being_remade(result: Any) -> bool:
    """Whether another reroll is under way, which would not know of this one."""
    job_id = result.get(timeline.JOB)
    return any(
        card.is_open and card.fault is None and card.request.replaces == job_id
        for card in state.cards.values()
    )
