"""Scenarios in Blender's window: the first minutes of somebody who has just installed Fresco."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
import hands
import shows
import stage


def first_strip(clip: str, out: str, size: int) -> Generator[hands.Step, None, Any]:
    """Nothing of Fresco has run: styles, Start, the first strip. What was said on the way."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    shows.watch_drawing()
    scene = bpy.context.scene
    if scene.sequence_editor is None:
        scene.sequence_editor_create()
    strip = stage.add_movie(scene, clip)
    shown = stage.part("core.timing").Span(start=1, stop=7)
    stage.part("vse").set_span(strip, shown)
    picture = strip.elements[0]
    scene.render.resolution_x, scene.render.resolution_y = picture.orig_width, picture.orig_height
    scene.frame_end = shown.stop
    yield 1.0
    shows._frame_all()
    shows._tidy()
    yield from shows.open_tab()
    yield lambda: shows.state().connection in {"failed", "away"}
    said = [_said()]
    pictures = [
        stage.part("looks").icon(stage.part("state").style_picture(style.name))
        for style in shows.state().styles("")
    ]
    hands.picture(str(folder / "first.png"))
    bpy.ops.wm.call_panel(name="FRESCO_PT_styles", keep_open=True)
    yield 1.5
    hands.picture(str(folder / "styles.png"))
    for x in (1200, 300, 310):  # it closes when the pointer leaves it
        hands.point(x, 1000)
        yield 0.3
    bpy.ops.fresco.choose_style(style="watercolour")
    bpy.ops.fresco.connect()
    yield lambda: shows.state().connection == "ready" or _said()
    said.append(_said())
    scene.fresco.preset, scene.fresco.use_size, scene.fresco.size = "DRAFT", True, size
    stage.choose(scene, strip)
    shows._press_restyle()
    card = next(iter(shows.state().cards.values()))
    yield lambda: card.phase == "placed" or card.fault
    said.append(card.fault.message if card.fault else "")
    yield 1.0
    hands.picture(str(folder / "restyled.png"))
    return {
        "said": said,
        "pictures": sum(icon > 0 for icon in pictures),
        "styles": len(pictures),
        "strips": sorted(shows._names()),
    }


def _said() -> str:
    """What is wrong, apart from that no daemon runs yet."""
    fault = shows.state().connection_fault
    return fault.message if fault and fault != stage.part("core.faults").NOT_RUNNING else ""
