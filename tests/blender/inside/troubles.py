"""Scenarios in which something goes wrong: each is to say so, and to lose nothing."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import bpy
import stage


def _state() -> Any:
    return stage.part("state").state


def _fault(card: Any) -> Any:
    return stage.wait_for("a fault", lambda: card.fault)


def _said(fault: Any) -> dict[str, str]:
    return {"message": fault.message, "remedy": fault.remedy}


def _wait_for_file(path: str) -> None:
    """Until the test has done its part."""
    stage.wait_for(f"{path}", lambda: Path(path).exists())


def missing_daemon(clip: str) -> dict[str, Any]:
    """None runs and none can be started; then there is one, and the job goes off by itself."""
    scene = stage.new_scene()
    stage.part("preferences").preferences().program = "/nowhere/fresco"
    stage.part("submission").daemon_worker()
    stage.wait_for("no daemon", lambda: _state().connection == "failed")
    connect = _said(_state().connection_fault)
    stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    return {"connect": connect, "send": _said(_fault(card)), "is_open": card.is_open}


def late_daemon(clip: str, go: str) -> dict[str, Any]:
    """A job that could not be sent is sent once the daemon is there."""
    scene = stage.new_scene()
    stage.part("preferences").preferences().program = "/nowhere/fresco"
    stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    said = _said(_fault(card))
    print("READY", flush=True)
    Path(go + ".asked").touch()
    _wait_for_file(go)
    bpy.ops.fresco.connect()
    result = stage.placed(card)
    return {"said": said, "result": stage.lies(result)}


def started_daemon(clip: str, program: str) -> dict[str, Any]:
    """One click starts the daemon."""
    stage.part("preferences").preferences().program = program
    stage.wait_for("no daemon", lambda: _state().connection == "failed")
    before = _said(_state().connection_fault)
    assert bpy.ops.fresco.connect() == {"FINISHED"}
    states = set()

    def is_ready() -> bool:
        states.add(_state().connection)
        return _state().connection == "ready"

    stage.wait_for("the daemon", is_ready)
    models = [model.name for model in _state().models]
    return {"before": before, "states": sorted(states), "models": models}


def killed_daemon(clip: str, mark: str) -> dict[str, Any]:
    """The daemon is killed when keyframes are there; the test starts it again."""
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    stage.wait_for("two keyframes", lambda: len(card.keyframe_files) >= 2)
    keys = stage.part("timeline").keys(scene, card.job_id)
    ready = sum(s.color_tag == "COLOR_04" for found in keys.values() for s in found)
    planned = sum(s.color_tag == "COLOR_09" for found in keys.values() for s in found)
    Path(mark).touch()
    stage.wait_for("the loss to be noticed", lambda: not card.is_connected)
    lost = card.progress_text
    result = stage.placed(card)
    return {
        "lost": lost,
        "ready": ready,
        "planned": planned,
        "result": stage.lies(result),
        "source": stage.lies(strip),
        "strips": len(stage.part("vse").all_strips(scene)),
    }


def refused(clip: str) -> dict[str, Any]:
    """Whatever is there does not let us in, or does not understand us."""
    scene = stage.new_scene()
    stage.add_movie(scene, clip)
    stage.wait_for("the link to fail", lambda: _state().connection == "failed")
    card = stage.restyle(scene)
    return {"connect": _said(_state().connection_fault), "send": _said(_fault(card))}


def remote(clip: str, address: str, token: str) -> dict[str, Any]:
    """A daemon by its address and token."""
    chosen = stage.part("preferences").preferences()
    chosen.token, chosen.address = token, address
    scene = stage.new_scene()
    stage.add_movie(scene, clip)
    stage.wait_for("an answer", lambda: _state().connection in {"failed", "ready"})
    if _state().connection == "failed":
        card = stage.restyle(scene)
        return {"connect": _said(_state().connection_fault), "send": _said(_fault(card))}
    return {"result": stage.lies(stage.placed(stage.restyle(scene)))}


def failing_job(clip: str, mark: str, go: str) -> dict[str, Any]:
    """The daemon's disk fills up; there is room again, and Resume is pressed."""
    scene = stage.new_scene()
    stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    stage.wait_for(
        "frames", lambda: card.plan and card.job.progress and card.state.value != "queued"
    )
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    Path(mark).touch()
    said = _said(_fault(card))
    keys = stage.wait_for("red keyframes", lambda: _colours(scene, card).count("COLOR_01"))
    Path(mark + ".said").touch()
    _wait_for_file(go)
    bpy.ops.fresco.resume(job_id=card.job_id)
    return {"said": said, "keys": keys, "result": stage.lies(stage.placed(card))}


def _colours(scene: Any, card: Any) -> list[str]:
    """Colours of a job's keyframes."""
    found = stage.part("timeline").keys(scene, card.job_id)
    return [strip.color_tag for strips in found.values() for strip in strips]


def full_own_disk(clip: str, folder: str, mark: str, go: str) -> dict[str, Any]:
    """The disk that results are put on is full."""
    scene = stage.new_scene()
    stage.part("preferences").preferences().output_folder = folder
    stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    said = _said(_fault(card))
    Path(mark).touch()
    _wait_for_file(go)
    bpy.ops.fresco.mend(job_id=card.job_id)
    return {"said": said, "result": stage.lies(stage.placed(card))}


def deleted_strip(clip: str) -> dict[str, Any]:
    """The strip is deleted while its job runs; its result can be placed on another."""
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    stage.part("timeline").remove(scene, strip)
    said = _said(_fault(card))
    before = [stage.lies(s) for s in stage.part("vse").all_strips(scene)]
    other = stage.add_movie(scene, clip, start=101)
    assert bpy.ops.fresco.place(job_id=card.job_id) == {"FINISHED"}
    result = stage.placed(card)
    return {
        "said": said,
        "file": card.result.exists(),
        "before": [lies["name"] for lies in before],
        "source": stage.lies(other),
        "result": stage.lies(result),
    }


def deleted_scene(clip: str) -> dict[str, Any]:
    """The whole scene is deleted."""
    other = bpy.data.scenes.new("other")
    scene = stage.new_scene()
    stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    window = bpy.context.window_manager.windows[0]
    window.scene = other
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = other
    bpy.data.scenes.remove(scene)
    return {"said": _said(_fault(card)), "file": card.result.exists()}


def closed_file(clip: str, blend: str) -> dict[str, Any]:
    """The file is saved and closed while a job runs, and opened again."""
    scene = stage.new_scene()
    stage.add_movie(scene, clip)
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    card = stage.restyle(scene)
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.read_homefile(use_empty=True)
    ends = time.monotonic() + 1
    stage.wait_for("some time", lambda: time.monotonic() > ends)
    elsewhere = [len(stage.part("vse").all_strips(s)) for s in bpy.data.scenes]
    cards_elsewhere = len(_state().cards)
    bpy.ops.wm.open_mainfile(filepath=blend)
    again = next(iter(_state().cards.values()))
    stage.placed(again)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=blend)
    scene = bpy.context.scene
    ends = time.monotonic() + 1
    stage.wait_for("some time", lambda: time.monotonic() > ends)
    return {
        "elsewhere": elsewhere,
        "cards_elsewhere": cards_elsewhere,
        "same": again.job_id == card.job_id,
        "at_last": [stage.lies(s) for s in stage.part("vse").all_strips(scene)],
        "cards_at_last": len(_state().cards),
    }


def left_alone(clip: str, blend: str) -> dict[str, Any]:
    """Blender is killed while a job runs."""
    scene = stage.new_scene()
    stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def taken_up(blend: str) -> dict[str, Any]:
    """Another Blender opens the file that one was killed over."""
    bpy.ops.wm.open_mainfile(filepath=blend)
    card = next(iter(_state().cards.values()))
    result = stage.placed(card)
    bpy.ops.wm.save_mainfile()
    scene = bpy.context.scene
    keys = stage.part("timeline").keys(scene, card.job_id)
    return {
        "result": stage.lies(result),
        "keys": len(keys),
        "strips": len(stage.part("vse").all_strips(scene)),
    }


def beside_another(clip: str, mark: str, other: str) -> dict[str, Any]:
    """Two Blenders at one daemon, each with a job, a look and a cancelled job of its own."""
    scene = stage.new_scene()
    stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    Path(mark).touch()
    _wait_for_file(other)
    scene.frame_current = 5
    bpy.ops.fresco.look()
    stage.wait_for("the look", lambda: _state().look_picture)
    result = stage.placed(card)
    stage.wait_for("both jobs in the history", lambda: len(_state().history) >= 2)
    return {"job": card.job_id, "result": stage.lies(result), "cards": len(_state().cards)}


def switched_off_and_on(clip: str, blend: str) -> dict[str, Any]:
    """The add-on is disabled and enabled while a job runs."""
    scene = stage.new_scene()
    stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    data = stage.part("preferences").preferences().data
    name = stage.module_name()
    timers = bpy.app.timers
    tick, first = stage.part("main_loop").tick, stage.part("main_loop").first_tick
    before = {n: len(getattr(bpy.app.handlers, n)) for n, _ in stage.part("handlers").HANDLERS}
    began = time.monotonic()
    bpy.ops.preferences.addon_disable(module=name)
    took_s = time.monotonic() - began
    is_clean = not hasattr(bpy.types.Scene, "fresco") and not timers.is_registered(tick)
    is_clean = is_clean and not timers.is_registered(first)
    after = {n: len(getattr(bpy.app.handlers, n)) for n in before}
    bpy.ops.preferences.addon_enable(module=name)
    stage.part("preferences").preferences().data = data
    stage.part("main_loop").first_tick()
    again = next(iter(stage.part("state").state.cards.values()))
    result = stage.placed(again)
    return {
        "took_s": took_s,
        "is_clean": is_clean,
        "handlers": [before[n] - after[n] for n in before],
        "result": stage.lies(result),
        "same": again.job_id == card.job_id,
    }


def many_renders(clip: str, go: str) -> dict[str, Any]:
    """Five strips have to be rendered, on a machine of three cores; then all are cancelled."""
    worker = stage.part("submission").daemon_worker()
    worker._renders = stage.part("core.rendering").StripRenders(worker.inbox, cores=3)
    scene = stage.new_scene()
    strips = [stage.add_movie(scene, clip, start=1 + 50 * number) for number in range(5)]
    for strip in strips:
        strip.color_saturation = 0.5
        strip.select = True
    assert bpy.ops.fresco.restyle() == {"FINISHED"}
    jobs = list(_state().cards)
    phases = [card.phase for card in _state().cards.values()]
    _wait_for_file(go)
    assert bpy.ops.fresco.cancel_all() == {"FINISHED"}
    stage.wait_for("the end of all", lambda: not _state().open_cards)
    threads = stage.part("core.daemon_worker").threading
    stage.wait_for(
        "the end of their Blenders",
        lambda: not any(thread.name.startswith("fresco-render") for thread in threads.enumerate()),
    )
    folder = stage.part("source").output_folder()
    stage.wait_for("the end of what they made", lambda: not [*folder.rglob("f_*.png")])
    return {
        "jobs": jobs,
        "phases": phases,
        "strips": [stage.lies(s)["type"] for s in stage.part("vse").all_strips(scene)],
        "marks": [name for s in strips for name in s.keys() if name.startswith("fresco")],  # noqa: SIM118
    }


def cancelled(clip: str) -> dict[str, Any]:
    """Pause, resume, cancel."""
    scene = stage.new_scene()
    strip = stage.add_movie(scene, clip)
    card = stage.restyle(scene)
    stage.wait_for("a keyframe", lambda: card.keyframe_files)
    bpy.ops.fresco.pause(job_id=card.job_id)
    stage.wait_for("the pause", lambda: card.state.value == "paused")
    bpy.ops.fresco.resume(job_id=card.job_id)
    stage.wait_for("the job to go on", lambda: card.state.value not in {"paused", "queued"})
    bpy.ops.fresco.cancel(job_id=card.job_id)
    stage.wait_for("the end", lambda: card.phase == "ended")
    names = [name for name in strip.keys() if name.startswith("fresco:")]  # noqa: SIM118
    return {
        "strips": [stage.lies(s)["name"] for s in stage.part("vse").all_strips(scene)],
        "marks": names,
        "open": len(_state().open_cards),
    }
