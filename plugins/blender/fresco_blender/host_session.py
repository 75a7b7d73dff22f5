"""What a Blender in the background has to do as this one does, so that it renders the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

_CYCLES_LEFT_OUT = {"rna_type", "bl_idname", "devices"}

_run: set[str] = set()
"""Names of the scripts that ran when the file was loaded."""


def note_scripts() -> None:
    """The file has just been loaded: note which of its scripts ran."""
    _run.clear()
    if not bpy.app.autoexec_fail:
        _run.update(text.name for text in bpy.data.texts if text.use_module)


@contextmanager
def without_new_scripts() -> Iterator[None]:
    """A time in which scripts that were appended or written since do not run when it is loaded.

    Unless the user lets all scripts run, nobody was asked about those.
    """
    new = [text for text in bpy.data.texts if text.use_module and text.name not in _run]
    if bpy.context.preferences.filepaths.use_scripts_auto_execute:
        new = []
    for text in new:
        text.use_module = False
    try:
        yield
    finally:
        for text in new:
            text.use_module = True


def settings() -> dict[str, Any]:
    """Add-ons, devices and memory of this session, also what is not saved as preferences.

    Scripts and drivers of the file may run there if they were allowed to run here: Blender notes
    when it has kept one from running.
    """
    chosen = bpy.context.preferences
    return {
        "may_run_scripts": not bpy.app.autoexec_fail,
        "addons": [addon.module for addon in chosen.addons if addon.module != __package__],
        "cycles": _cycles(chosen),
        "memory_cache_limit": chosen.system.memory_cache_limit,
    }


def _cycles(chosen: Any) -> dict[str, Any]:
    addon = chosen.addons.get("cycles")
    if addon is None:
        return {}
    names = [prop.identifier for prop in addon.preferences.bl_rna.properties]
    return {
        "values": {
            name: getattr(addon.preferences, name) for name in names if name not in _CYCLES_LEFT_OUT
        },
        "devices": {device.id: device.use for device in addon.preferences.devices},
    }
