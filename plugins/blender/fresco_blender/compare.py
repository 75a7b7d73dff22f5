"""Comparing a result with its source: a wipe between the two, which playback shows."""

from __future__ import annotations

from typing import Any

from . import stack, timeline, vse
from .timeline import WIPE


def wipes(scene: Any) -> list[Any]:
    """The wipes there are."""
    return [strip for strip in vse.all_strips(scene) if strip.get(WIPE) is not None]


def source_below(scene: Any, result: Any) -> Any:
    """What a result was made from: the strip below it that has that name, else the nearest.

    None of ours is meant; None if there is no other.
    """
    holder, request = vse.container_of(scene, result), timeline.request_of(result)
    title = request.title if request else ""
    below = [
        strip
        for strip in holder
        if strip.channel < result.channel
        and strip.type != "SOUND"
        and not timeline.is_made_here(strip)
        and vse.span(strip).cut_to(vse.span(result)).length
    ]
    return max(below, key=lambda strip: (strip.name == title, strip.channel), default=None)


def toggle(scene: Any, result: Any, position: float) -> bool:
    """Put a wipe above a result, or take it away; whether there is one now.

    Raises:
        NoRoom: no channel is free.
        LookupError: there is nothing to compare with.
    """
    found = [strip for strip in wipes(scene) if strip.input_2 == result]
    if found:
        for strip in found:
            timeline.remove(scene, strip)
        stack.lower(scene, str(result.get(timeline.JOB)))
        return False
    source = source_below(scene, result)
    if source is None:
        raise LookupError("There is no source below this result to compare it with.")
    holder = vse.container_of(scene, result)
    job_id = str(result.get(timeline.JOB))
    channel = stack.make_room(scene, result, vse.span(result), result.channel, job_id)
    seen, lies = vse.seen_as(source, scene), vse.span(result)
    strip = vse.new_effect(holder, "Fresco wipe", "WIPE", channel, lies, seen, result)
    strip[WIPE] = True
    strip.transition_type, strip.blur_width = "SINGLE", 0.0
    strip.direction = "IN"
    strip.angle = 1.5707963
    strip.use_default_fade = False
    strip.effect_fader = position
    strip.color_tag = vse.COLOURS["look"]
    vse.show_scenes_anew()
    return True


def set_position(scene: Any, position: float) -> None:
    """Move all wipes."""
    for strip in wipes(scene):
        strip.effect_fader = position
