"""Runs in a Blender of its own: renders the pixels of one strip alone, without loss.

    blender --background COPY.blend --factory-startup --python render_strip.py -- JSON
    python render_strip.py COPY.blend -- JSON      (Blender as a Python module)

JSON: {"scene", "strip", "to", "start", "stop"}; frame numbers are the timeline's. "to" is a .mkv
file, or the beginning of the names of PNG files. A line "RENDERED" is printed for every frame.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import bpy


def main() -> None:
    """Render what the last argument says."""
    wanted = json.loads(sys.argv[-1])
    if sys.argv[0].endswith("render_strip.py"):
        bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
    Path(bpy.data.filepath).unlink()  # it was made for this alone
    scene = bpy.data.scenes[wanted["scene"]]
    leave_only(scene, wanted["strip"])
    prepare(scene)
    if wanted["to"].endswith(".mkv"):
        write_movie(scene)
    else:
        write_pictures(scene)
    scene.render.filepath = wanted["to"]
    bpy.app.handlers.render_write.append(tell)
    scene.frame_start, scene.frame_end, scene.frame_step = wanted["start"], wanted["stop"] - 1, 1
    bpy.ops.render.render(animation=True, scene=scene.name)
    bpy.app.handlers.render_write.remove(tell)  # else Blender as a module does not end


def tell(*_: Any) -> None:
    """A frame is written."""
    print("RENDERED", flush=True)  # noqa: T201  the other Blender reads it


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
    """Mute every strip but this one and what it is made from."""
    every = strips_of(scene.sequence_editor, "strips_all")
    strip = next(strip for strip in every if strip.name == name)
    needed = needed_by(strip, set())
    meta = strip.parent_meta()
    while meta is not None:
        needed.add(meta.name)
        meta = meta.parent_meta()
    for other in every:
        if other.name not in needed:
            other.mute = True
    strip.mute = False
    strip.blend_alpha = 1.0
    for channel in scene.sequence_editor.channels:
        channel.mute = False


def prepare(scene: Any) -> None:
    """Whole pictures in sRGB, nothing added: the default view would shift colours."""
    render = scene.render
    render.use_sequencer, render.use_compositing = True, False
    render.resolution_percentage, render.dither_intensity = 100, 0.0
    render.use_stamp = render.use_border = render.use_multiview = False
    render.film_transparent = render.use_file_extension = render.use_overwrite = True
    render.use_placeholder = False
    scene.display_settings.display_device = "sRGB"
    view = scene.view_settings
    view.view_transform, view.look, view.exposure, view.gamma = "Standard", "None", 0.0, 1.0
    view.use_curve_mapping = False
    workspace = bpy.context.workspace
    if hasattr(workspace, "sequencer_scene"):
        workspace.sequencer_scene = scene


def write_pictures(scene: Any) -> None:
    """PNG files."""
    chosen = scene.render.image_settings
    if hasattr(chosen, "media_type"):  # 5.0 wants it before the format
        chosen.media_type = "IMAGE"
    chosen.file_format, chosen.color_mode, chosen.color_depth = "PNG", "RGB", "8"
    chosen.compression = 0


def write_movie(scene: Any) -> None:
    """One file: FFV1 keeps RGB to the bit."""
    chosen, movie = scene.render.image_settings, scene.render.ffmpeg
    if hasattr(chosen, "media_type"):
        chosen.media_type = "VIDEO"
    chosen.file_format, chosen.color_mode = "FFMPEG", "RGB"
    movie.format, movie.codec, movie.audio_codec = "MKV", "FFV1", "NONE"
    movie.gopsize, movie.use_autosplit = 1, False


main()
