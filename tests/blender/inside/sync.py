"""Scenarios: a strip, a restyle, and what is seen of source and result frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import stage


def _both(scene: Any, strip: Any, out: str) -> dict[str, Any]:
    card = stage.restyle(scene)
    result = stage.placed(card)
    keys = stage.part("timeline").keys(scene, card.job_id)
    return {
        "source": stage.lies(strip),
        "result": stage.lies(result),
        "source_files": stage.render(scene, strip, Path(out) / "source"),
        "result_files": stage.render(scene, result, Path(out) / "result"),
        "keys_left": len(keys),
        "was_rendered": card.request.is_rendered,
        "strips": len(stage.part("vse").all_strips(scene)),
    }


def every(**arguments: Any) -> dict[str, Any]:
    return stage.every("sync", **arguments)


def plain(clip: str, out: str) -> dict[str, Any]:
    scene = stage.new_scene()
    return _both(scene, stage.add_movie(scene, clip), out)


def trimmed_and_offset(clip: str, out: str) -> dict[str, Any]:
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip, start=30)
    vse = stage.part("vse")
    vse.set_span(strip, stage.part("core.timing").Span(start=37, stop=51))
    return _both(scene, strip, out)


def trimmed_for_good(clip: str, out: str) -> dict[str, Any]:
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip, start=10)
    name = (
        "content_trim_start" if hasattr(strip, "content_trim_start") else "animation_offset_start"
    )
    setattr(strip, name, 6)
    vse = stage.part("vse")
    span = vse.span(strip)
    vse.set_span(strip, stage.part("core.timing").Span(start=span.start + 2, stop=span.stop - 3))
    return _both(scene, strip, out)


def moved_while_it_was_made(clip: str, out: str) -> dict[str, Any]:
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    timeline = stage.part("timeline")
    if hasattr(strip, "content_start"):
        strip.content_start = 61
    else:
        strip.frame_start = 61
    stage.part("vse").set_span(strip, stage.part("core.timing").Span(start=64, stop=80))
    result = stage.placed(card)
    assert not timeline.keys(scene, card.job_id)
    return {
        "source": stage.lies(strip),
        "result": stage.lies(result),
        "source_files": stage.render(scene, strip, Path(out) / "source"),
        "result_files": stage.render(scene, result, Path(out) / "result"),
        "was_rendered": card.request.is_rendered,
    }


def retimed(clip: str, out: str) -> dict[str, Any]:
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    if hasattr(strip, "speed_factor"):
        strip.speed_factor = 2.0
    else:
        with stage.sequencer_context(scene):
            bpy.ops.sequencer.retiming_segment_speed_set(speed=200.0)
    return _both(scene, strip, out)


def under_speed_effect(clip: str, out: str) -> dict[str, Any]:
    """The strip is chosen, not the effect on it; what is seen is the effect."""
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    effect = _speed_effect(scene, strip)
    effect.speed_control, effect.speed_factor = "MULTIPLY", 2.0
    stage.choose(scene, strip)
    found = _both(scene, strip, out)
    return {**found, "source_files": stage.render(scene, effect, Path(out) / "effect")}


def _speed_effect(scene: Any, strip: Any) -> Any:
    vse = stage.part("vse")
    strips = vse.children(scene.sequence_editor)
    known = strips.bl_rna.functions["new_effect"].parameters.keys()
    given = {"name": "faster", "type": "SPEED", "channel": 2, "frame_start": vse.left(strip)}
    length = vse.right(strip) - vse.left(strip)
    end = {"length": length} if "length" in known else {"frame_end": vse.right(strip)}
    return strips.new_effect(**given, **end, **{"input1" if "input1" in known else "seq1": strip})


def reversed_frames(clip: str, out: str) -> dict[str, Any]:
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    strip.use_reverse_frames = True
    return _both(scene, strip, out)


def at_24_in_30(clip: str, out: str) -> dict[str, Any]:
    """As the Add menu does it: the strip is stretched to keep its speed."""
    scene = stage.new_scene(rate=30)
    path = Path(clip)
    arguments: dict[str, Any] = {
        "filepath": clip,
        "directory": str(path.parent),
        "files": [{"name": path.name}],
        "frame_start": 5,
        "channel": 1,
        "sound": False,
        "use_framerate": False,
        "fit_method": "ORIGINAL",
    }
    known = bpy.ops.sequencer.movie_strip_add.get_rna_type().properties
    if "adjust_playback_rate" in known:
        arguments["adjust_playback_rate"] = True
    if "move_strips" in known:
        arguments["move_strips"] = False
    with stage.sequencer_context(scene):
        bpy.ops.sequencer.movie_strip_add(**arguments)
    strip = next(s for s in stage.part("vse").all_strips(scene) if s.type == "MOVIE")
    return _both(scene, stage.choose(scene, strip), out)


def sequence(first: str, out: str) -> dict[str, Any]:
    """Pictures that begin at a number other than 0, trimmed."""
    scene = stage.new_scene()
    path = Path(first)
    names = sorted(p.name for p in path.parent.glob("*.png"))
    span = stage.part("core.timing").Span(start=20, stop=20 + len(names))
    arguments: dict[str, Any] = {
        "directory": str(path.parent),
        "files": [{"name": name} for name in names],
        "frame_start": span.start,
        "channel": 1,
        "fit_method": "ORIGINAL",
    }
    known = bpy.ops.sequencer.image_strip_add.get_rna_type().properties
    arguments.update({"length": 1} if "length" in known else {"frame_end": span.start + 1})
    arguments.update({name: False for name in stage.part("result_placer")._OFF if name in known})
    with stage.sequencer_context(scene):
        bpy.ops.sequencer.image_strip_add(**arguments)
    strip = stage.part("vse").all_strips(scene)[0]
    stage.part("vse").set_span(strip, stage.part("core.timing").Span(start=24, stop=39))
    return _both(scene, stage.choose(scene, strip), out)


def meta(clip: str, out: str) -> dict[str, Any]:
    scene = stage.new_scene()
    vse = stage.part("vse")
    strips = vse.children(scene.sequence_editor)
    meta_strip = strips.new_meta(name="shots", channel=2, frame_start=1)
    vse.children(meta_strip).new_movie(name="inner", filepath=clip, channel=1, frame_start=1)
    vse.set_span(meta_strip, stage.part("core.timing").Span(start=1, stop=20))
    return _both(scene, stage.choose(scene, meta_strip), out)


def graded(clip: str, out: str) -> dict[str, Any]:
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    stage.part("vse").set_sequencer_scene(scene)
    strip.modifiers.new("grade", "BRIGHT_CONTRAST").bright = 5.0
    return _both(scene, strip, out)


def as_frames(clip: str, out: str) -> dict[str, Any]:
    """A result as image sequence."""
    scene = stage.new_scene()
    scene.fresco.output = "FRAMES"
    strip = stage.add_movie(scene, clip, start=11)
    stage.part("vse").set_span(strip, stage.part("core.timing").Span(start=14, stop=29))
    return _both(scene, strip, out)


def at_another_machine(first: str, clip: str, address: str, token: str, out: str) -> Any:
    """Pictures and a reversed movie, restyled by a daemon that cannot see their files."""
    chosen = stage.part("preferences").preferences()
    chosen.token, chosen.address = token, address
    pictures = sequence(first, str(Path(out) / "pictures"))
    scene = stage.new_scene()
    movie = stage.add_movie(scene, clip, start=11)
    movie.use_reverse_frames = True
    stage.part("vse").set_span(movie, stage.part("core.timing").Span(start=15, stop=30))
    scene.frame_current = 20
    bpy.ops.fresco.look()
    state = stage.part("state").state
    stage.wait_for("the look", lambda: state.look_picture or state.look_fault)
    strips = stage.part("vse").all_strips(scene)
    look = next(strip for strip in strips if strip.get("fresco_look") == "picture")
    looked = stage.render(scene, look, Path(out) / "look")
    bpy.ops.fresco.clear_look()
    stage.choose(scene, movie)
    return {
        "pictures": pictures,
        "movie": _both(scene, movie, str(Path(out) / "movie")),
        "look": looked,
    }


def with_handles(clip: str, out: str) -> dict[str, Any]:
    """Frames beyond the strip's ends are there when the result is trimmed longer."""
    scene = stage.new_scene()
    scene.fresco.handles = 4
    strip = stage.add_movie(scene, clip, start=1)
    span = stage.part("core.timing").Span
    vse = stage.part("vse")
    vse.set_span(strip, span(start=9, stop=20))
    found = _both(scene, strip, out)
    result = next(s for s in vse.all_strips(scene) if s.get("fresco_recipe"))
    for longer in (strip, result):
        vse.set_span(longer, span(start=5, stop=24))
    found["longer_source"] = stage.render(scene, strip, Path(out) / "longer source")
    found["longer_result"] = stage.render(scene, result, Path(out) / "longer result")
    return found


def bundled_model(clip: str, out: str) -> dict[str, Any]:
    """The model that comes with Fresco, a style and no prompt."""
    scene = stage.new_scene()
    stage.wait_for("the model's styles", lambda: stage.part("state").state.styles(""))
    scene.fresco.prompt, scene.fresco.style, scene.fresco.preset = "", "watercolour", "DRAFT"
    scene.fresco.use_size, scene.fresco.size = True, 96
    scene.fresco.use_strength, scene.fresco.strength = True, 0.35
    # Squares that blink do not move: between keyframes motion would carry on the last number.
    scene.fresco.use_keyframes, scene.fresco.keyframe_min, scene.fresco.keyframe_max = True, 1, 1
    strip = stage.add_movie(scene, clip, start=5)
    stage.part("vse").set_span(strip, stage.part("core.timing").Span(start=9, stop=25))
    found = _both(scene, strip, out)
    styles = stage.part("state").state.styles("")
    return {**found, "styles": [style.name for style in styles]}
