"""Rendering a strip that is more than its file: a copy of the file goes to another Blender."""

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


def render_command(strip: Any, scene: Any, request: RestyleRequest) -> list[str]:
    """What renders a request's frames; saves a copy of the file as it is now, not the file itself.

    Raises:
        FileFailed: the copy cannot be written.
    """
    folder = Path(request.path).parent
    make_folder(folder)
    copy = folder.parent / "strip.blend"
    try:
        with host_session.without_new_scripts():
            bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True, check_existing=False)
    except RuntimeError as error:
        text = (
            f"a copy cannot be saved ({str(error).strip()}). Free some disk space, then try again."
        )
        raise FileFailed(copy, text) from error
    begin = vse.timing(strip).origin + request.lead
    wanted = {
        "blend": str(copy),
        "session": host_session.settings(),
        "scene": scene.name,
        # The result lies above a speed effect on the strip, so it must be as fast.
        "strip": (vse.speed_effect(strip, scene) or strip).name,
        "to": str(folder / "f_######" if request.is_sequence else request.path),
        "start": begin,
        "stop": begin + request.stop - request.start,
    }
    is_factory = bool(bpy.app.factory_startup)
    return command_of(bpy.app.binary_path, SCRIPT, json.dumps(wanted), is_factory=is_factory)
