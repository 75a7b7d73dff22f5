"""Looks on the timeline and as thumbnail: one restyled frame to choose prompt and strength by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from . import appearance, covers, stack, timeline, vse
from .core.request import RestyleRequest
from .core.timing import Span

_thumbnails: dict[str, Any] = {}
"""The one collection of pictures, once there is one."""


def show(request: RestyleRequest, path: Path) -> None:
    """Put a look over its strip at its frame, in place of the look before."""
    for scene in bpy.data.scenes:
        strip = next((s for s in vse.all_strips(scene) if s.get(timeline.LOOK) == "source"), None)
        clear(scene, keeps_source=strip is not None)
        if strip is not None:
            _place(scene, strip, request, path)


def remember_source(scene: Any, strip: Any) -> None:
    """Remember whose look is to come."""
    for other in vse.all_strips(scene):
        if other.get(timeline.LOOK) == "source":
            del other[timeline.LOOK]
    strip[timeline.LOOK] = "source"


def clear(scene: Any, *, keeps_source: bool = False) -> None:
    """Take looks off the timeline."""
    for cover in timeline.covers(scene):  # first, as an effect goes with what it is made of
        if cover.get(timeline.LOOK) is not None:
            timeline.remove(scene, cover)
    for strip in vse.all_strips(scene):
        kind = strip.get(timeline.LOOK)
        if kind == "picture":
            timeline.remove(scene, strip)
        elif kind == "source" and not keeps_source:
            del strip[timeline.LOOK]


def _place(scene: Any, source: Any, request: RestyleRequest, path: Path) -> None:
    frame = vse.timing(source).origin + request.lead
    if not vse.left(source) <= frame < vse.right(source):
        return
    where = Span(start=frame, stop=frame + 1)
    is_seen_through = appearance.is_mixed_twice(scene, source, request)
    channels = stack.place_over(scene, source, where, count=1 + is_seen_through)
    if not channels:
        return
    holder = vse.container_of(scene, source)
    strip = holder.new_image(
        name=f"Look {frame}", filepath=str(path), channel=channels[0], frame_start=frame
    )
    vse.show_file(strip, path)
    vse.set_span(strip, where)
    strip[timeline.LOOK] = "picture"
    strip.color_tag = vse.COLOURS["look"]
    strip.select = False
    appearance.copy_to_aid(scene, source, strip, request)
    for channel in channels[1:]:
        covers.put_over(scene, source, strip, request, channel)[timeline.LOOK] = "cover"


def icon(path: Path) -> int:
    """A picture as an icon for the panel; 0 if it cannot be read."""
    if "all" not in _thumbnails:
        import bpy.utils.previews

        _thumbnails["all"] = bpy.utils.previews.new()
    pictures, key = _thumbnails["all"], str(path)
    if key not in pictures and path.exists():
        pictures.load(key, key, "IMAGE")
    return pictures[key].icon_id if key in pictures else 0


def unregister() -> None:
    """Forget thumbnails."""
    if "all" in _thumbnails:
        bpy.utils.previews.remove(_thumbnails.pop("all"))
