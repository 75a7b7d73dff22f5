"""Rendering a strip that is more than its file: a copy of all data goes to another Blender."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy
from fresco_client import FileFailed
from fresco_client.files import make_folder

from . import host_session, vse
from .core.extraction import command_of
from .core.request import RestyleRequest

SCRIPT = Path(__file__).parent / "render_strip.py"


_NO_CONTENT = frozenset({"window_managers", "screens", "workspaces", "libraries"})
"""Collections of `bpy.data` that are windows, or names of other files."""


def render_command(strip: Any, scene: Any, request: RestyleRequest) -> list[str]:
    """What renders a request's frames; writes all data as it is now to a file of its own.

    Raises:
        FileFailed: that cannot be written.
    """
    folder = Path(request.path).parent
    make_folder(folder)
    copy = folder.parent / "strip.blend"
    try:
        _write_data(copy)
    except (OSError, RuntimeError) as error:
        text = (
            f"a copy cannot be saved ({str(error).strip()}). Free some disk space, then try again."
        )
        raise FileFailed(copy, text) from error
    begin = vse.timing(strip).origin + request.lead
    wanted = {
        "blend": str(copy),
        "session": host_session.settings(),
        "scene": scene.name,
        # The result lies above effects that the strip is seen through, so it must look the same.
        "strip": vse.seen_as(strip, scene).name,
        "to": str(folder / "f_######" if request.is_sequence else request.path),
        "start": begin,
        "stop": begin + request.stop - request.start,
    }
    is_factory = bool(bpy.app.factory_startup)
    return command_of(bpy.app.binary_path, SCRIPT, json.dumps(wanted), is_factory=is_factory)


def _write_data(path: Path) -> None:
    """Write what the open file holds, saved or not, without a word to Blender's "unsaved" mark.

    To save a copy, even as one, clears that mark: Blender would then quit without a question.
    """
    for edited in bpy.data.objects:
        if edited.mode == "EDIT":
            edited.update_from_editmode()
    blocks = {
        block
        for prop in bpy.data.bl_rna.properties
        if prop.type == "COLLECTION" and prop.identifier not in _NO_CONTENT
        for block in getattr(bpy.data, prop.identifier)
        if block.library is None
    }
    with host_session.without_new_scripts():
        bpy.data.libraries.write(str(path), blocks, path_remap="ABSOLUTE", compress=False)
