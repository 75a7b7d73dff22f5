"""What a Blender in the background has to do as this one does, so that it renders the same."""

from __future__ import annotations

from typing import Any

import bpy

_CYCLES_LEFT_OUT = {"rna_type", "bl_idname", "devices"}


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
