"""Fresco in Blender's sequencer: restyle strips by text without leaving the timeline.

One tree is both a Blender extension (4.2 and later) and a classic add-on (3.4 to 4.1). Nothing is
imported before Blender registers it, so that `core` can be used without Blender.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import zipfile
import zlib
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
_WHEELS = Path(__file__).parent / "wheels"
_BUNDLED = Path(__file__).parent / "bundled"

_registered: list[Any] = []


def register() -> None:
    """Show up in the sequencer; not in a Blender that only renders a strip for another one."""
    if os.environ.get("FRESCO_RENDERS_ONLY"):
        return
    try:
        _unpack_wheels()
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


def _unpack_wheels() -> None:
    """What the plugin carries, for a classic add-on; an extension's wheels Blender has installed.

    A folder of another version, or one that was not finished, is replaced.
    """
    if (__package__ or "").startswith("bl_ext."):
        return
    wheels = sorted(_WHEELS.glob("*.whl"))
    known = "\n".join(f"{path.name} {zlib.crc32(path.read_bytes())}" for path in wheels)
    mark = _BUNDLED / "wheels.txt"
    if not mark.exists() or mark.read_text("utf-8") != known:
        fresh = Path(tempfile.mkdtemp(dir=_BUNDLED.parent, prefix="bundled-"))
        for path in wheels:
            with zipfile.ZipFile(path) as wheel:
                wheel.extractall(fresh)
        (fresh / mark.name).write_text(known, "utf-8")
        shutil.rmtree(_BUNDLED, ignore_errors=True)
        fresh.rename(_BUNDLED)
    if str(_BUNDLED) not in sys.path:
        sys.path.insert(0, str(_BUNDLED))


def unregister() -> None:
    """Leave nothing behind; jobs go on at the daemon."""
    looks = sys.modules.get(f"{__package__}.looks")
    if looks is not None:
        looks.unregister()
    while _registered:
        _registered.pop().unregister()
