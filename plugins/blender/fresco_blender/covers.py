"""Hiding a source behind a keyframe or look that it would be seen through, while that is shown.

A cover is an effect of both that shows only the upper one: Blender shows no strip by itself where
an effect of it is shown. So nothing is changed on the source, and a cover that is muted, as in a
final render, or removed leaves no trace. Blender 3.4 goes on to show a source that is itself an
effect, a colour or a text.
"""

from __future__ import annotations

from typing import Any

from . import appearance, timeline, vse
from .core.request import RestyleRequest


def put_over(scene: Any, source: Any, aid: Any, request: RestyleRequest, channel: int) -> Any:
    """A cover that shows `aid` alone, mixed as the source is, in a channel above both."""
    below = _shown_below(scene, source, aid)
    holder = vse.container_of(scene, source)
    # Added with a factor of nothing: no transition, as those keep Blender from splitting strips.
    cover = vse.new_effect(holder, f"Over {source.name}", "ADD", channel, vse.span(aid), aid, below)
    cover.use_default_fade, cover.effect_fader = False, 0.0
    cover[timeline.COVER] = True
    cover.color_tag, cover.select = aid.color_tag, False
    appearance.copy_to_aid(scene, source, cover, request, is_in_place=True)
    return cover


def is_covered(scene: Any, aid: Any) -> bool:
    """Whether there is a cover of this already."""
    return any(cover.input_1 == aid for cover in timeline.covers(scene))


def _shown_below(scene: Any, source: Any, aid: Any) -> Any:
    """What is seen below: the last of earlier results, which is mixed as the source is, or that."""
    seen = vse.seen_as(source, scene)
    results = [
        strip
        for strip in vse.container_of(scene, source)
        if seen.channel < strip.channel < aid.channel
        and strip.get(timeline.RESULT_REQUEST) is not None
        and not strip.mute
        and vse.span(strip).cut_to(vse.span(aid)).length
    ]
    return max(results, key=lambda strip: strip.channel, default=seen)
