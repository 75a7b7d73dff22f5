"""The sequencer's data under the names it has in Blender 3.4 to 5.x.

Names changed in 4.4 (sequences became strips), 5.0 (which scene the sequencer edits) and 5.1
(times). What a version lacks is found by looking, not by its number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import bpy

from . import animation
from .core.timing import Span, StripTiming, rate_of

COLOURS = {
    "planned": "COLOR_09",
    "ready": "COLOR_04",
    "remade": "COLOR_02",
    "failed": "COLOR_01",
    "result": "COLOR_05",
    "look": "COLOR_06",
}
"""Colour tags by what a strip is: grey, green, orange, red, blue, purple."""


def scene_of(context: Any) -> Any:
    """The scene the sequencer edits; since 5.0 that may be another than the active one."""
    return getattr(context, "sequencer_scene", None) or context.scene


def all_strips(scene: Any) -> list[Any]:
    """Every strip of a scene, also those inside metas."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    return list(editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all)


def children(owner: Any) -> Any:
    """The strips a sequence editor or a meta strip holds directly."""
    return owner.strips if hasattr(owner, "strips") else owner.sequences


def owner_of(scene: Any, strip: Any) -> Any:
    """What holds a strip: the meta strip it is in, or the sequence editor."""
    meta = strip.parent_meta() if strip is not None else None
    return meta if meta is not None else scene.sequence_editor


def container_of(scene: Any, strip: Any) -> Any:
    """The collection that holds a strip, so that a new one lands beside it."""
    return children(owner_of(scene, strip))


def channel_of(scene: Any, strip: Any) -> Any:
    """The channel a strip is in, with its name, `lock` and `mute`."""
    return owner_of(scene, strip).channels[strip.channel]


def shown_strips(scene: Any) -> list[Any]:
    """The strips that the sequencer shows: those of the meta that is open, else the topmost."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    opened = list(editor.meta_stack)
    return list(children(opened[-1] if opened else editor))


def active_strip(context: Any) -> Any:
    """The active strip, as far as it is shown; or None."""
    scene = scene_of(context)
    editor = scene.sequence_editor if scene else None
    active = editor.active_strip if editor else None
    return active if active is not None and active in shown_strips(scene) else None


def selected_strips(context: Any) -> list[Any]:
    """Selected strips that the sequencer shows, in the order of the timeline.

    Blender marks what is in a closed meta as selected, too.
    """
    scene = scene_of(context)
    chosen = [strip for strip in shown_strips(scene) if strip.select] if scene else []
    return sorted(chosen, key=lambda strip: (left(strip), strip.channel))


def left(strip: Any) -> int:
    """First visible frame."""
    return int(strip.left_handle if hasattr(strip, "left_handle") else strip.frame_final_start)


def right(strip: Any) -> int:
    """One past the last visible frame."""
    return int(strip.right_handle if hasattr(strip, "right_handle") else strip.frame_final_end)


def span(strip: Any) -> Span:
    """Visible frames."""
    return Span(start=left(strip), stop=right(strip))


def set_span(strip: Any, wanted: Span) -> None:
    """Move a strip's ends, not its content."""
    has_handles = hasattr(strip, "left_handle")
    # The further end first, so that the strip never gets shorter than a frame.
    ends = [("left_handle", "frame_final_start", wanted.start)]
    ends.append(("right_handle", "frame_final_end", wanted.stop))
    if wanted.start >= right(strip):
        ends.reverse()
    for new, old, frame in ends:
        name = new if has_handles else old
        if int(getattr(strip, name)) != frame:
            setattr(strip, name, frame)


def content_start(strip: Any) -> int:
    """Timeline frame of the content's first frame, visible or not."""
    return int(strip.content_start if hasattr(strip, "content_start") else strip.frame_start)


def content_length(strip: Any) -> int:
    """Frames of content after trims for good."""
    return int(
        strip.content_duration if hasattr(strip, "content_duration") else strip.frame_duration
    )


def _trim(strip: Any, end: str) -> int:
    new, old = f"content_trim_{end}", f"animation_offset_{end}"
    return int(getattr(strip, new) if hasattr(strip, new) else getattr(strip, old, 0))


def timing(strip: Any) -> StripTiming:
    """Where a strip lies."""
    return StripTiming(
        left=left(strip),
        right=right(strip),
        content_start=content_start(strip),
        trim_start=_trim(strip, "start"),
        content_length=content_length(strip),
    )


def media_length(strip: Any) -> int:
    """Frames in the file, of a strip at one source frame a timeline frame."""
    return content_length(strip) + _trim(strip, "start") + _trim(strip, "end")


def is_retimed(strip: Any, scene: Any) -> bool:
    """Whether anything but the strip's place decides which source frame is seen when."""
    if getattr(strip, "use_reverse_frames", False) or getattr(strip, "strobe", 1.0) > 1.0:
        return True
    if getattr(strip, "speed_factor", 1.0) != 1.0 or len(getattr(strip, "retiming_keys", ())):
        return True
    return animation.is_animated(strip, ("speed_factor", "strobe", "use_reverse_frames"))


_SEEN_THROUGH = frozenset({"SPEED", "TRANSFORM", "GLOW", "GAUSSIAN_BLUR"})
"""Effects that have one strip below them, which is seen through them alone."""


REPLACED = "fresco_replaced"
"""On a strip that was muted because its result has taken its place."""


def seen_as(strip: Any, scene: Any) -> Any:
    """The effect that a strip is seen through, the last of several; else the strip itself."""
    for other in container_of(scene, strip):
        is_on = not other.mute or other.get(REPLACED) is not None
        if other.type in _SEEN_THROUGH and is_on and other.input_1 == strip:
            return seen_as(other, scene)
    return strip


_BYTES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tga")
"""Pictures that Blender takes for sRGB unless told otherwise."""


def is_read_otherwise(strip: Any, scene: Any) -> bool:
    """Whether a strip was told to show its file in other colours, or another track of it."""
    if strip.type == "MOVIE":
        if strip.stream_index > 0:
            return True
    elif not strip.elements[0].filename.lower().endswith(_BYTES):
        return False  # What these are taken for depends on what they hold.
    usual = {"", "sRGB", scene.sequencer_colorspace_settings.name}
    return strip.colorspace_settings.name not in usual


_GRADES = ("color_saturation", "color_multiply", "use_deinterlace")


def is_graded(strip: Any) -> bool:
    """Whether a strip's pixels are not those of its file, now or at another frame."""
    modifiers = list(getattr(strip, "modifiers", ()))
    if any(not modifier.mute for modifier in modifiers) or getattr(strip, "use_deinterlace", False):
        return True
    switches = [f'modifiers["{bpy.utils.escape_identifier(m.name)}"].mute' for m in modifiers]
    if animation.is_animated(strip, (*_GRADES, *switches)):
        return True
    return getattr(strip, "color_saturation", 1.0) != 1.0 or (
        getattr(strip, "color_multiply", 1.0) != 1.0
    )


def runs_at_scene_rate(strip: Any, scene: Any) -> bool:
    """Whether a movie strip shows one source frame a timeline frame."""
    rate = rate_of(scene.render.fps, scene.render.fps_base)
    return strip.fps > 0 and abs(strip.fps - float(rate)) < 1e-3


def show_file(strip: Any, path: Path) -> None:
    """Let a strip show this file, or the pictures beside it, named as the user has files named.

    Beside a saved file that is relative to it, so that both may be moved together.
    """
    name = str(path)
    if bpy.data.filepath and bpy.context.preferences.filepaths.use_relative_paths:
        with suppress(ValueError):  # on another drive
            name = bpy.path.relpath(name)
    if strip.type == "IMAGE":
        folder = name[: -len(path.name)]
        strip.directory = folder
        if len(strip.elements) == 1:
            strip.elements[0].filename = path.name
    else:
        strip.filepath = name
    show_scenes_anew()


def new_effect(
    holder: Any, name: str, kind: str, channel: int, lies: Span, first: Any, second: Any
) -> Any:
    """An effect of two strips among the strips `holder`."""
    arguments: dict[str, Any] = {
        "name": name,
        "type": kind,
        "channel": channel,
        "frame_start": lies.start,
    }
    known = holder.bl_rna.functions["new_effect"].parameters
    if "length" in known:
        arguments["length"] = lies.length
    else:
        arguments["frame_end"] = lies.stop
    inputs = ("input1", "input2") if "input1" in known else ("seq1", "seq2")
    return holder.new_effect(**arguments, **dict(zip(inputs, (first, second), strict=True)))


def sequencer_areas() -> Iterator[tuple[Any, Any]]:
    """Windows and their sequencer areas."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "SEQUENCE_EDITOR":
                yield window, area


@contextmanager
def sequencer_context(scene: Any) -> Iterator[None]:
    """A context in which the sequencer's operators work on a scene, whatever the user looks at.

    Only in a `placing.QuietPeriod`: where Blender's Python is older than 3.12 (before 5.1),
    operators look into an override without Python's lock whenever another thread holds it, and
    crash.
    """
    workspace, window = _workspace(), next(sequencer_areas(), (_first_window(),))[0]
    # Before 5.0 the window's scene is meant; 3.4 ignores any other that an override names.
    is_new = hasattr(workspace, "sequencer_scene")
    owner, name = (workspace, "sequencer_scene") if is_new else (window, "scene")
    shown = getattr(owner, name)
    if shown != scene:
        setattr(owner, name, scene)
    try:
        with _sequencer_override(scene):
            yield
    finally:
        if shown is not None and shown != scene:
            setattr(owner, name, shown)


@contextmanager
def _sequencer_override(scene: Any) -> Iterator[None]:
    found = next(sequencer_areas(), None)
    if found is not None:
        with _override(*found, scene):
            yield
        return
    window = _first_window()
    area = max(window.screen.areas, key=lambda area: area.width * area.height)
    former = area.type
    area.type = "SEQUENCE_EDITOR"
    try:
        with _override(window, area, scene):
            yield
    finally:
        area.type = former


def _override(window: Any, area: Any, scene: Any) -> AbstractContextManager[Any]:
    region = next(region for region in area.regions if region.type == "WINDOW")
    return bpy.context.temp_override(
        window=window, screen=window.screen, area=area, region=region, scene=scene
    )


def set_sequencer_scene(scene: Any) -> None:
    """Since 5.0 operators and modifiers need to be told; without it `modifiers.new` crashes."""
    workspace = _workspace()
    if hasattr(workspace, "sequencer_scene") and workspace.sequencer_scene is None:
        workspace.sequencer_scene = scene


def show_scenes_anew() -> None:
    """Have strips that show a scene made anew, after that scene's own strips have changed.

    Blender 5.0 would go on with the pictures that it made of them before, even in a final render.
    """
    for scene in bpy.data.scenes:
        for strip in all_strips(scene):
            if strip.type == "SCENE":
                strip.mute = strip.mute  # to set it is what counts


def _first_window() -> Any:
    return bpy.context.window_manager.windows[0]


def _workspace() -> Any:
    return bpy.context.workspace or _first_window().workspace


def is_rendering() -> bool:
    """Whether Blender renders, when strips must not be touched."""
    return bool(bpy.app.is_job_running("RENDER"))


def is_being_moved() -> bool:
    """Whether the user drags strips just now, which Blender then holds by their addresses."""
    windows = bpy.context.window_manager.windows
    running = (name for window in windows for name in getattr(window, "modal_operators", ()))
    return any(operator.bl_idname.startswith("TRANSFORM_OT") for operator in running)


def redraw() -> None:
    """Show what has changed."""
    for _, area in sequencer_areas():
        area.tag_redraw()
