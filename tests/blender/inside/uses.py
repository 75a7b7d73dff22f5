"""Scenarios of use: looks, several strips, markers, masks, redo, wipes, presets, history."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import bpy
import stage


def every(**arguments: Any) -> dict[str, Any]:
    return stage.every("uses", **arguments)


def _state() -> Any:
    return stage.part("state").state


def _span(start: int, stop: int) -> Any:
    return stage.part("core.timing").Span(start=start, stop=stop)


def _looked(scene: Any) -> Any:
    """The look's strip, once it is there."""
    assert bpy.ops.fresco.look() == {"FINISHED"}
    former = _state().look_picture
    stage.wait_for("the look", lambda: _state().look_picture != former or _state().look_fault)
    assert _state().look_fault is None, _state().look_fault
    found = [s for s in stage.part("vse").all_strips(scene) if s.get("fresco_look") == "picture"]
    assert len(found) == 1
    return found[0]


def look(clip: str, out: str) -> dict[str, Any]:
    """One frame, then another in its place; then none."""
    _state().look_picture = None
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip, start=11)
    stage.part("vse").set_span(strip, _span(15, 40))
    files = []
    for frame in (18, 33):
        scene.frame_current = frame
        found = _looked(scene)
        files += stage.render(scene, found, Path(out) / str(frame))
        assert (stage.lies(found)["left"], stage.lies(found)["right"]) == (frame, frame + 1)
    bpy.ops.fresco.clear_look()
    return {"files": files, "left": len(stage.part("vse").all_strips(scene))}


def look_then_restyle(clip: str, out: str) -> dict[str, Any]:
    """What was looked at is what is made; the next time it is something else."""
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    scene.frame_current = 7
    _looked(scene)
    looked = scene.fresco.seed
    stage.choose(scene, strip)
    cards = [stage.restyle(scene), stage.restyle(scene)]
    seeds = [card.request.settings["seed"] for card in cards]
    for card in cards:
        stage.placed(card)
    return {"looked": looked, "seeds": seeds, "strips": len(stage.part("vse").all_strips(scene))}


def look_at_a_retimed_strip(clip: str, out: str) -> dict[str, Any]:
    _state().look_picture = None
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    strip.use_reverse_frames = True
    scene.frame_current = 4
    found = _looked(scene)
    return {
        "files": stage.render(scene, found, Path(out) / "look"),
        "source": stage.render(scene, strip, Path(out) / "source")[3:4],
    }


def look_that_fails(clip: str, out: str) -> dict[str, Any]:
    scene = stage.new_scene()
    scene.fresco.prompt = "unthinkable"
    stage.add_movie(scene, clip)
    scene.frame_current = 4
    bpy.ops.fresco.look()
    fault = stage.wait_for("a fault", lambda: _state().look_fault)
    return {"message": fault.message, "share": _state().look_share}


def copied_scene(clip: str, out: str) -> dict[str, Any]:
    """The scene is copied while its job runs; the copy is shown when its pictures are placed."""
    scene, goes_on = stage.new_scene(), Path(out).parents[1] / "go"
    scene.fresco.output = "FRAMES"
    stage.add_movie(scene, clip)
    goes_on.unlink()
    card = stage.restyle(scene)
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    bpy.ops.scene.new(type="FULL_COPY")
    copied = bpy.context.scene
    goes_on.touch()
    stage.wait_for("the result", lambda: card.phase == "placed" or card.fault)
    strips = [stage.part("vse").all_strips(one) for one in (scene, copied)]
    return {
        "fault": card.fault.message if card.fault else "",
        "is_other": scene != copied,
        "strips": [sorted(strip.name for strip in found) for found in strips],
        "left": [name for found in strips for one in found for name in _notes(one)],
    }


def _notes(strip: Any) -> list[str]:
    """What a strip still says of an open job."""
    return [name for name in strip.keys() if name.startswith("fresco:")]  # noqa: SIM118


def folder_that_takes_nothing(clip: str, out: str) -> dict[str, Any]:
    """Where results should go is a file: said at once, and no job is begun."""
    preferences = stage.part("preferences").preferences()
    blocked = Path(f"{out}.txt")
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.touch()
    former, preferences.output_folder = preferences.output_folder, str(blocked / "results")
    scene = stage.new_scene()
    stage.add_movie(scene, clip)
    scene.frame_current = 5
    said = []
    for press in (bpy.ops.fresco.restyle, bpy.ops.fresco.look):
        try:
            press()
        except RuntimeError as error:
            said.append(str(error))
    preferences.output_folder = former
    return {"said": said, "jobs": len(_state().cards)}


def several_strips(clip: str, out: str) -> dict[str, Any]:
    """Two strips on two channels and one of sound: two jobs."""
    scene = stage.new_scene()
    first = stage.add_movie(scene, clip)
    second = stage.add_movie(scene, clip, start=21, channel=2)
    stage.part("vse").set_span(second, _span(25, 45))
    first.select = second.select = True
    assert bpy.ops.fresco.restyle() == {"FINISHED"}
    cards = list(_state().cards.values())
    results = [stage.lies(stage.placed(card)) for card in cards]
    sources = [stage.lies(first), stage.lies(second)]
    return {
        "sources": sources,
        "results": results,
        "seeds": [c.request.settings["seed"] for c in cards],
    }


def markers(clip: str, out: str) -> dict[str, Any]:
    """Words of markers become words of keyframes; the strip is trimmed, so frames differ."""
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip, start=11)
    stage.part("vse").set_span(strip, _span(15, 45))
    for name, frame in (
        ("fresco: at night", 5),
        ("Fresco: snow", 25),
        ("other", 30),
        ("fresco:", 40),
    ):
        scene.timeline_markers.new(name, frame=frame)
    card = stage.restyle(scene)
    stage.placed(card)
    words = {int(index): text for index, text in card.request.settings["keyframe_prompts"].items()}
    job = _in_history(card)
    return {
        "words": {str(index): words.get(index, "") for index in (4, 13, 14, 28, 29, 33)},
        "sent": {str(i): t for i, t in job.settings.keyframe_prompts.items() if i in {4, 14}},
    }


def _in_history(card: Any) -> Any:
    """A job as the daemon lists it."""
    bpy.ops.fresco.refresh()
    return stage.wait_for(
        "the history", lambda: next((j for j in _state().history if j.id == card.job_id), None)
    )


def mask(clip: str, out: str) -> dict[str, Any]:
    """White on the left half: there the result is seen, on the right half the source."""
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    picture = bpy.data.images.new("mask", 160, 96)
    picture.pixels = [
        1.0 if x < 80 else float(c == 3) for _ in range(96) for x in range(160) for c in range(4)
    ]
    picture.filepath_raw, picture.file_format = str(Path(out).with_suffix(".png")), "PNG"
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    picture.save()
    strips = stage.part("vse").children(scene.sequence_editor)
    white = strips.new_image(name="matte", filepath=picture.filepath_raw, channel=5, frame_start=1)
    stage.part("vse").set_span(white, _span(1, 41))
    stage.choose(scene, strip)
    scene.fresco.mask = "gone"
    said = ""
    try:
        bpy.ops.fresco.restyle()
    except RuntimeError as error:
        said = str(error)
    scene.fresco.mask = "matte"
    card = stage.restyle(scene)
    result = stage.placed(card)
    for other in stage.part("vse").all_strips(scene):
        other.mute = other not in (strip, result)
    scene.render.use_sequencer = True
    files = _render_all(scene, Path(out) / "both", 8)
    return {"files": files, "modifiers": [m.type for m in result.modifiers], "said": said}


def _render_all(scene: Any, folder: Path, frame: int, *, is_final: bool = False) -> list[str]:
    """One frame of everything, as the preview shows it or as it `is_final`."""
    if hasattr(scene.render.image_settings, "media_type"):
        scene.render.image_settings.media_type = "IMAGE"
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.filepath = str(folder / "f_######")
    scene.render.use_sequencer = True
    whole = scene.frame_start, scene.frame_end
    scene.frame_start = scene.frame_end = frame
    with nullcontext() if is_final else stage.as_shown():
        bpy.ops.render.render(animation=True, scene=scene.name)
    # A strip that shows this scene lies by its beginning.
    scene.frame_start, scene.frame_end = whole
    return [str(path) for path in folder.glob("*.png")]


def final_render(clip: str, out: str) -> dict[str, Any]:
    """All that is there only while one works, on one timeline, which another scene shows too."""
    folder, goes_on = Path(out), Path(out).parents[1] / "go"
    vse, timeline = stage.part("vse"), stage.part("timeline")
    scene = stage.new_scene()
    stage.add_movie(scene, clip)
    result = stage.placed(stage.restyle(scene))
    source = stage.add_movie(scene, clip, start=51)
    whole = _scene_that_shows(scene)
    shots = [(scene, 8), (scene, 53), (scene, 63), (whole, 8), (whole, 53), (whole, 63)]

    def rendered(name: str, *, is_final: bool) -> list[str]:
        files = []
        for place, (shot, frame) in enumerate(shots):
            files += _render_all(shot, folder / name / str(place), frame, is_final=is_final)
        return files

    before = rendered("before", is_final=True)
    stage.choose(scene, result)
    assert bpy.ops.fresco.compare() == {"FINISHED"}
    stage.choose(scene, source)
    goes_on.unlink()
    card = stage.restyle(scene)
    count = len(stage.wait_for("the plan", lambda: card.plan and card.plan.keyframes))
    stage.wait_for("all keyframes", lambda: len(card.keyframe_files) == count)
    stage.wait_for("their strips", lambda: len(timeline.keys(scene, card.job_id)) == count)
    stage.choose(scene, source)
    scene.frame_current = 63  # restyling took an earlier look away
    look = _looked(scene)
    aids = [strip for strip in vse.all_strips(scene) if timeline.is_aid(strip)]
    shown, final = rendered("shown", is_final=False), rendered("final", is_final=True)
    found = {
        "aids": {"wipes": len(stage.part("compare").wipes(scene)), "all": len(aids) - count},
        "look": stage.lies(look)["left"],
        "are_seen_again": not any(strip.mute for strip in aids),
        "before": before,
        "shown": shown,
        "final": final,
    }
    goes_on.touch()
    stage.placed(card)
    return found


def _scene_that_shows(scene: Any) -> Any:
    """Another scene whose one strip is the timeline of `scene`."""
    other = bpy.data.scenes.new("whole")
    other.sequence_editor_create()
    other.render.resolution_x, other.render.resolution_y = (
        scene.render.resolution_x,
        scene.render.resolution_y,
    )
    other.render.fps, other.view_settings.view_transform = scene.render.fps, "Standard"
    scene.frame_start, scene.frame_end = 1, 100
    strips = stage.part("vse").children(other.sequence_editor)
    strip = strips.new_scene(name="timeline", scene=scene, channel=1, frame_start=1)
    strip.scene_input = "SEQUENCER"
    return other


def transparent(clip: str, out: str) -> dict[str, Any]:
    """A strip that is transparent, over a green one: seen are its look, keyframes and result."""
    folder = Path(out).parents[1]
    scene, goes_on = stage.new_scene(), folder / "go"
    strips = stage.part("vse").children(scene.sequence_editor)
    stage.add_colour(strips, "green", (0.0, 1.0, 0.0), 1)
    strip = stage.add_movie(scene, str(folder / "transparent.mov"), channel=2)
    above = stage.add_colour(strips, "above", (1.0, 0.0, 0.0), 3)
    above.blend_type, above.blend_alpha = "ALPHA_OVER", 0.0
    stage.choose(scene, strip)
    scene.frame_current = 6
    look = _looked(scene)
    shown = {"look": _render_all(scene, Path(out) / "look", 6)}
    files = {"look": stage.shown_file(look)}
    bpy.ops.fresco.clear_look()
    left = sorted(one.name for one in stage.part("vse").all_strips(scene))
    stage.choose(scene, strip)
    goes_on.unlink()
    card = stage.restyle(scene)
    timeline = stage.part("timeline")

    def keyframes() -> list[Any]:
        keys = timeline.keys(scene, card.job_id)
        ready = [key for found in keys.values() for key in found if key.color_tag == "COLOR_04"]
        return ready if card.plan and len(ready) == len(card.plan.keyframes) else []

    ready = stage.wait_for("all keyframes", keyframes)
    key = next(one for one in ready if stage.part("vse").span(one).cut_to(_span(6, 7)).length)
    key_index = key[timeline.KEY]
    channels = [strip.channel, key.channel, above.channel]
    covers = len(timeline.covers(scene)) - len(ready)
    is_as_it_was = not strip.mute and strip.blend_alpha == 1.0
    shown["keyframe"] = _render_all(scene, Path(out) / "keyframe", 6)
    # It goes when the result is placed.
    files["keyframe"] = shutil.copy(stage.shown_file(key), str(Path(out) / "keyframe.png"))
    goes_on.touch()
    stage.placed(card)
    shown["result"] = _render_all(scene, Path(out) / "result", 6)
    return {
        "shown": shown,
        "files": files,
        "key": key_index,
        "left": left,
        "covers": covers,
        "is_as_it_was": is_as_it_was,
        "channels": [*channels, above.channel],
    }


def split_behind_a_cover(clip: str, out: str) -> dict[str, Any]:
    """A transparent source is split, undone and cancelled while its keyframes hide it."""
    folder = Path(out).parents[1]
    scene, goes_on = stage.new_scene(), folder / "go"
    timeline, vse = stage.part("timeline"), stage.part("vse")
    strip = stage.add_movie(scene, str(folder / "transparent.mov"))
    goes_on.unlink()
    card = stage.restyle(scene)
    stage.wait_for("a cover", lambda: timeline.covers(scene))
    assert strip.split(frame=9, split_method="SOFT") is not None
    goes_on.touch()
    stage.wait_for("the result", lambda: card.phase == "placed")
    results = timeline.results(scene, card.job_id)
    return {
        "parts": sorted((vse.left(one), vse.right(one)) for one in results),
        "strips": sorted((one.type, one.mute) for one in vse.all_strips(scene)),
    }


def unsaved_work(clip: str, out: str) -> dict[str, Any]:
    """A look and a restyle of a strip that is rendered: whether Blender saves anything for them."""
    saved: list[str] = []
    bpy.app.handlers.save_pre.append(lambda *_: saved.append("saved"))
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    stage.part("vse").set_sequencer_scene(scene)
    strip.modifiers.new("grade", "BRIGHT_CONTRAST").bright = 5.0
    scene.frame_current = 4
    _looked(scene)
    bpy.ops.fresco.clear_look()
    stage.choose(scene, strip)
    result = stage.placed(stage.restyle(scene))
    bpy.app.handlers.save_pre.pop()
    return {"saved": saved, "result": bool(result)}


def undone_restyle(clip: str, out: str) -> dict[str, Any]:
    """Restyle is undone while its job runs and done again; then it is undone and cancelled."""
    goes_on, timeline = Path(out).parents[1] / "go", stage.part("timeline")
    scene = stage.new_scene()
    stage.add_movie(scene, clip)
    bpy.ops.ed.undo_push(message="a strip")
    goes_on.unlink()
    card = stage.restyle(scene)
    bpy.ops.ed.undo_push(message="Restyle")

    def keys() -> int:
        return len(timeline.keys(bpy.context.scene, card.job_id))

    def names() -> list[str]:
        return [strip.name for strip in stage.part("vse").all_strips(bpy.context.scene)]

    stage.wait_for("keyframes", keys)
    bpy.ops.ed.undo()
    stage.wait_for("the job to wait", lambda: card.state.value == "paused")
    undone, note = names(), card.note
    bpy.ops.ed.redo()
    stage.wait_for("the job to go on", lambda: card.state.value != "paused")
    stage.wait_for("keyframes again", keys)
    bpy.ops.ed.undo()
    stage.wait_for("the job to wait again", lambda: card.state.value == "paused")
    bpy.ops.fresco.cancel(job_id=card.job_id)
    goes_on.touch()
    stage.wait_for("the end", lambda: not card.is_open)
    return {
        "undone": undone,
        "note": note,
        "fault": card.fault.message if card.fault else "",
        "left": names(),
    }


def redo(clip: str, out: str) -> dict[str, Any]:
    """Settings of a result come back into the panel; the new result lies above the old one."""
    scene = stage.new_scene()
    scene.fresco.use_strength, scene.fresco.strength = True, 0.4
    scene.fresco.source_after = "MUTE"
    strip = stage.add_movie(scene, clip)
    first = stage.restyle(scene)
    old = stage.placed(first)
    scene.fresco.prompt, scene.fresco.use_strength = "something else", False
    scene.fresco.output, scene.fresco.source_after = "MOVIE", "KEEP"
    stage.choose(scene, old)
    results, source = stage.part("operators.results"), stage.part("source")
    former = source.kept_settings(scene.fresco)
    source.show_request(scene.fresco, stage.part("timeline").request_of(old))
    shown = [scene.fresco.prompt, scene.fresco.use_strength, round(scene.fresco.strength, 3)]
    shown += [scene.fresco.output, scene.fresco.source_after]
    source.restore_settings(scene.fresco, former)
    restored = [scene.fresco.prompt, scene.fresco.output]
    source.show_request(scene.fresco, stage.part("timeline").request_of(old))
    scene.fresco.prompt = "a negative, again"
    assert results.FRESCO_OT_redo.obstacle(bpy.context) == ""
    assert bpy.ops.fresco.redo() == {"FINISHED"}
    second = list(_state().cards.values())[-1]
    new = stage.placed(second)
    return {
        "shown": shown,
        "restored": restored,
        "old": stage.lies(old),
        "new": stage.lies(new),
        "source": stage.lies(strip),
        "prompt": second.request.settings["prompt"],
    }


def reroll(clip: str, out: str) -> dict[str, Any]:
    """The keyframe at the playhead is made anew; the result's strip stays and keeps its edits."""
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip, start=11)
    stage.part("vse").set_span(strip, _span(15, 45))
    first = stage.restyle(scene)
    result = stage.placed(first)
    before = result.filepath
    result.blend_alpha = 0.5
    stage.choose(scene, result)
    scene.frame_current = 26
    index = stage.part("selection").keyframe_at_playhead(bpy.context)
    assert bpy.ops.fresco.reroll(words="a cat") == {"FINISHED"}
    colour = result.color_tag
    obstacle = stage.part("operators.results").FRESCO_OT_reroll.obstacle(bpy.context)
    second = list(_state().cards.values())[-1]
    swapped = stage.placed(second)
    job = _in_history(second)
    return {
        "index": index,
        "colour": colour,
        "obstacle": obstacle,
        "name": swapped.name == result.name,
        "alpha": swapped.blend_alpha,
        "is_other_file": swapped.filepath != before,
        "parent": job.parent_id == first.job_id,
        "words": {str(i): t for i, t in job.settings.keyframe_prompts.items()},
        "strips": len(stage.part("vse").all_strips(scene)),
        "lies": stage.lies(swapped),
    }


def wipe(clip: str, out: str) -> dict[str, Any]:
    scene = stage.new_scene()
    stage.add_movie(scene, clip)
    scene.fresco.source_after = "MUTE"
    result = stage.placed(stage.restyle(scene))
    stage.choose(scene, result)
    is_muted = stage.part("compare").source_below(scene, result).mute
    assert bpy.ops.fresco.compare() == {"FINISHED"}
    files = _render_all(scene, Path(out) / "half", 8)
    scene.fresco.wipe = 0.0
    files += _render_all(scene, Path(out) / "none", 8)
    on = len(stage.part("compare").wipes(scene))
    stage.choose(scene, result)
    assert bpy.ops.fresco.compare() == {"FINISHED"}
    return {
        "files": files,
        "on": on,
        "off": len(stage.part("compare").wipes(scene)),
        "muted": is_muted,
    }


def missing_files(clip: str, out: str) -> dict[str, Any]:
    """What Blender reports as missing when a project was moved, and when its results were."""
    folder, goes_on = Path(f"{out} é"), Path(out).parents[1] / "go"
    here, elsewhere = folder / "here", folder / "elsewhere"
    here.mkdir(parents=True)
    shutil.copy(clip, here / "clip.mp4")
    scene, timeline = stage.new_scene(), stage.part("timeline")
    bpy.ops.wm.save_as_mainfile(filepath=str(here / "own.blend"))
    for place, output in enumerate(("LOSSLESS", "FRAMES")):
        scene.fresco.output = output
        stage.add_movie(scene, "//clip.mp4", start=1 + 50 * place)
        stage.placed(stage.restyle(scene))
    strip = stage.add_movie(scene, "//clip.mp4", start=101)
    goes_on.unlink()
    card = stage.restyle(scene)
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    stage.choose(scene, strip)
    scene.frame_current = 105
    _looked(scene)
    kinds = sorted({_kind(one) for one in stage.part("vse").all_strips(scene)})
    bpy.ops.wm.save_mainfile()
    here.rename(elsewhere)
    bpy.ops.wm.open_mainfile(filepath=str(elsewhere / "own.blend"))
    moved = _reported(folder)
    bpy.ops.fresco.cancel_all()
    goes_on.touch()
    stage.wait_for("the end", lambda: not _state().open_cards)
    bpy.ops.wm.save_mainfile()
    (elsewhere / "fresco").rename(folder / "results")
    bpy.ops.wm.open_mainfile(filepath=str(elsewhere / "own.blend"))

    def results() -> list[bool]:
        strips = stage.part("vse").all_strips(bpy.context.scene)
        return [timeline.is_file_there(one) for one in strips if timeline.request_of(one)]

    lost, reported = results(), _reported(folder)
    bpy.ops.file.find_missing_files(directory=str(folder))
    return {
        "kinds": kinds,
        "moved": moved,
        "lost": lost,
        "reported": len(reported),
        "found": results(),
        "left": _reported(folder),
    }


def _kind(strip: Any) -> str:
    timeline = stage.part("timeline")
    if strip.get(timeline.LOOK) == "picture":
        return "look"
    if strip.get(timeline.KEY) is not None:
        return "keyframe"
    return "result" if strip.get(timeline.RESULT_REQUEST) is not None else "source"


def _reported(folder: Path) -> list[str]:
    """What File > External Data > Report Missing Files prints."""
    sys.stdout.flush()
    kept, log = os.dup(1), folder / "report.txt"
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        try:
            bpy.ops.file.report_missing_files()
        finally:
            sys.stdout.flush()
            os.dup2(kept, 1)
            os.close(kept)
    return [line for line in log.read_text("utf-8").splitlines() if "not found" in line]


def split(clip: str, out: str) -> dict[str, Any]:
    """The source is split while its job runs: each half gets its part."""
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    assert strip.split(frame=21, split_method="SOFT") is not None
    stage.wait_for("the result", lambda: card.phase == "placed")
    found = stage.part("timeline").results(scene, card.job_id)
    parts = sorted((stage.lies(s)["left"], stage.lies(s)["right"]) for s in found)
    files = []
    for number, result in enumerate(sorted(found, key=stage.part("vse").left)):
        files += stage.render(scene, result, Path(out) / str(number))
    return {"parts": parts, "files": files}


def frames_beside_another_job(clip: str, out: str) -> dict[str, Any]:
    """A result of pictures is placed while another job is followed."""
    scene = stage.new_scene()
    scene.fresco.output = "FRAMES"
    strip = stage.add_movie(scene, clip)
    stage.part("vse").set_span(strip, _span(3, 13))
    first = stage.restyle(scene)
    scene.fresco.output = "LOSSLESS"
    stage.add_movie(scene, clip, start=51)
    second = stage.restyle(scene)
    result = stage.placed(first)
    was_open = second.is_open
    sizes = {(element.orig_width, element.orig_height) for element in result.elements}
    return {
        "was_open": was_open,
        "files": stage.render(scene, result, Path(out) / "first"),
        "sizes": sorted(sizes),
        "second": stage.lies(stage.placed(second)),
    }


def presets(clip: str, out: str) -> dict[str, Any]:
    scene, drawn = stage.new_scene(), stage.part("presets").FRESCO_PT_presets
    before = stage.drawn(drawn)
    scene.fresco.style, scene.fresco.prompt, scene.fresco.seed = "oil", "waves", 5
    scene.fresco.use_strength, scene.fresco.strength = True, 0.3
    bpy.ops.fresco.add_preset(name="my waves")
    scene.fresco.style, scene.fresco.prompt, scene.fresco.seed = "comic", "", 6
    scene.fresco.use_strength = False
    paths = bpy.utils.preset_paths("fresco")
    found = next(Path(p) / "my_waves.py" for p in paths if (Path(p) / "my_waves.py").exists())
    bpy.ops.script.execute_preset(filepath=str(found), menu_idname="FRESCO_MT_presets")
    s, after = scene.fresco, stage.drawn(drawn)
    return {
        "values": [s.style, s.prompt, s.seed, s.use_strength, round(s.strength, 2)],
        "labels": [before.labels, after.labels],
        "buttons": [before.operators, after.operators],
    }


def history(clip: str, out: str) -> dict[str, Any]:
    """A job that the file knows nothing of: its settings, its result on another strip, its end."""
    scene = stage.new_scene()
    scene.fresco.prompt = "from before"
    stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    stage.placed(card)
    bpy.ops.wm.read_homefile(use_empty=True)
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip, start=51)
    bpy.ops.fresco.refresh()
    stage.wait_for("history", lambda: card.job_id in {job.id for job in _state().history})
    bpy.ops.fresco.reuse(job_id=card.job_id)
    prompt = scene.fresco.prompt
    assert bpy.ops.fresco.place(job_id=card.job_id) == {"FINISHED"}
    result = stage.placed(_state().cards[card.job_id])
    bpy.ops.fresco.delete(job_id=card.job_id)
    stage.wait_for("its end", lambda: card.job_id not in {job.id for job in _state().history})
    return {
        "prompt": prompt,
        "source": stage.lies(strip),
        "result": stage.lies(result),
        "still_there": bool(stage.part("timeline").request_of(result)),
    }


def obstacles(clip: str, out: str) -> dict[str, Any]:
    """Why buttons are grey."""
    operators = {kind.__name__: kind for kind in stage.part("operators").CLASSES}
    said = {}

    def note(name: str, operator: str = "FRESCO_OT_restyle") -> None:
        said[name] = operators[operator].obstacle(bpy.context)

    bpy.context.scene.sequence_editor_clear()
    note("no strips")
    scene = stage.new_scene()
    note("nothing selected")
    strip = stage.add_movie(scene, clip)
    scene.fresco.prompt = ""
    note("no prompt")
    scene.fresco.style = "comic"
    note("style only")
    scene.fresco.prompt = "x"
    strip.lock = True
    note("locked")
    strip.lock = False
    channel = scene.sequence_editor.channels[strip.channel]
    channel.lock = True
    note("locked channel")
    channel.lock, channel.mute = False, True
    note("muted channel")
    channel.mute = False
    scene.frame_current = 500
    note("playhead", "FRESCO_OT_look")
    note("no result", "FRESCO_OT_redo")
    missing = (
        stage.part("vse")
        .children(scene.sequence_editor)
        .new_movie(name="gone", filepath=os.path.join(out, "gone.mp4"), channel=3, frame_start=1)
    )
    stage.choose(scene, missing)
    note("missing file")
    return said


def tooltips(clip: str, out: str) -> dict[str, Any]:
    """Everything that can be pressed or typed into says what it is."""
    silent = []
    for kind in stage.part("operators").CLASSES:
        module, name = kind.bl_idname.split(".")
        rna = getattr(getattr(bpy.ops, module), name).get_rna_type()
        if not rna.description:
            silent.append(kind.bl_idname)
    settings = bpy.types.Scene.bl_rna.properties["fresco"].fixed_type
    chosen = stage.part("preferences").FrescoPreferences.bl_rna
    for owner in (settings, chosen):
        for prop in owner.properties:
            if prop.identifier not in {"rna_type", "name", "bl_idname"} and not prop.description:
                silent.append(prop.identifier)
    return {"silent": silent}


def menu(clip: str, out: str) -> dict[str, Any]:
    """What the search for menu entries can find, and what it should."""
    drawn = stage.drawn(stage.part("menus").FRESCO_MT_menu)
    kinds = stage.part("operators").CLASSES
    wanted = [kind for kind in kinds if "INTERNAL" not in getattr(kind, "bl_options", ())]
    menus = [getattr(bpy.types, name) for name in stage.part("menus").MENUS]
    added = [stage.part("menus").draw_entry in kind.draw._draw_funcs for kind in menus]
    return {
        "entries": sorted(drawn.operators),
        "wanted": sorted(kind.bl_idname for kind in wanted),
        "labels": [kind.bl_label for kind in wanted],
        "added": added,
    }


def words(clip: str, out: str) -> dict[str, Any]:
    """What Blender would look up in its own words: everything without a context of ours."""
    kinds = [*stage.part("operators").CLASSES, *stage.part("panels").CLASSES]
    kinds += [*stage.part("menus").CLASSES, *stage.part("presets").CLASSES]
    found = []
    for kind in kinds:
        rna = kind.bl_rna
        if hasattr(kind, "bl_idname") and "." in kind.bl_idname:
            module, name = kind.bl_idname.split(".")
            rna = getattr(getattr(bpy.ops, module), name).get_rna_type()
        if rna.translation_context != "Fresco":
            found.append(kind.__name__)
    settings = bpy.types.Scene.bl_rna.properties["fresco"].fixed_type
    chosen = stage.part("preferences").FrescoPreferences.bl_rna
    for owner in (settings, chosen):
        for prop in owner.properties:
            is_ours = prop.identifier not in {"rna_type", "name", "bl_idname"}
            is_known = stage.part("language")._IS_FOR_PROPERTIES
            if is_ours and is_known and prop.translation_context != "Fresco":
                found.append(prop.identifier)
    return {"looked_up": found}


def styles(clip: str, out: str) -> dict[str, Any]:
    """Known before any daemon is, each with a picture."""
    state = stage.part("state")
    known = [style.name for style in state.State().styles("")]
    pictures = [name for name in known if state.style_picture(name).exists()]
    scene = stage.new_scene()
    assert bpy.ops.fresco.choose_style(style=known[1]) == {"FINISHED"}
    return {"known": known, "pictures": pictures, "chosen": scene.fresco.style}


def what_is_selected(clip: str, out: str) -> dict[str, Any]:
    """Of a closed meta itself, of an open one what is in it; never what nobody sees."""
    scene = stage.new_scene()
    vse, selection = stage.part("vse"), stage.part("selection")
    strips = vse.children(scene.sequence_editor)
    meta = strips.new_meta(name="meta", channel=1, frame_start=1)
    inner = vse.children(meta)
    for name, channel in (("one", 1), ("two", 2)):
        inner.new_movie(name=name, filepath=clip, channel=channel, frame_start=1)
    vse.set_span(meta, _span(1, 41))
    beside = strips.new_movie(name="beside", filepath=clip, channel=3, frame_start=1)
    for strip in vse.all_strips(scene):
        strip.select = True
    beside.select = False
    scene.sequence_editor.active_strip = meta
    closed = [strip.name for strip in selection.targets(bpy.context)]
    aid = strips.new_movie(name="aid", filepath=clip, channel=4, frame_start=1)
    aid["fresco_job"] = "some job"
    stage.choose(scene, aid)
    below = [strip.name for strip in selection.targets(bpy.context)]
    stage.choose(scene, meta)
    with stage.sequencer_context(scene):
        bpy.ops.sequencer.meta_toggle()
    for strip in inner:
        strip.select = strip.name == "two"
    opened = [strip.name for strip in selection.targets(bpy.context)]
    with stage.sequencer_context(scene):
        bpy.ops.sequencer.meta_toggle()
    return {"closed": closed, "opened": opened, "below": below}


def keyframes_follow(clip: str, out: str) -> dict[str, Any]:
    """The source is moved and trimmed while its job runs; a title above it makes room each time."""
    scene = stage.new_scene()
    vse, timeline = stage.part("vse"), stage.part("timeline")
    strip = stage.add_movie(scene, clip)
    title = vse.children(scene.sequence_editor).new_movie(
        name="title", filepath=clip, channel=2, frame_start=5
    )
    vse.set_span(title, _span(5, 30))
    stage.choose(scene, strip)
    card = stage.restyle(scene)
    channels = [title.channel]
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    bpy.ops.fresco.pause(job_id=card.job_id)
    stage.wait_for("the pause", lambda: card.state.value == "paused")

    def spans() -> list[list[int]]:
        keys = timeline.keys(scene, card.job_id).values()
        found = [[vse.left(key), vse.right(key)] for strips in keys for key in strips]
        return sorted(found)

    stage.wait_for("all keyframes", lambda: len(spans()) == len(card.plan.keyframes))
    before = spans()
    if hasattr(strip, "content_start"):
        strip.content_start = 101
    else:
        strip.frame_start = 101
    stage.wait_for("keyframes to follow", lambda: spans() and spans()[0][0] == 101)
    stage.wait_for("all of them", lambda: len(spans()) == len(before))
    moved = spans()
    channels.append(title.channel)
    stage.choose(scene, strip)
    bpy.ops.fresco.cancel(job_id=card.job_id)
    stage.wait_for("the end", lambda: card.phase == "ended")
    return {
        "before": before,
        "moved": moved,
        "channels": channels,
        "left": sorted(one.name for one in vse.all_strips(scene)),
        "notes": [name for name in title.keys() if name.startswith("fresco")],  # noqa: SIM118
    }


def room_is_given_back(clip: str, out: str) -> dict[str, Any]:
    """What a job lifted comes down again when that is cancelled; a locked strip is not lifted."""
    scene = stage.new_scene()
    vse = stage.part("vse")
    strip = stage.add_movie(scene, clip)
    strips = vse.children(scene.sequence_editor)
    above = [
        strips.new_movie(name=str(channel), filepath=clip, channel=channel, frame_start=1)
        for channel in (2, 3)
    ]
    stage.choose(scene, strip)
    card = stage.restyle(scene)
    lifted = [one.channel for one in above]
    bpy.ops.fresco.cancel_all()
    stage.wait_for("the end", lambda: not _state().open_cards)
    stage.wait_for("room", lambda: above[0].channel == 2)
    lowered = [one.channel for one in above]
    above[0].lock = True
    known = len(_state().cards)
    try:
        bpy.ops.fresco.restyle()
        said = ""
    except RuntimeError as error:
        said = str(error)
    return {
        "lifted": lifted,
        "lowered": lowered,
        "said": said,
        "begun": len(_state().cards) - known,
        "phase": card.phase,
    }
