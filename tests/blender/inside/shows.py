"""Scenarios in Blender's window: pictures, measurements, undo and quitting."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
import hands
import stage


def open_tab() -> Generator[hands.Step, None, None]:
    """Show the sidebar's tab, and wait until it is drawn."""
    for _, area in stage.part("vse").sequencer_areas():
        if area.spaces.active.view_type != "PREVIEW":
            area.spaces.active.show_region_ui = True
    yield 1.0
    window, area = timeline_area()
    region = next(region for region in area.regions if region.type == "UI")
    try:
        region.active_panel_category = "Fresco"
    except AttributeError:  # before 4.2 only a click does it
        yield from _click_tab(window, area, region)
    yield 1.0


def timeline_area() -> tuple[Any, Any]:
    """The sequencer that shows strips."""
    found = stage.part("vse").sequencer_areas()
    return next(pair for pair in found if pair[1].spaces.active.view_type != "PREVIEW")


def _click_tab(window: Any, area: Any, region: Any) -> Generator[hands.Step, None, None]:
    scale = bpy.context.preferences.system.ui_scale
    x = region.x + region.width - round(10 * scale)
    for distance in range(20, round(region.height / scale), 25):
        y = window.height - (region.y + region.height - round(distance * scale))
        hands.click(x, y)
        yield 0.3
        if stage_is_open():
            return


_drawn: list[float] = []


def stage_is_open() -> bool:
    """Whether the tab was drawn just now."""
    return bool(_drawn) and time.monotonic() - _drawn[-1] < 0.5


def watch_drawing() -> None:
    """Note when the tab is drawn."""
    panel = stage.part("panels").FRESCO_PT_connection
    draw = panel.draw

    def noted(self: Any, context: Any) -> None:
        _drawn.append(time.monotonic())
        draw(self, context)

    panel.draw = noted


def state() -> Any:
    return stage.part("state").state


def pictures(clip: str, out: str, scale: float) -> Generator[hands.Step, None, Any]:
    """The panel before, the timeline while and after a job, as PNG files in `out`."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    bpy.context.preferences.view.ui_scale = scale
    watch_drawing()
    scene = stage.new_scene(size=(512, 512))
    scene.fresco.use_size, scene.fresco.prompt = True, "a watercolour painting of a town"
    scene.fresco.style, scene.fresco.preset = "watercolour", "DRAFT"
    scene.fresco.size, scene.fresco.output = 256, "MOVIE"
    scene.fresco.use_strength = True
    scene.frame_start, scene.frame_end, scene.frame_current = 1, 108, 20
    strip = stage.add_movie(scene, clip)
    strip.name = "street"
    yield 1.0
    _tidy()
    yield from open_tab()
    yield lambda: state().connection in {"ready", "failed"}
    _frame_all()
    bpy.ops.fresco.look()
    yield lambda: state().look_picture or state().look_fault
    yield 2.0
    hands.picture(str(folder / "look.png"))
    bpy.ops.fresco.clear_look()
    bpy.ops.fresco.restyle()
    card = next(iter(state().cards.values()))
    yield lambda: card.plan is not None and len(card.keyframe_files) > len(card.plan.keyframes) // 2
    yield 1.0
    hands.picture(str(folder / "during.png"))
    yield lambda: card.phase == "placed" or card.fault
    result = stage.part("timeline").results(scene, card.job_id)[0]
    stage.choose(scene, result)
    yield 2.0
    hands.picture(str(folder / "after.png"))
    bpy.ops.fresco.compare()
    yield 2.0
    hands.picture(str(folder / "wipe.png"))
    return {"frames": card.result_frames}


def _tidy() -> None:
    """No paths of this machine, and nothing that is about something else."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "FILE_BROWSER":
                area.type = "OUTLINER"
    _, area = timeline_area()
    area.spaces.active.timeline_overlay.show_strip_source = False


def _frame_all() -> None:
    """By its key, with the pointer over the strips."""
    window, area = timeline_area()
    region = next(region for region in area.regions if region.type == "WINDOW")
    x, y = region.x + region.width // 2, region.y + region.height // 2
    hands.press("Home", x, window.height - y)


def use(
    clip: str, quit_mark: str, frames_mark: str = "", is_noisy: bool = False
) -> Generator[hands.Step, None, Any]:
    """A job under way in the window: how long the main thread was held, what undo does, the end.

    The file `frames_mark` is made when the keyframes were looked at: the first frame may come now.
    The last job is still under way when Blender quits. With `is_noisy` another thread of Python
    never rests: operators that are run in an overridden context then crash Blender before 5.1.
    """
    watch_drawing()
    if is_noisy:
        threading.Thread(target=_make_noise, daemon=True).start()
    times = stage.part("main_loop").TickTimes
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    strip.name = "shot"
    bpy.ops.ed.undo_push(message="a strip")
    _unfold()
    yield 1.0
    yield from open_tab()
    yield lambda: state().connection == "ready"
    heart, parts = _Heart(), _Parts()
    bpy.app.timers.register(heart, persistent=True)
    for frame in range(2, 12):  # what redrawing costs without a job
        scene.frame_current = frame
        yield 0.2
    quiet_s, heart.longest_s = heart.longest_s, 0.0
    times.longest_s = 0.0
    _press_restyle()
    card = next(iter(state().cards.values()))
    yield 1.0
    heart.longest_s = 0.0  # the button's own work is over
    yield lambda: len(card.keyframe_files) >= 5
    streaming_s, loop_s = times.longest_s, heart.longest_s
    after_undo = yield from _take_back_keyframes(card)
    if frames_mark:
        Path(frames_mark).touch()
    yield lambda: card.phase in {"fetching", "placed"}
    bpy.ops.fresco.refresh()
    if card.result is None:
        streaming_s = max(streaming_s, times.longest_s)
    yield lambda: card.phase == "placed"
    yield 0.5
    scene = bpy.context.scene
    placed_s = times.longest_s
    done = [stage.lies(s) for s in stage.part("vse").all_strips(scene)]
    taken_back = yield from _take_back_result(card)
    scene = bpy.context.scene
    stage.choose(scene, next(s for s in stage.part("vse").all_strips(scene) if s.name == "shot"))
    _press_restyle()
    last = list(state().cards.values())[-1]
    yield lambda: last.keyframe_files
    _time_unregistering(Path(quit_mark + ".unregister"))
    Path(quit_mark).write_text(str(time.time()), "utf-8")
    return {
        "streaming_s": streaming_s,
        "placed_s": placed_s,
        "loop_quiet_s": quiet_s,
        "loop_s": loop_s,
        "cpu_s": times.longest_cpu_s,
        "parts": parts.longest,
        "keys": card.plan.keyframes,
        "after_undo": after_undo,
        "done": done,
        **taken_back,
        "frames": card.result_frames,
        "tab_was_drawn": bool(_drawn),
    }


def _take_back_keyframes(card: Any) -> Generator[hands.Step, None, list[str]]:
    """Undo and redo while keyframes come; the strips that there were between the two."""
    # The timer puts them there a few at a time, however long that takes.
    yield lambda: _are_all_keys_there(card)
    bpy.ops.ed.undo()
    yield 1.0
    between = _names()
    bpy.ops.ed.redo()
    yield lambda: _are_all_keys_there(card)
    return between


def _take_back_result(card: Any) -> Generator[hands.Step, None, dict[str, Any]]:
    """Undo and redo of a result that is chosen: the strips after each, and what was said."""
    scene = bpy.context.scene
    stage.choose(scene, stage.part("timeline").results(scene, card.job_id)[0])
    stage.part("vse").redraw()
    yield 1.0  # its panel is drawn
    bpy.ops.ed.undo()
    yield 1.0
    undone = _names()
    said = card.fault.remedy if card.fault else ""
    bpy.ops.ed.redo()
    yield 1.0
    return {"undone": undone, "said": said, "redone": _names()}


def _names() -> list[str]:
    return [strip.name for strip in stage.part("vse").all_strips(bpy.context.scene)]


def _are_all_keys_there(card: Any) -> bool:
    scene = bpy.context.scene
    return len(stage.part("timeline").keys(scene, card.job_id)) == len(card.plan.keyframes)


def _make_noise() -> None:
    while True:
        [str(number) for number in range(200)]


def _time_unregistering(mark: Path) -> None:
    """Blender unregisters add-ons when it quits: write down how long ours takes."""
    module: Any = sys.modules[stage.module_name()]
    unregister = module.unregister

    def timed() -> None:
        began = time.perf_counter()
        unregister()
        mark.write_text(str(time.perf_counter() - began), "utf-8")

    module.unregister = timed


def _press_restyle() -> None:
    """As a click does it, with a step of undo."""
    assert bpy.ops.fresco.restyle("EXEC_DEFAULT", True) == {"FINISHED"}


def _unfold() -> None:
    """Open panels that are folded at first, so that they are drawn too."""
    for kind in stage.part("panels").CLASSES:
        if "DEFAULT_CLOSED" in getattr(kind, "bl_options", ()):
            bpy.utils.unregister_class(kind)
            kind.bl_options = set()
            bpy.utils.register_class(kind)


def leave(clip: str, quit_mark: str) -> Generator[hands.Step, None, Any]:
    """The same window and strip without a job, to compare how long Blender itself takes to quit."""
    stage.add_movie(stage.new_scene(), clip)
    yield from open_tab()
    yield 2.0
    Path(quit_mark).write_text(str(time.time()), "utf-8")
    return {}


class _Parts:
    """How long single pieces of the timer's work took, on the clock and of the processor."""

    def __init__(self) -> None:
        self.longest: dict[str, tuple[float, float]] = {}
        placing, placer = stage.part("placing"), stage.part("keyframe_placer").KeyframePlacer
        self._wrap(stage.part("receiving"), "take", lambda message: type(message).__name__)
        self._wrap(placer, "_show", lambda *_: "placing one keyframe")
        self._wrap(placer, "work", lambda *_: "placing some keyframes")
        self._wrap(stage.part("vse"), "redraw", lambda *_: "redraw")
        self._wrap(placing, "place_results", lambda *_: "place results")
        self._wrap(placing, "push_undo", lambda *_: "undo step of the result")
        self._wrap(stage.part("result_placer"), "_add_result", lambda *_: "opening the result")

    def _wrap(self, owner: Any, name: str, label: Any) -> None:
        function = getattr(owner, name)

        def timed(*arguments: Any) -> Any:
            began, used = time.perf_counter(), time.thread_time()
            try:
                return function(*arguments)
            finally:
                took = (time.perf_counter() - began, time.thread_time() - used)
                key = label(*arguments)
                self.longest[key] = max(self.longest.get(key, (0.0, 0.0)), took)

        setattr(owner, name, timed)


class _Heart:
    """How long Blender's main loop takes from one beat to the next, whatever holds it."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._last = time.perf_counter()

    def __call__(self) -> float:
        now = time.perf_counter()
        self.longest_s = max(self.longest_s, now - self._last)
        self._last = now
        return 0.005
