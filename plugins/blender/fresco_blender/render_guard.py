"""Nothing of ours but results is in a final picture: no wipe, no look, no keyframe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from . import timeline, vse

_HIDDEN = "fresco_hidden"
"""On what is muted for a render; if Blender ends meanwhile, the file still knows it."""


def hide() -> None:
    """Mute what is only there while one works, in every scene, as scenes may show each other."""
    for strip in _strips():
        if timeline.is_aid(strip) and not strip.mute:
            strip[_HIDDEN] = True
            strip.mute = True
    vse.show_scenes_anew()


def show() -> None:
    """Let that be seen again."""
    for strip in _strips():
        if strip.get(_HIDDEN) is not None:
            del strip[_HIDDEN]
            strip.mute = False
    vse.show_scenes_anew()


def _strips() -> Iterator[Any]:
    for scene in bpy.data.scenes:
        yield from vse.all_strips(scene)
