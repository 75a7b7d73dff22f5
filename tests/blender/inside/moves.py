"""Scenarios: what moves and fades on a strip does so on its result, and nowhere twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import stage

LAST = 90


def every(**arguments: Any) -> dict[str, Any]:
    return stage.every("moves", **arguments)


def _curves(scene: Any) -> list[Any]:
    animation = stage.part("animation")
    return [c for channels in animation._all_channels(scene) for c in channels.fcurves]


def _keyed(owner: Any, name: str, *keys: tuple[int, Any], index: int = -1) -> Any:
    """Keys on a property; its curve."""
    scene = owner.id_data
    for frame, value in keys:
        if index < 0:
            setattr(owner, name, value)
        else:
            getattr(owner, name)[index] = value
        owner.keyframe_insert(name, index=index, frame=frame)
    return next(c for c in reversed(_curves(scene)) if c.data_path.endswith(name))


def _fade(strip: Any) -> None:
    curve = _keyed(strip, "blend_alpha", (5, 0.0), (30, 1.0), (60, 1.0), (80, 0.0))
    curve.keyframe_points[0].interpolation = "SINE"
    curve.keyframe_points[0].easing = "EASE_OUT"
    curve.keyframe_points[2].interpolation = "CONSTANT"


def _handles(strip: Any) -> None:
    curve = _keyed(strip.transform, "offset_x", (1, 0.0), (40, 90.0))
    first = curve.keyframe_points[0]
    first.handle_left_type, first.handle_right_type = "FREE", "VECTOR"
    first.handle_right_type = "FREE"
    first.handle_right = (9.0, 70.0)
    curve.keyframe_points[1].handle_left_type = "ALIGNED"
    curve.extrapolation = "LINEAR"


def _modifiers(strip: Any) -> None:
    curve = _keyed(strip.transform, "rotation", (1, 0.0), (20, 1.0))
    cycles = curve.modifiers.new("CYCLES")
    cycles.mode_after, cycles.mode_before = "REPEAT_OFFSET", "MIRROR"
    noise = curve.modifiers.new("NOISE")
    noise.strength, noise.scale, noise.phase = 2.0, 5.0, 3.0
    noise.use_restricted_range, noise.frame_start, noise.frame_end = True, 5, 70
    limits = curve.modifiers.new("LIMITS")
    limits.use_min_y = limits.use_max_y = True
    limits.max_y, limits.min_y = 3.5, 0.25


def _made_by_modifiers(strip: Any) -> None:
    curve = _keyed(strip.transform, "scale_x", (1, 1.0))
    generator = curve.modifiers.new("GENERATOR")
    generator.poly_order = 2
    generator.coefficients = (0.5, 0.02, 0.0001)
    wave = _keyed(strip.transform, "scale_y", (1, 1.0)).modifiers.new("FNGENERATOR")
    wave.amplitude, wave.phase_multiplier, wave.use_additive = 0.2, 0.3, True
    envelope = _keyed(strip.transform, "offset_y", (1, 0.0), (50, 40.0)).modifiers.new("ENVELOPE")
    envelope.control_points.add(3)
    envelope.control_points.add(40)
    for name, numbers in {"min": (-2.0, -0.5), "max": (0.5, 0.75)}.items():
        envelope.control_points.foreach_set(name, numbers)  # set one by one they may crash Blender


def _whole_numbers(strip: Any) -> None:
    _keyed(strip.crop, "min_x", (1, 0), (31, 10))
    _keyed(strip, "use_flip_y", (10, True), (20, False))
    _keyed(strip, "mute", (40, False), (50, True), (55, False))


def _parts_of_a_point(strip: Any) -> None:
    _keyed(strip.transform, "origin", (1, 0.0), (20, 1.0), index=1)


def _samples(strip: Any) -> None:
    curve = _keyed(strip.transform, "offset_x", (1, 0.0), (20, 50.0), (40, 10.0))
    curve.convert_to_samples(1, 40) if hasattr(curve, "convert_to_samples") else None


def _muted_curve(strip: Any) -> None:
    _keyed(strip, "blend_alpha", (1, 0.0), (30, 1.0)).mute = True
    strip.blend_alpha = 0.5


def _on_the_nla(strip: Any) -> None:
    _keyed(strip.crop, "max_x", (1, 0), (51, 20))
    data = strip.id_data.animation_data
    action, slot = data.action, getattr(data, "action_slot", None)
    placed = data.nla_tracks.new().strips.new("nla", 10, action)
    if slot is not None:
        placed.action_slot = slot
    data.action = None
    _keyed(strip.transform, "scale_x", (1, 1.0), (31, 2.0))


def _driven(strip: Any) -> None:
    """By another property of the same strip, which moves."""
    _keyed(strip.transform, "offset_x", (1, 0.0), (60, 100.0))
    driver = strip.driver_add("blend_alpha").driver
    variable = driver.variables.new()
    variable.name = "x"
    variable.targets[0].id_type, variable.targets[0].id = "SCENE", strip.id_data
    variable.targets[0].data_path = strip.transform.path_from_id() + ".offset_x"
    driver.expression = "x / 200"
    strip.transform.driver_add("rotation").driver.expression = "frame / 50"


ANIMATIONS: dict[str, Callable[[Any], None]] = {
    "fade": _fade,
    "handles": _handles,
    "modifiers": _modifiers,
    "made by modifiers": _made_by_modifiers,
    "whole numbers": _whole_numbers,
    "parts of a point": _parts_of_a_point,
    "samples": _samples,
    "muted curve": _muted_curve,
    "on the NLA": _on_the_nla,
    "driven": _driven,
}


def _described(strip: Any, *, with_mute: bool = True) -> tuple[Any, ...]:
    place, crop = strip.transform, strip.crop
    numbers = (place.offset_x, place.offset_y, place.scale_x, place.scale_y, place.rotation)
    return (
        *(round(number, 3) for number in (strip.blend_alpha, *numbers, *place.origin)),
        *(crop.min_x, crop.max_x, strip.use_flip_x, strip.use_flip_y),
        strip.mute and with_mute,
    )


def _scene(clip: str) -> tuple[Any, Any, Any]:
    """A scene, a strip with a name that has to be escaped, and a result to be."""
    bpy.ops.wm.read_homefile(use_empty=True)
    scene = stage.new_scene()
    old = stage.add_movie(scene, clip)
    old.name, old.blend_type = 'a "shot" \\ é', "ALPHA_OVER"
    strips = stage.part("vse").children(scene.sequence_editor)
    new = strips.new_movie(name="shot · Fresco", filepath=clip, channel=2, frame_start=1)
    return scene, old, new


def _copy_appearance(scene: Any, old: Any, new: Any, *, is_rendered: bool = False) -> None:
    request = SimpleNamespace(is_rendered=is_rendered, mask="")
    stage.part("appearance").copy(scene, old, new, request)


def _differences(scene: Any, old: Any, new: Any, *, with_mute: bool = True) -> list[Any]:
    found = []
    for frame in range(1, LAST):
        scene.frame_set(frame)
        both = [_described(strip, with_mute=with_mute) for strip in (old, new)]
        if both[0] != both[1]:
            found.append((frame, *both))
    return found[:3]


def _written(scene: Any, strip: Any) -> list[Any]:
    """All that a strip's curves and drivers are."""
    animation, path = stage.part("animation"), strip.path_from_id()
    return [
        (curve.data_path, curve.array_index, [tuple(k.co) for k in curve.keyframe_points])
        for curve in animation._of(_curves(scene) + list(scene.animation_data.drivers), path)
    ]


def copied(clip: str, out: str) -> dict[str, Any]:
    """Every kind of animation, copied twice as happens after undo."""
    found = {}
    for name, animate in ANIMATIONS.items():
        scene, old, new = _scene(clip)
        animate(old)
        scene.frame_set(1)
        before, moves = _written(scene, old), []
        for frame in range(1, LAST):
            scene.frame_set(frame)
            moves.append(_described(old))
        scene.frame_set(1)
        count = len(_written(scene, old))
        for _ in range(2):
            _copy_appearance(scene, old, new)
        found[name] = {
            "moves": len(set(moves)) > 1,
            "differences": _differences(scene, old, new),
            "source is as it was": _written(scene, old) == before,
            "as many": len(_written(scene, new)) == count,
        }
    return found


def groups(clip: str, out: str) -> dict[str, Any]:
    scene, old, new = _scene(clip)
    old.keyframe_insert("blend_alpha", frame=1, group="Fades")
    _copy_appearance(scene, old, new)
    path = new.path_from_id()
    mine = [curve for curve in _curves(scene) if curve.data_path.startswith(path)]
    return {"groups": [curve.group.name if curve.group else "" for curve in mine]}


def rendered(clip: str, out: str) -> dict[str, Any]:
    """What is in the pixels is not done once more; opacity is not in them."""
    scene, old, new = _scene(clip)
    _fade(old)
    _handles(old)
    _copy_appearance(scene, old, new, is_rendered=True)
    alpha, moved = [], []
    for frame in range(1, LAST):
        scene.frame_set(frame)
        alpha.append(round(old.blend_alpha - new.blend_alpha, 4))
        moved.append(new.transform.offset_x)
    return {"alpha": sorted(set(alpha)), "moved": sorted(set(moved))}


def replacing(clip: str, out: str) -> dict[str, Any]:
    """Blender ignores the opacity of a strip that replaces all below."""
    scene, old, new = _scene(clip)
    old.blend_type = "REPLACE"
    _fade(old)
    scene.frame_set(5)
    _copy_appearance(scene, old, new)
    scene.frame_set(6)
    return {"alpha": new.blend_alpha, "blend": new.blend_type}


def deleted(clip: str, out: str) -> dict[str, Any]:
    """By us, and by the user with the file saved afterwards."""
    counts = []
    for by_us in (True, False):
        scene, old, new = _scene(clip)
        _driven(old)
        _on_the_nla(old)
        before = _everything(scene)
        _copy_appearance(scene, old, new)
        assert _everything(scene) > before
        if by_us:
            stage.part("timeline").remove(scene, new)
        else:
            stage.part("vse").children(scene.sequence_editor).remove(new)
            Path(out).parent.mkdir(parents=True, exist_ok=True)
            bpy.ops.wm.save_as_mainfile(filepath=out + ".blend")
        counts.append(_everything(scene) - before)
    return {"left": counts}


def _everything(scene: Any) -> int:
    return len(_curves(scene)) + len(scene.animation_data.drivers)


def restyled(clip: str, out: str) -> dict[str, Any]:
    """All the way: while keyframes come, when the result is placed, rerolled and redone."""
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    strip.blend_type = "ALPHA_OVER"
    _fade(strip)
    _handles(strip)
    before = _everything(scene)
    scene.frame_set(1)
    card = stage.restyle(scene)
    timeline = stage.part("timeline")
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    key = next(s for strips in timeline.keys(scene, card.job_id).values() for s in strips)
    found: dict[str, Any] = {"key": _differences(scene, strip, key)}
    result = stage.placed(card)
    found["curves"] = _everything(scene) - 2 * before
    # A fade would be seen twice, so the source is muted by then.
    found["muted"] = [strip.mute, result.mute]
    found["result"] = _differences(scene, strip, result, with_mute=False)
    stage.choose(scene, result)
    scene.frame_set(20)
    assert bpy.ops.fresco.reroll(words="a cat") == {"FINISHED"}
    state = stage.part("state").state
    swapped = stage.placed(list(state.cards.values())[-1])
    found["rerolled"] = _differences(scene, strip, swapped, with_mute=False)
    stage.choose(scene, swapped)
    scene.frame_set(20)
    assert bpy.ops.fresco.redo() == {"FINISHED"}
    redone = stage.placed(list(state.cards.values())[-1])
    found["redone"] = _differences(scene, strip, redone, with_mute=False)
    found["muted"] += [swapped.mute, redone.mute]
    return found


def what_is_rendered(clip: str, out: str) -> dict[str, Any]:
    """What must be rendered, as curves or drivers change its pixels or its times."""
    vse = stage.part("vse")
    found: dict[str, bool] = {}
    scene, old, _ = _scene(clip)
    found["nothing"] = vse.is_graded(old) or vse.is_retimed(old, scene)
    _keyed(old, "color_saturation", (1, 1.0), (10, 0.0), (20, 1.0))
    scene.frame_set(1)
    found["saturation"] = vse.is_graded(old)
    scene, old, _ = _scene(clip)
    old.driver_add("color_multiply").driver.expression = "1 + 0 * frame"
    found["driven brightness"] = vse.is_graded(old)
    scene, old, _ = _scene(clip)
    vse.set_sequencer_scene(scene)
    modifier = old.modifiers.new("grade", "BRIGHT_CONTRAST")
    _keyed(modifier, "mute", (1, True), (30, False), (60, True))
    scene.frame_set(1)
    found["a modifier that is switched on later"] = vse.is_graded(old)
    scene, old, _ = _scene(clip)
    _keyed(old, "strobe", (1, 1.0), (20, 4.0), (40, 1.0))
    scene.frame_set(1)
    found["strobe"] = vse.is_retimed(old, scene)
    scene, old, _ = _scene(clip)
    found["nothing"] |= vse.is_read_otherwise(old, scene)
    old.colorspace_settings.name = "Non-Color"
    found["colour space"] = vse.is_read_otherwise(old, scene)
    scene, old, _ = _scene(clip)
    old.stream_index = 1
    found["second track"] = vse.is_read_otherwise(old, scene)
    return found


def beside_the_file(clip: str, out: str) -> dict[str, Any]:
    """Results and keyframes of a saved file are named relative to it."""
    scene = stage.new_scene()
    path = Path(f"{out} é/own.blend")
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    found: dict[str, Any] = {}
    for output in ("LOSSLESS", "FRAMES"):
        scene.fresco.output = output
        stage.add_movie(scene, clip, start=1 if output == "FRAMES" else 101)
        card = stage.restyle(scene)
        stage.wait_for("a keyframe", lambda card=card: card.keyframe_files)
        keys = stage.part("timeline").keys(scene, card.job_id)
        key = keys[next(iter(card.keyframe_files))][0]
        found[f"{output} key"] = [key.directory, _is_found(key)]
        result = stage.placed(card)
        name = result.directory if output == "FRAMES" else result.filepath
        found[output] = [name, _is_found(result)]
    bpy.ops.wm.save_mainfile()
    elsewhere = path.parent.rename(path.parent.with_name("elsewhere"))
    bpy.ops.wm.open_mainfile(filepath=str(elsewhere / path.name))
    timeline = stage.part("timeline")
    made = [s for s in stage.part("vse").all_strips(bpy.context.scene) if timeline.request_of(s)]
    for strip in made:
        found[f"moved {strip.type}"] = ["//fresco", timeline.is_file_there(strip)]
        folder = stage.part("source").moved_here(timeline.request_of(strip)).folder
        found[f"folder {strip.type}"] = ["//fresco", folder == str(elsewhere / "fresco")]
    return found


def _is_found(strip: Any) -> bool:
    if strip.type == "MOVIE":
        return Path(bpy.path.abspath(strip.filepath)).is_file()
    folder = Path(bpy.path.abspath(strip.directory))
    return all((folder / element.filename).is_file() for element in strip.elements)
