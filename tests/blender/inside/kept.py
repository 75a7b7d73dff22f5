"""Scenarios in Blender's window: what an editor has made stays, saved or not, done or undone."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
import hands
import shows
import stage


def work(clip: str, blend: str, out: str, frames_mark: str) -> Generator[hands.Step, None, Any]:
    """A rendered strip and one that is not: the file's mark, a final render, undo and redo.

    No frame is made before the file `frames_mark` is there.
    """
    scene = stage.new_scene()
    stage.add_movie(scene, clip).name = "shot"
    graded = stage.add_movie(scene, clip, start=101)
    graded.name = "graded"
    graded.modifiers.new("grade", "BRIGHT_CONTRAST").bright = 20.0
    scene.frame_start, scene.frame_end = 3, 4
    bpy.ops.ed.undo_push(message="two strips")
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    yield lambda: not bpy.data.is_dirty
    yield from _final(Path(out) / "before")
    searched = yield from _search("Look at One Frame")
    undone = yield from _undo_and_redo()
    yield from _final(Path(out) / "during")
    seen = [strip.mute for strip in _keys()]
    Path(frames_mark).touch()
    card = next(iter(shows.state().cards.values()))
    yield lambda: card.phase == "placed" or card.fault
    return {
        **undone,
        "searched": searched,
        "hidden": any(seen) or not seen,
        "fault": card.fault.message if card.fault else "",
        "strips": sorted(shows._names()),
        **(yield from _marks()),
    }


def _search(label: str) -> Generator[hands.Step, None, str]:
    """The operator that Blender runs for words typed into the search of its menus; taken back."""
    scene = bpy.context.scene
    stage.choose(scene, _strip("shot"))
    scene.frame_current = 5
    window, area = shows.timeline_area()
    region = next(region for region in area.regions if region.type == "WINDOW")
    x, y = region.x + region.width // 2, region.y + region.height // 2
    hands.press("F3", x, window.height - y)
    yield 1.0
    hands.write(label)
    yield 1.0
    hands.press("Return", x, window.height - y)
    yield lambda: shows.state().look_picture or shows.state().look_fault
    done = bpy.context.window_manager.operators
    bpy.ops.fresco.clear_look()
    return done[-1].bl_idname if done else ""


def _marks() -> Generator[hands.Step, None, dict[str, Any]]:
    """Whether Blender knows of unsaved work: before and after a restyle and a look that render."""
    bpy.ops.wm.save_mainfile()
    yield lambda: not bpy.data.is_dirty
    scene = bpy.context.scene
    scene.fresco.prompt = "unsaved"
    bpy.ops.ed.undo_push(message="a word")
    marks = [bpy.data.is_dirty]
    _press(scene, "graded")
    yield 0.5
    marks.append(bpy.data.is_dirty)
    bpy.context.scene.frame_current = 110
    bpy.ops.fresco.look()
    yield 0.5
    marks.append(bpy.data.is_dirty)
    return {"marks": marks, "path": _strip("graded").filepath}


def _final(folder: Path) -> Generator[hands.Step, None, None]:
    """A final render as a user begins it, in Blender's own thread for that."""
    scene = bpy.context.scene
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(folder / "f_######")
    scene.render.use_sequencer = True
    bpy.context.preferences.view.render_display_type = "NONE"
    bpy.ops.render.render("INVOKE_DEFAULT", animation=True)
    yield (folder / "f_000004.png").exists
    yield lambda: not bpy.app.is_job_running("RENDER")
    yield 0.3


def _strip(name: str) -> Any:
    strips = stage.part("vse").all_strips(bpy.context.scene)
    return next(strip for strip in strips if strip.name == name)


def _keys() -> list[Any]:
    strips = stage.part("vse").all_strips(bpy.context.scene)
    return [strip for strip in strips if strip.get("fresco_key") is not None]


def _press(scene: Any, name: str) -> Any:
    stage.choose(scene, _strip(name))
    shows._press_restyle()
    return list(shows.state().cards.values())[-1]


def _undo_and_redo() -> Generator[hands.Step, None, dict[str, Any]]:
    """Restyle is undone while its job runs: it waits. It is done again: it goes on."""
    card = _press(bpy.context.scene, "shot")
    yield lambda: card.plan is not None and shows._are_all_keys_there(card)
    bpy.ops.ed.undo()
    yield lambda: card.state is not None and card.state.value == "paused"
    yield 0.5
    found = {
        "undone": shows._names(),
        "note": card.note,
        "buttons": [card.can_resume, card.can_pause],
        "withdrawn_fault": card.fault.message if card.fault else "",
    }
    bpy.ops.ed.redo()
    yield lambda: card.state is not None and card.state.value != "paused"
    yield lambda: shows._are_all_keys_there(card)
    return found
