"""Handing jobs to the daemon that the preferences name, and taking them up again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from fresco_client import FileFailed, JobState

from . import extract, source, stack, timeline, vse
from .core.card import JobCard
from .core.daemon_worker import DaemonWorker
from .core.faults import PluginFault, fault_of
from .core.request import RestyleRequest
from .preferences import daemon_config
from .state import state

SOURCE_GONE = (
    "The strip is no longer on the timeline. Undo its deletion, or select the strip to place the "
    "result above and press Place."
)


def daemon_worker() -> DaemonWorker:
    """What talks to the daemon that the preferences name; opened when it is first asked for."""
    wanted = daemon_config()
    if state.daemon_worker is None or state.daemon_worker.daemon_config != wanted:
        _open_worker(DaemonWorker(wanted))
    assert state.daemon_worker is not None
    return state.daemon_worker


def _open_worker(opened: DaemonWorker) -> None:
    if state.daemon_worker is not None:
        state.daemon_worker.close()
    state.daemon_worker = opened
    state.connection, state.connection_fault, state.server = "away", None, None
    opened.connect(start=False)
    for card in state.cards.values():
        if card.is_open:
            attach(card)


def begin(strip: Any, scene: Any, prepared: source.PreparedRequest) -> JobCard:
    """Start what is wanted for a strip; there is room above it from now on.

    Raises:
        StripUnsuitable: what lies directly above it cannot be lifted.
    """
    request = prepared.request
    wanted = vse.span(strip)
    try:
        above = stack.top_of(scene, strip, wanted)
        stack.make_room(scene, strip, wanted, above, request.job_id)
    except timeline.NoRoom as error:
        raise source.StripUnsuitable(f"{strip.name}: {error}") from error
    card = JobCard(request)
    state.cards[request.job_id] = card
    timeline.mark(strip, request)
    if prepared.needs_render:
        _render(card, strip, scene)
    else:
        daemon_worker().submit(request)
    return card


def send_again(card: JobCard) -> None:
    """Try once more what could not be sent."""
    card.fault = None
    needs_pixels = card.request.is_rendered and not Path(card.request.path).exists()
    if card.phase != "rendering" and not needs_pixels:
        card.phase = "sending"
        daemon_worker().submit(card.request)
        return
    found = _source_of(card)
    if found is not None:
        _render(card, *found)


def attach(card: JobCard) -> None:
    """Take a job up again, wherever it is by now."""
    if card.phase in {"sending", "rendering"} and card.state is None:
        send_again(card)
        return
    card.fault = None
    daemon_worker().follow(card.request, card.last_sequence)


def cancel(card: JobCard) -> None:
    """End a job for good, wherever it is by now."""
    if card.is_at_work or card.phase in {"sending", "rendering"}:
        daemon_worker().cancel(card.request)


def withdraw(card: JobCard) -> None:
    """Its Restyle was undone: let the job wait, so that the device is free and nothing is lost."""
    card.is_withdrawn = True
    if card.phase == "rendering":
        daemon_worker().stop_rendering(card.request)
    else:
        hold_withdrawn(card)


def hold_withdrawn(card: JobCard) -> None:
    """Pause a job whose Restyle was undone, once the daemon has it."""
    if card.is_withdrawn and card.is_at_work and card.state is not JobState.PAUSED:
        daemon_worker().pause(card.job_id)


def rejoin(card: JobCard) -> None:
    """Its Restyle was done again: go on where it was."""
    card.is_withdrawn, card.fault = False, None
    if card.phase == "rendering":
        send_again(card)
    elif card.is_at_work:
        daemon_worker().resume(card.request, card.last_sequence)
    else:
        attach(card)


def render_instead(card: JobCard) -> None:
    """Blender and Fresco would count the file's frames differently: render what Blender shows."""
    found = _source_of(card)
    if found is None:
        return
    strip, scene = found
    request = source.rendered_request(card.request, strip, scene)
    prompts = _moved_prompts(card.request, request)
    card.request = replace(request, settings={**request.settings, **prompts})
    timeline.mark(strip, card.request)
    _render(card, strip, scene)


def change_request(card: JobCard, request: RestyleRequest) -> None:
    """Note what is known by now, on its strips too."""
    card.request = request
    for scene in bpy.data.scenes:
        for strip in timeline.sources(scene, card.job_id):
            timeline.mark(strip, request)


def _source_of(card: JobCard) -> tuple[Any, Any] | None:
    """The strip that a job is for, and its scene; None, and said so, if it is gone."""
    scene = timeline.find_scene(card.job_id)
    if scene is None:
        card.fault = PluginFault(SOURCE_GONE, "SEND")
        return None
    return timeline.sources(scene, card.job_id)[0], scene


def _render(card: JobCard, strip: Any, scene: Any) -> None:
    request = card.request
    card.phase, card.rendered_share, card.fault = "rendering", 0.0, None
    try:
        command = extract.render_command(strip, scene, request)
    except FileFailed as error:
        card.fault = fault_of(error, "SEND")
        return
    daemon_worker().render(request, command, request.stop - request.start)


def _moved_prompts(old: RestyleRequest, new: RestyleRequest) -> dict[str, Any]:
    """Words of markers, by the frames of another source."""
    words = old.settings.get("keyframe_prompts")
    if not words:
        return {}
    shift = (new.start - new.lead) - (old.start - old.lead)
    return {"keyframe_prompts": {str(int(frame) + shift): text for frame, text in words.items()}}
