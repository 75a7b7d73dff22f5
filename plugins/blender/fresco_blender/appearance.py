"""What a picture over a strip has to look like, so that it takes the strip's place to the eye."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import animation, vse
from .core.request import RestyleRequest

_SCALED = ("scale_x", "scale_y")
_MOVED = ("offset_x", "offset_y", "rotation")
_CROPPED = ("min_x", "max_x", "min_y", "max_y")
_OPAQUE = frozenset({"REPLACE", "ALPHA_OVER", "CROSS"})
"""Ways to mix by which an opaque picture hides what is below it; CROSS is what others become."""


def copy(scene: Any, source: Any, target: Any, request: RestyleRequest) -> None:
    """Place, crop and mix a picture of the source's size as the source is; it is unmuted.

    What moves and fades on the source does so on the target, unless it is in its pixels.
    """
    seen = vse.seen_as(source, scene)
    target.mute = False
    target.blend_type = _blend_of(seen, is_masked=bool(request.mask))
    target.blend_alpha = 1.0 if seen.blend_type == "REPLACE" else seen.blend_alpha
    if request.is_rendered:
        # All else is in its pixels: render_strip.py leaves out only what the strip is mixed by.
        animation.copy(seen, target, only=_mixed_by(seen))
    else:
        _copy_place(seen, target)
        animation.copy(seen, target)
        if "blend_alpha" not in _mixed_by(seen):
            animation.clear(target, only=("blend_alpha",))
    if seen.get(vse.REPLACED) is not None:  # what an earlier result has silenced goes on here
        animation.silence(target, "mute", is_silent=False)


def copy_to_aid(
    scene: Any, source: Any, target: Any, request: RestyleRequest, *, is_in_place: bool = False
) -> None:
    """The same for what is only there while one works: what is below it shows through.

    Nothing may switch it on by itself, as it is muted in renders. `is_in_place`: what it is made
    of is placed and cropped already.
    """
    copy(scene, source, target, replace(request, is_rendered=True) if is_in_place else request)
    if target.blend_type == "REPLACE":
        target.blend_type = "ALPHA_OVER"
    animation.clear(target, only=("mute",))


def _blend_of(strip: Any, *, is_masked: bool) -> str:
    if strip.blend_type == "CROSS" or (is_masked and strip.blend_type == "REPLACE"):
        return "ALPHA_OVER"
    return strip.blend_type


def _mixed_by(strip: Any) -> tuple[str, ...]:
    """What decides how much of a strip is seen; of one that replaces all below not its opacity."""
    return ("mute",) if strip.blend_type == "REPLACE" else ("blend_alpha", "mute")


def _copy_place(source: Any, target: Any) -> None:
    target.use_flip_x, target.use_flip_y = source.use_flip_x, source.use_flip_y
    for name in (*_MOVED, *_SCALED, "origin", "filter"):
        if hasattr(source.transform, name):
            setattr(target.transform, name, getattr(source.transform, name))
    for name in _CROPPED:
        setattr(target.crop, name, getattr(source.crop, name))


def is_mixed_twice(scene: Any, source: Any, request: RestyleRequest) -> bool:
    """Whether a source that stays below its result would be seen through it."""
    seen = vse.seen_as(source, scene)
    if request.mask:
        return False  # it has to be seen where the mask is black
    if request.is_transparent or seen.blend_type not in _OPAQUE or _is_faded(seen):
        return True
    return not request.is_rendered and _has_soft_edges(seen)


def _is_faded(strip: Any) -> bool:
    if strip.blend_type == "REPLACE":
        return False
    return strip.blend_alpha < 1.0 or animation.is_animated(strip, ("blend_alpha",))


def _has_soft_edges(strip: Any) -> bool:
    """Whether its edges lie between pixels, or go there, and are mixed with what is below."""
    place = strip.transform
    is_moved = any(getattr(place, name) != 0 for name in _MOVED)
    is_scaled = any(getattr(place, name) != 1 for name in _SCALED)
    paths = [f"transform.{name}" for name in (*_MOVED, *_SCALED)]
    return is_moved or is_scaled or animation.is_animated(strip, paths)


def mute(scene: Any, source: Any) -> None:
    """Mute a strip that its result has taken the place of, and whatever would unmute it."""
    seen = vse.seen_as(source, scene)
    animation.silence(seen, "mute")
    seen.mute = True
    seen[vse.REPLACED] = True
