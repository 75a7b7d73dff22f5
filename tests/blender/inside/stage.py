"""Runs in Blender: installs the built zip as a user would, plays one scenario, prints what it saw.

python stage.py JSON                      (Blender as a Python module)
blender ... --python stage.py -- JSON
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parent))
PATIENCE_S = 180.0
RESULT = "SCENARIO-RESULT "


def wait_for(what: str, is_so: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """What `is_so` gives once it is true; the timer does not run by itself here."""
    tick = part("main_loop").tick
    ends = time.monotonic() + patience_s
    while time.monotonic() < ends:
        tick()
        found = is_so()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {patience_s:.0f} s in vain for {what}; {describe()}")


def describe() -> str:
    """How the plugin sees the world, for a test that failed."""
    state = part("state").state
    cards = [
        (card.phase, card.state, card.progress_text, card.fault) for card in state.cards.values()
    ]
    return (
        f"link {state.connection} {state.connection_fault}, jobs {cards}, look {state.look_fault}, "
        f"last {state.request_fault}"
    )


def module_name() -> str:
    """What the add-on is called here."""
    is_extension = bpy.app.version >= (4, 2, 0)
    return "bl_ext.user_default.fresco_blender" if is_extension else "fresco_blender"


def part(name: str) -> Any:
    """A module of the plugin."""
    return importlib.import_module(f"{module_name()}.{name}")


def install(plugin: str) -> None:
    """Install and enable, as by Preferences > Add-ons > Install from Disk."""
    if bpy.app.version >= (4, 2, 0):
        bpy.ops.extensions.package_install_files(
            filepath=plugin, repo="user_default", enable_on_install=True
        )
    else:
        bpy.ops.preferences.addon_install(filepath=plugin, overwrite=True)
        bpy.ops.preferences.addon_enable(module="fresco_blender")


def connect(data: str) -> None:
    """Let the plugin use the daemon of this data folder."""
    part("preferences").preferences().data = data
    part("submission").daemon_worker()


def new_scene(rate: int = 24, size: tuple[int, int] = (160, 96)) -> Any:
    """An empty scene with a sequencer."""
    scene = bpy.context.scene
    scene.sequence_editor_clear()
    scene.sequence_editor_create()
    part("vse").set_sequencer_scene(scene)
    scene.render.fps, scene.render.fps_base = rate, 1.0
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.view_settings.view_transform = "Standard"
    scene.fresco.prompt = "a negative"
    scene.fresco.use_size, scene.fresco.size = True, 64
    scene.fresco.output = "LOSSLESS"
    return scene


def add_movie(scene: Any, path: str, start: int = 1, channel: int = 1) -> Any:
    """A movie strip, one source frame a timeline frame, selected and active."""
    strips = part("vse").children(scene.sequence_editor)
    strip = strips.new_movie(name="shot", filepath=path, channel=channel, frame_start=start)
    return choose(scene, strip)


def add_colour(holder: Any, name: str, colour: tuple[float, ...], channel: int) -> Any:
    """Forty frames of one colour, among the strips `holder`."""
    arguments = {"name": name, "type": "COLOR", "channel": channel, "frame_start": 1}
    known = holder.bl_rna.functions["new_effect"].parameters
    arguments.update({"length": 40} if "length" in known else {"frame_end": 41})
    strip = holder.new_effect(**arguments)
    strip.color = colour
    return strip


def shown_file(strip: Any) -> str:
    """The picture that an image strip shows."""
    return str(Path(bpy.path.abspath(strip.directory)) / strip.elements[0].filename)


def choose(scene: Any, strip: Any) -> Any:
    """Make a strip the only selected one, and active."""
    for other in part("vse").all_strips(scene):
        other.select = False
    strip.select = True
    scene.sequence_editor.active_strip = strip
    return strip


def sequencer_context(scene: Any) -> AbstractContextManager[None]:
    """Where the sequencer's operators work, at a moment at which that is safe."""
    wait_for("stillness", part("placing").QuietPeriod.is_there)
    return part("vse").sequencer_context(scene)


def restyle(scene: Any) -> Any:
    """Press Restyle; the job."""
    assert bpy.ops.fresco.restyle() == {"FINISHED"}
    return list(part("state").state.cards.values())[-1]


def placed(card: Any) -> Any:
    """Wait until a job's result is on the timeline; the result's strip."""
    wait_for("the result on the timeline", lambda: card.phase == "placed")
    timeline = part("timeline")
    found = [strip for scene in bpy.data.scenes for strip in timeline.results(scene, card.job_id)]
    assert len(found) == 1, found
    return found[0]


@contextmanager
def as_shown() -> Iterator[None]:
    """A time in which renders show what the preview shows, also what is no part of the film."""
    handlers, guard = bpy.app.handlers.render_init, part("handlers").before_render
    handlers.remove(guard)
    try:
        yield
    finally:
        handlers.append(guard)


def render(scene: Any, strip: Any, folder: Path) -> list[str]:
    """What is seen of one strip alone, frame by frame, as files."""
    vse = part("vse")
    kept = {other.name: other.mute for other in vse.all_strips(scene)}
    for other in vse.all_strips(scene):
        is_inside = other.parent_meta() is not None
        other.mute = other != strip and not is_inside
    folder.mkdir(parents=True, exist_ok=True)
    scene.render.use_sequencer = True
    if hasattr(scene.render.image_settings, "media_type"):
        scene.render.image_settings.media_type = "IMAGE"
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.image_settings.compression = 0
    scene.render.resolution_percentage, scene.render.dither_intensity = 100, 0.0
    scene.render.filepath = str(folder / "f_######")
    scene.frame_start, scene.frame_end = vse.left(strip), vse.right(strip) - 1
    with as_shown():
        bpy.ops.render.render(animation=True, scene=scene.name)
    for other in vse.all_strips(scene):
        other.mute = kept[other.name]
    return [str(path) for path in sorted(folder.glob("f_*.png"))]


class Layout:
    """Notes what is drawn into it."""

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.operators: list[str] = []

    def label(self, text: str = "", **_: Any) -> None:
        self.labels.append(text)

    def operator(self, name: str, **_: Any) -> Any:
        self.operators.append(name)
        return SimpleNamespace()

    def __getattr__(self, _: str) -> Callable[..., Layout]:
        return lambda *_, **__: self  # a part of it, or a field


def drawn(kind: Any) -> Layout:
    """What a panel or menu draws."""
    layout = Layout()
    names = {name for owner in kind.__mro__ for name in vars(owner) if not name.startswith("_")}
    shown = SimpleNamespace(layout=layout, bl_idname=kind.__name__)
    for name in names - {"bl_rna", "bl_idname", "layout"}:
        value = getattr(kind, name)
        is_bound = inspect.isfunction(value)
        setattr(shown, name, partial(value, shown) if is_bound else value)
    shown.draw(bpy.context)
    return layout


def every(module: str, scenarios: list[str], out: str, **arguments: Any) -> dict[str, Any]:
    """Scenarios one after the other, each in an empty file; what went wrong is given back too."""
    found: dict[str, Any] = {}
    for scenario in scenarios:
        bpy.ops.wm.read_homefile(use_empty=True)
        try:
            play = getattr(importlib.import_module(module), scenario)
            found[scenario] = play(out=str(Path(out) / scenario), **arguments)
        except Exception:
            found[scenario] = {"error": f"{traceback.format_exc()}\n{describe()}"}
    return found


def lies(strip: Any) -> dict[str, Any]:
    """Where a strip is."""
    vse = part("vse")
    return {
        "name": strip.name,
        "type": strip.type,
        "channel": strip.channel,
        "left": vse.left(strip),
        "right": vse.right(strip),
        "colour": strip.color_tag,
        "mute": bool(strip.mute),
    }


def main() -> None:
    """Play what the last argument says; leave abruptly, as bpy 4.2 and 4.5 cannot quit."""
    wanted = json.loads(sys.argv[-1])
    code = 1
    try:
        install(wanted["plugin"])
        connect(wanted["data"])
        scenarios = importlib.import_module(wanted["module"])
        found = getattr(scenarios, wanted["scenario"])(**wanted["arguments"])
        print(RESULT + json.dumps(found), flush=True)
        code = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.modules["stage"] = sys.modules[__name__]
    main()
