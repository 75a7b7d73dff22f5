"""Fresco in Blender's sequencer: restyle strips by text without leaving the timeline.

One tree is both a Blender extension (4.2 and later) and a classic add-on (3.4 to 4.1). Nothing is
imported before Blender registers it, so that `core` can be used without Blender.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

bl_info = {
    "name": "Fresco",
    "author": "The Fresco team",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "Sequencer > Sidebar > Fresco",
    "description": "Restyle strips by text without leaving the timeline",
    "category": "Sequencer",
}
_MODULES = ("preferences", "properties", "operators", "presets", "panels", "menus", "main_loop")
# An extension's wheels are installed by Blender; the classic add-on carries them unpacked.
_BUNDLED = Path(__file__).parent / "bundled"

_registered: list[Any] = []


def register() -> None:
    """Show up in the sequencer; not in a Blender that only renders a strip for another one."""
    if os.environ.get("FRESCO_RENDERS_ONLY"):
        return
    if _BUNDLED.is_dir() and str(_BUNDLED) not in sys.path:
        sys.path.insert(0, str(_BUNDLED))
    try:
        import_module("fresco_client")
    except Exception as error:
        raise RuntimeError(
            f"Fresco cannot load its own parts ({type(error).__name__}: {error}). Install it "
            "anew; if that does not help, another add-on has other versions of protobuf or h2: "
            "disable that one and start Blender again."
        ) from error
    for name in _MODULES:
        module = import_module(f".{name}", __package__)
        module.register()
        _registered.append(module)


def unregister() -> None:
    """Leave nothing behind; jobs go on at the daemon."""
    looks = sys.modules.get(f"{__package__}.looks")
    if looks is not None:
        looks.unregister()
    while _registered:
        _registered.pop().unregister()
