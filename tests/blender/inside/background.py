"""Scenarios: what a Blender in the background makes of a strip that has to be rendered."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import stage

BY_SCRIPT = "1.0 if bpy.app.driver_namespace.get('allowed') else 0.0"
BY_DEVICE = "1.0 if bpy.context.preferences.addons['cycles'].preferences.{} else 0.0"


def every(**arguments: Any) -> dict[str, Any]:
    return stage.every("background", **arguments)


def _rendered(scene: Any, strip: Any, out: str, frames: int = 1, first: int = 1) -> list[str]:
    """Pictures as the plugin has them made."""
    source = Path(out) / "source"
    path = str(source / f"f_{first:06d}.png")
    request = SimpleNamespace(
        path=path, lead=first - 1, start=first, stop=first + frames, is_sequence=True
    )
    command = stage.part("extract").render_command(strip, scene, request)
    extraction = stage.part("core.extraction")
    try:
        extraction.Extraction(command, path, frames).run(lambda _: None)
    except extraction.ExtractionFailed as error:
        raise AssertionError(f"{error}\n{error.log_tail}") from error
    return [str(path) for path in sorted(source.glob("*.png"))]


def _driven(scene: Any, expression: str) -> Any:
    """A white strip whose brightness is what an expression says, else 0."""
    holder = stage.part("vse").children(scene.sequence_editor)
    strip = stage.add_colour(holder, "white", (1.0, 1.0, 1.0), 1)
    strip.color_multiply = 0.0
    strip.driver_add("color_multiply").driver.expression = expression
    return stage.choose(scene, strip)


def _trusting_scene() -> Any:
    """A scene of somebody who lets every file run its scripts."""
    bpy.context.preferences.filepaths.use_scripts_auto_execute = True
    bpy.ops.wm.read_homefile(use_empty=True)
    return stage.new_scene()


def _with_script(out: str, *, use_scripts: bool) -> tuple[Any, Any]:
    """A file that has a script and a driver that needs it, opened with or without trust."""
    scene = stage.new_scene()
    _driven(scene, BY_SCRIPT)
    text = bpy.data.texts.new("starts.py")
    text.write("import bpy\nbpy.app.driver_namespace['allowed'] = True\n")
    text.use_module = True
    path = Path(out).parent / f"{Path(out).name}.blend"
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.app.driver_namespace.pop("allowed", None)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path), use_scripts=use_scripts)
    scene = bpy.context.scene
    return scene, stage.part("vse").all_strips(scene)[0]


def trusted(out: str) -> dict[str, Any]:
    return {"files": _rendered(*_with_script(out, use_scripts=True), out)}


def untrusted(out: str) -> dict[str, Any]:
    return {"files": _rendered(*_with_script(out, use_scripts=False), out)}


def appended(out: str) -> dict[str, Any]:
    """A script that came into a trusted file later; nobody was asked about it."""
    _with_script(out, use_scripts=True)
    bpy.data.texts.remove(bpy.data.texts["starts.py"])
    bpy.ops.wm.save_mainfile()
    bpy.app.driver_namespace.pop("allowed", None)
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath, use_scripts=True)
    text = bpy.data.texts.new("appended.py")
    text.write("import bpy\nbpy.app.driver_namespace['allowed'] = True\n")
    text.use_module = True
    scene = bpy.context.scene
    files = _rendered(scene, stage.part("vse").all_strips(scene)[0], out)
    return {"files": files, "is_as_it_was": text.use_module}


def devices(out: str) -> dict[str, Any]:
    """Chosen in this session, saved nowhere."""
    cycles = bpy.context.preferences.addons["cycles"].preferences
    cycles.compute_device_type = "CUDA"
    scene = _trusting_scene()
    strip = _driven(scene, BY_DEVICE.format("compute_device_type == 'CUDA'"))
    files = _rendered(scene, strip, out)
    cycles.compute_device_type = "NONE"
    return {"files": files}


def single_devices(out: str) -> dict[str, Any]:
    """The processor ticked beside the others, or not."""
    cycles = bpy.context.preferences.addons["cycles"].preferences
    (getattr(cycles, "refresh_devices", None) or cycles.get_devices)()
    files = []
    for use in (True, False):
        cycles.devices[0].use = use
        scene = _trusting_scene()
        strip = _driven(scene, BY_DEVICE.format("devices[0].use"))
        files += _rendered(scene, strip, f"{out}/{use}")
    return {"files": files}


def addons(out: str) -> dict[str, Any]:
    """One that gives drivers a number; it is enabled, but no saved preference says so."""
    folder = Path(bpy.utils.user_resource("SCRIPTS", path="addons", create=True))
    (folder / "gives_a_number.py").write_text(
        "bl_info = {'name': 'x', 'blender': (3, 4, 0), 'category': 'System'}\n"
        "import bpy\n"
        "def register():\n    bpy.types.Scene.given = bpy.props.FloatProperty(default=1.0)\n"
        "def unregister():\n    del bpy.types.Scene.given\n",
        "utf-8",
    )
    import addon_utils

    sys.path.append(str(folder))  # it was not there when Blender started
    addon_utils.modules_refresh()
    assert addon_utils.enable("gives_a_number", default_set=True)
    scene = _trusting_scene()
    files = _rendered(scene, _driven(scene, "bpy.context.scene.given"), out)
    bpy.ops.wm.read_homefile(use_empty=True)  # the driver is not to be asked without the add-on
    addon_utils.disable("gives_a_number", default_set=True)
    sys.modules.pop("gives_a_number", None)
    return {"files": files}


def fresco_stays_out(out: str) -> dict[str, Any]:
    scene = _trusting_scene()
    return {
        "files": _rendered(scene, _driven(scene, "1.0 - hasattr(bpy.types, 'FRESCO_PT_main')"), out)
    }


def opacity_and_others(out: str) -> dict[str, Any]:
    """Neither its own fade, nor its meta's, nor a strip that a key switches on are in it."""
    scene = stage.new_scene()
    children = stage.part("vse").children
    holder = children(scene.sequence_editor)
    meta = holder.new_meta(name="meta", channel=1, frame_start=1)
    strip = stage.add_colour(children(meta), "red", (1.0, 0.0, 0.0), 1)
    stage.part("vse").set_span(meta, stage.part("core.timing").Span(start=1, stop=41))
    other = stage.add_colour(holder, "blue", (0.0, 0.0, 1.0), 2)
    for owner, name, keys in (
        (strip, "blend_alpha", (0.0, 1.0)),
        (meta, "blend_alpha", (0.0, 1.0)),
        (meta.transform, "offset_x", (-500.0, 0.0)),
        (meta.crop, "min_y", (90, 0)),
        (other, "mute", (False, True)),
        (meta, "mute", (True, False)),
        (strip, "mute", (True, False)),
    ):
        for frame, value in zip((2, 30), keys, strict=True):
            setattr(owner, name, value)
            owner.keyframe_insert(name, frame=frame)
    meta.color_saturation = 0.0
    return {"files": _rendered(scene, strip, out, frames=3)}


def multiplied(out: str) -> dict[str, Any]:
    """A strip that is multiplied onto what is below has its own colours in its pixels."""
    scene = stage.new_scene()
    holder = stage.part("vse").children(scene.sequence_editor)
    strip = stage.add_colour(holder, "red", (1.0, 0.0, 0.0), 1)
    strip.blend_type = "MULTIPLY"
    return {"files": _rendered(scene, strip, out)}


def own_colours(out: str) -> dict[str, Any]:
    """A colour configuration that knows none of Blender's views; `OCIO` names it."""
    scene = bpy.context.scene
    scene.sequence_editor_clear()
    scene.sequence_editor_create()
    stage.part("vse").set_sequencer_scene(scene)
    scene.render.resolution_x, scene.render.resolution_y = 160, 96
    holder = stage.part("vse").children(scene.sequence_editor)
    strip = stage.add_colour(holder, "red", (1.0, 0.0, 0.0), 1)
    return {"files": _rendered(scene, strip, out), "view": scene.view_settings.view_transform}
