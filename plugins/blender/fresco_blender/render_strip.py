"""Runs in a Blender of its own: renders the pixels of one strip alone, without loss.

    blender --background --python render_strip.py -- JSON
    python render_strip.py -- JSON      (Blender as a Python module)

JSON: {"blend", "scene", "strip", "to", "start", "stop", "session"}; frame numbers are the
timeline's. "to" is a .mkv file, or the beginning of the names of PNG files; "session" is what
host_session.py says of the Blender that asks. A line "RENDERED" is printed for every frame, and
"TRANSPARENT" once if something can be seen through one of them.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from array import array
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parent))
import animation

_OPAQUE = 254.5 / 255


def main() -> None:
    """Render what the last argument says."""
    wanted = json.loads(sys.argv[-1])
    follow(wanted["session"])
    may_run_scripts = wanted["session"]["may_run_scripts"]
    bpy.ops.wm.open_mainfile(filepath=wanted["blend"], use_scripts=may_run_scripts)
    Path(bpy.data.filepath).unlink()  # it was made for this alone
    scene = bpy.data.scenes[wanted["scene"]]
    leave_only(scene, wanted["strip"])
    prepare(scene)
    if wanted["to"].endswith(".mkv"):
        write_movie(scene)
        if may_show_through(scene, wanted["strip"]):
            print("TRANSPARENT", flush=True)  # noqa: T201
    else:
        write_pictures(scene)
    scene.render.filepath = wanted["to"]
    bpy.app.handlers.render_write.append(Teller(look_at=not wanted["to"].endswith(".mkv")))
    scene.frame_start, scene.frame_end, scene.frame_step = wanted["start"], wanted["stop"] - 1, 1
    bpy.ops.render.render(animation=True, scene=scene.name)


def follow(session: dict[str, Any]) -> None:
    """Have the add-ons, devices and memory of the Blender that asks."""
    import addon_utils  # there only once bpy is imported

    chosen = bpy.context.preferences
    chosen.use_preferences_save = False  # what is set here is for this process
    chosen.system.memory_cache_limit = session["memory_cache_limit"]
    missing = [name for name in session["addons"] if name not in chosen.addons]
    for name in missing:
        addon_utils.enable(name, default_set=True)  # prints what goes wrong, and raises nothing
    cycles = chosen.addons.get("cycles")
    if cycles is not None and session["cycles"]:
        _set_devices(cycles.preferences, session["cycles"])


def _set_devices(cycles: Any, wanted: dict[str, Any]) -> None:
    for name, value in wanted["values"].items():
        with suppress(AttributeError, TypeError):  # what this system has not got
            setattr(cycles, name, value)
    if wanted["devices"]:
        refresh = getattr(cycles, "refresh_devices", None) or cycles.get_devices
        refresh()
    for device in cycles.devices:
        device.use = wanted["devices"].get(device.id, device.use)


class Teller:
    """Tells the other Blender, which reads this, of every frame that is written."""

    def __init__(self, *, look_at: bool) -> None:
        """`look_at`: whether frames are pictures, whose alpha is read until one has some."""
        self._is_looking = look_at

    def __call__(self, scene: Any, *_: Any) -> None:
        """A frame is written."""
        if self._is_looking and is_transparent(scene.render.frame_path(frame=scene.frame_current)):
            self._is_looking = False
            print("TRANSPARENT", flush=True)  # noqa: T201
        print("RENDERED", flush=True)  # noqa: T201


def is_transparent(path: str) -> bool:
    """Whether a picture is not opaque everywhere."""
    picture = bpy.data.images.load(path, check_existing=False)
    try:
        values = array("f", bytes(4 * len(picture.pixels)))
        picture.pixels.foreach_get(values)
        return min(values[3::4]) < _OPAQUE
    finally:
        bpy.data.images.remove(picture)


def may_show_through(scene: Any, name: str) -> bool:
    """Whether something may be seen through a strip, by what it is and where it lies."""
    strip = next(s for s in strips_of(scene.sequence_editor, "strips_all") if s.name == name)
    if strip.type not in {"MOVIE", "IMAGE", "SCENE", "MOVIECLIP", "MULTICAM"}:
        return True
    place, crop = strip.transform, strip.crop
    is_placed = (place.offset_x, place.offset_y, place.rotation) != (0, 0, 0)
    is_scaled = (place.scale_x, place.scale_y) != (1, 1)
    is_cropped = any((crop.min_x, crop.max_x, crop.min_y, crop.max_y))
    moving = [f"transform.{one}" for one in ("offset_x", "offset_y", "scale_x", "scale_y")]
    is_moved = animation.is_animated(strip, (*moving, "transform.rotation", "crop.min_x"))
    return is_placed or is_scaled or is_cropped or is_moved


def strips_of(owner: Any, name: str) -> list[Any]:
    """Strips under the name they have in this version."""
    for attribute in (name, name.replace("strips", "sequences")):
        if hasattr(owner, attribute):
            return list(getattr(owner, attribute))
    return []


def needed_by(strip: Any, found: set[str]) -> set[str]:
    """Names of the strip and of all that its picture is made from."""
    if strip is None or strip.name in found:
        return found
    found.add(strip.name)
    needed_by(getattr(strip, "input_1", None), found)
    needed_by(getattr(strip, "input_2", None), found)
    for child in strips_of(strip, "strips"):
        needed_by(child, found)
    for modifier in getattr(strip, "modifiers", ()):
        needed_by(getattr(modifier, "input_mask_strip", None), found)
    return found


def leave_only(scene: Any, name: str) -> None:
    """Mute every strip but this one and what it is made from.

    Its opacity and what the metas around it do are left out: the result gets that in the timeline.
    """
    every = strips_of(scene.sequence_editor, "strips_all")
    strip = next(strip for strip in every if strip.name == name)
    needed = needed_by(strip, set())
    around = list(metas_around(strip))
    for other in every:
        if other.name not in needed:
            animation.clear(other, only=("mute",))
            other.mute = other not in around
    for meta in around:
        make_plain(meta)
    animation.clear(strip, only=("mute", "blend_alpha"))
    strip.mute, strip.blend_type, strip.blend_alpha = False, "REPLACE", 1.0
    animation.clear_channels(scene)
    for channels in (owner.channels for owner in (scene.sequence_editor, *around)):
        for channel in channels:
            channel.mute = False


def metas_around(strip: Any) -> Iterable[Any]:
    """The metas a strip is in, from the inside out."""
    meta = strip.parent_meta()
    while meta is not None:
        yield meta
        meta = meta.parent_meta()


def make_plain(meta: Any) -> None:
    """Let a meta show what is in it as it is."""
    animation.clear(meta)
    meta.mute, meta.blend_type, meta.blend_alpha = False, "REPLACE", 1.0
    meta.use_flip_x = meta.use_flip_y = False
    meta.color_saturation = meta.color_multiply = 1.0
    place, crop = meta.transform, meta.crop
    place.offset_x = place.offset_y = place.rotation = 0
    place.scale_x = place.scale_y = 1.0
    crop.min_x = crop.max_x = crop.min_y = crop.max_y = 0
    for modifier in list(meta.modifiers):
        meta.modifiers.remove(modifier)


def choose(owner: Any, name: str, *values: str) -> None:
    """Set the first of these that the colour configuration of this system knows, if any."""
    for value in values:
        with suppress(TypeError):
            setattr(owner, name, value)
            return


def prepare(scene: Any) -> None:
    """Whole pictures in sRGB, nothing added: the default view would shift colours."""
    render = scene.render
    render.use_sequencer, render.use_compositing = True, False
    render.resolution_percentage, render.dither_intensity = 100, 0.0
    render.use_stamp = render.use_border = render.use_multiview = False
    render.film_transparent = render.use_file_extension = render.use_overwrite = True
    render.use_placeholder = False
    choose(scene.display_settings, "display_device", "sRGB", "sRGB - Display")
    view = scene.view_settings
    choose(view, "view_transform", "Standard", "Un-tone-mapped", "sRGB")
    choose(view, "look", "None")
    view.exposure, view.gamma, view.use_curve_mapping = 0.0, 1.0, False
    workspace = bpy.context.workspace
    if hasattr(workspace, "sequencer_scene"):
        workspace.sequencer_scene = scene


def write_pictures(scene: Any) -> None:
    """PNG files."""
    chosen = scene.render.image_settings
    if hasattr(chosen, "media_type"):  # 5.0 wants it before the format
        chosen.media_type = "IMAGE"
    chosen.file_format, chosen.color_mode, chosen.color_depth = "PNG", "RGBA", "8"
    chosen.compression = 0


def write_movie(scene: Any) -> None:
    """One file: FFV1 keeps RGB and alpha to the bit."""
    chosen, movie = scene.render.image_settings, scene.render.ffmpeg
    if hasattr(chosen, "media_type"):
        chosen.media_type = "VIDEO"
    chosen.file_format = "FFMPEG"
    movie.format, movie.codec, movie.audio_codec = "MKV", "FFV1", "NONE"
    chosen.color_mode = "RGBA"  # which is there only once the codec knows alpha
    movie.gopsize, movie.use_autosplit = 1, False


def end_module() -> None:
    """Render and leave at once: as a module some Blenders hang where Python ends."""
    code = 1
    try:
        main()
        code = 0
    except Exception:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    if bpy.app.binary_path:
        main()
    else:
        end_module()
