"""The main thread's side: a timer that empties the inbox and brings the timeline up to date.

It does a few milliseconds of work at a time, and none while Blender renders. It cannot run while
Blender saves or loads, which hold the main thread themselves.
"""

from __future__ import annotations

import logging
import queue
import sys
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import bpy
from bpy.app.handlers import persistent
from fresco_client import Analysed, Failed, FileFailed, Restarted, StateChanged

from . import animation, extract, session, source, timeline, vse
from .core.card import JobCard
from .core.desk import Desk
from .core.faults import Fault, fault_of
from .core.news import (
    Complaint,
    Gone,
    History,
    JobEvent,
    JobFault,
    JobLink,
    JobSeen,
    KeyframeFile,
    LinkChanged,
    LookFault,
    LookFile,
    LookProgressed,
    News,
    Rendered,
    RenderProgress,
    RenderWanted,
    ResultFile,
)
from .core.order import Order
from .preferences import doorway
from .state import state

_log = logging.getLogger(__name__)

BUDGET_S = 0.008
BUSY_S = 0.1
IDLE_S = 0.5
_SOURCE_GONE = (
    "The strip is no longer on the timeline. Undo its deletion, or select the strip to place the "
    "result above and press Place."
)
_UNDONE = "The result was taken off the timeline by undo. Press Place to put it back."

_placers: deque[timeline.KeyframePlacer] = deque()


class Hold:
    """How long ticks have held the main thread, for measurements."""

    longest_s = 0.0
    longest_cpu_s = 0.0
    """The same without what other programs took of the processor meanwhile."""


def open_desk() -> None:
    """Talk to the daemon the preferences name, from now on."""
    if state.desk is not None:
        state.desk.close()
    state.desk = Desk(doorway())
    state.link, state.link_fault, state.server = "away", None, None
    state.desk.connect(start=False)
    for card in state.cards.values():
        if card.is_open:
            attach(card)


def desk() -> Desk:
    """The desk; opened when it is first asked for."""
    if state.desk is None:
        open_desk()
    assert state.desk is not None
    return state.desk


def tick() -> float:
    """One beat of the timer; how long until the next."""
    began, used = time.perf_counter(), time.thread_time()
    if is_rendering():
        return BUSY_S
    try:
        changed = _drain(began)
        changed = _place_keyframes(began) or changed
        changed = _place_results() or changed
        if changed:
            vse.redraw()
    except Exception as error:
        # Blender would drop a timer that raises, and every job would seem to stand still.
        _log.exception("a piece of news could not be taken in")
        state.complaint = fault_of(error)
    Hold.longest_s = max(Hold.longest_s, time.perf_counter() - began)
    Hold.longest_cpu_s = max(Hold.longest_cpu_s, time.thread_time() - used)
    is_busy = bool(_placers) or state.look_share is not None or bool(state.open_cards)
    return BUSY_S if is_busy or state.link in {"connecting", "starting"} else IDLE_S


def is_rendering() -> bool:
    """Whether Blender renders, when strips must not be touched."""
    return bool(bpy.app.is_job_running("RENDER"))


def _is_over(began: float) -> bool:
    return time.perf_counter() - began > BUDGET_S


def _drain(began: float) -> bool:
    """Take news in; whether there was any."""
    has_changed = False
    while state.desk is not None and not _is_over(began):
        try:
            news = state.desk.inbox.get_nowait()
        except queue.Empty:
            break
        take(news)
        has_changed = True
    return has_changed


def _place_keyframes(began: float) -> bool:
    has_changed = False
    while _placers and not _is_over(began):
        has_changed = True
        if not _placers[0].work(lambda: _is_over(began)):
            _placers.popleft()
    return has_changed


def _place_results() -> bool:
    waiting = [
        card
        for card in state.cards.values()
        if card.phase == "fetching" and card.result is not None and card.fault is None
    ]
    for card in waiting:
        if not timeline.needs_operator(card.order) or Stillness.is_there():
            place(card)
    if Stillness.hushed and not any(timeline.needs_operator(card.order) for card in waiting):
        Stillness.end()
    return bool(waiting)


class Stillness:
    """Times in which no thread of ours runs Python, as `vse.sequencer_context` needs them."""

    hushed: ClassVar[set[str]] = set()
    """Jobs that are not followed meanwhile."""
    _beats = 0

    @classmethod
    def is_there(cls) -> bool:
        """Whether it is still now; asks for it if it is not, so that it soon will be."""
        if sys.version_info >= (3, 12):
            return True
        cls.hushed |= desk().hush()
        # Twice in a row, as a thread that said it is done may still be on its way to waiting.
        cls._beats = cls._beats + 1 if desk().is_still else 0
        return cls._beats > 1

    @classmethod
    def end(cls) -> None:
        """Follow the jobs again."""
        jobs, cls.hushed, cls._beats = cls.hushed, set(), 0
        for card in [state.cards[job_id] for job_id in jobs & state.cards.keys()]:
            if card.is_open and card.result is None and card.fault is None:
                attach(card)


def take(news: News) -> None:
    """Bring state and timeline up to date with one piece of news."""
    if isinstance(news, LinkChanged):
        _take_link(news)
    elif isinstance(news, History):
        state.history = news.jobs
    elif isinstance(news, Complaint):
        state.complaint = news.fault
    elif isinstance(news, LookProgressed):
        state.look_share = news.share
    elif isinstance(news, LookFault):
        state.look_share, state.look_fault = None, news.fault
    elif isinstance(news, LookFile):
        _take_look(news)
    elif isinstance(news, Gone):
        forget(news.job_id)
    else:
        _take_job(news)


def _take_link(news: LinkChanged) -> None:
    was_ready = state.link == "ready"
    state.link, state.link_fault = news.state, news.fault
    if news.state != "ready":
        return
    state.server, state.models, state.complaint = news.server, news.models, None
    if not was_ready:
        for card in state.cards.values():
            is_waiting = card.fault is not None and card.fault.remedy in _LINK_REMEDIES
            if card.is_open and is_waiting:
                attach(card)


_LINK_REMEDIES = {"START", "RECONNECT", "PREFERENCES"}


def _take_job(news: Any) -> None:
    job_id = news.order.job_id if hasattr(news, "order") else getattr(news, "job_id", "")
    if isinstance(news, JobSeen):
        job_id = news.job.id
    card = state.cards.get(job_id)
    if card is None:
        return
    if isinstance(news, JobSeen):
        card.describe(news.job)
        _refresh(card)
    elif isinstance(news, JobEvent):
        _take_event(card, news)
    elif isinstance(news, JobLink):
        card.is_connected = news.is_connected
    elif isinstance(news, JobFault):
        card.fault = news.fault
    elif isinstance(news, KeyframeFile):
        card.keyframe_files[news.index] = news.path
        _refresh(card, {news.index})
    elif isinstance(news, RenderWanted):
        _render_instead(card)
    elif isinstance(news, RenderProgress):
        card.rendered_share = news.done / max(news.total, 1)
    elif isinstance(news, Rendered):
        card.phase = "sending"
        desk().submit(card.order)
    elif isinstance(news, ResultFile):
        card.result, card.result_frames = news.path, news.frame_count
        card.phase = "fetching"


def _take_event(card: JobCard, news: JobEvent) -> None:
    card.take(news.event)
    if isinstance(news.event, Analysed | Failed | Restarted | StateChanged):
        _refresh(card)
    if card.phase == "ended":
        scene = timeline.find_scene(card.job_id)
        if scene is not None:
            timeline.remove_keys(scene, card.job_id)
            timeline.unmark(scene, card.job_id)


def _refresh(card: JobCard, indices: set[int] | None = None) -> None:
    """Put keyframes onto the timeline, step by step, unless the result is there."""
    if not card.is_open or card.plan is None or card.order.replaces:
        return
    _placers.append(timeline.KeyframePlacer(card, indices))


def place(card: JobCard) -> bool:
    """Put a fetched result onto the timeline, once; whether it is there now."""
    order = card.order
    scene = timeline.find_scene(order.job_id)
    _drop_placers(card)
    try:
        if scene is None:
            is_there = any(timeline.results(s, order.job_id) for s in bpy.data.scenes)
        elif order.replaces:
            is_there = bool(timeline.swap_result(scene, card))
        else:
            timeline.place_result(scene, card)
            is_there = bool(timeline.results(scene, order.job_id))
    except timeline.NoRoom as error:
        card.fault = Fault(str(error), "PLACE")
        return False
    if not is_there:
        card.fault = Fault(_SOURCE_GONE, "PLACE")
        return False
    card.phase, card.fault = "placed", None
    if scene is not None:
        timeline.remove_keys(scene, order.job_id)
        timeline.unmark(scene, order.job_id)
    push_undo(f"Fresco: Result of {order.title}")
    desk().list_history()
    return True


def _drop_placers(card: JobCard) -> None:
    for placer in [placer for placer in _placers if placer.job_id == card.job_id]:
        _placers.remove(placer)


def push_undo(name: str) -> None:
    """A step with a name; without one, what a timer changed is lost with the next undo."""
    # Timers have a window in their context; overriding it is not safe (see vse.sequencer_context).
    if not bpy.app.background:
        bpy.ops.ed.undo_push(message=name)


def begin(strip: Any, scene: Any, wish: source.Wish) -> JobCard:
    """Start what is wished for a strip."""
    order = wish.order
    card = JobCard(order)
    state.cards[order.job_id] = card
    timeline.mark(strip, order)
    if wish.needs_render:
        _render(card, strip, scene)
    else:
        desk().submit(order)
    return card


def _render(card: JobCard, strip: Any, scene: Any) -> None:
    order = card.order
    card.phase, card.rendered_share, card.fault = "rendering", 0.0, None
    try:
        command = extract.render_command(strip, scene, order)
    except FileFailed as error:
        card.fault = fault_of(error, "SEND")
        return
    desk().render(order, command, order.stop - order.start)


def _render_instead(card: JobCard) -> None:
    """Blender and Fresco would count the file's frames differently: render what Blender shows."""
    scene = timeline.find_scene(card.job_id)
    strip = next(iter(timeline.sources(scene, card.job_id)), None) if scene else None
    if strip is None:
        card.fault = Fault(_SOURCE_GONE, "SEND")
        return
    order = source.rendered_order(card.order, strip, scene)
    prompts = _moved_prompts(card.order, order)
    card.order = replace(order, settings={**order.settings, **prompts})
    timeline.mark(strip, card.order)
    _render(card, strip, scene)


def _moved_prompts(old: Order, new: Order) -> dict[str, Any]:
    """Words of markers, by the frames of another source."""
    words = old.settings.get("keyframe_prompts")
    if not words:
        return {}
    shift = (new.start - new.lead) - (old.start - old.lead)
    return {"keyframe_prompts": {str(int(frame) + shift): text for frame, text in words.items()}}


def send_again(card: JobCard) -> None:
    """Try once more what could not be sent."""
    card.fault = None
    needs_pixels = card.order.is_rendered and not Path(card.order.path).exists()
    if card.phase != "rendering" and not needs_pixels:
        card.phase = "sending"
        desk().submit(card.order)
        return
    scene = timeline.find_scene(card.job_id)
    strip = next(iter(timeline.sources(scene, card.job_id)), None) if scene else None
    if strip is None:
        card.fault = Fault(_SOURCE_GONE, "SEND")
    else:
        _render(card, strip, scene)


def attach(card: JobCard) -> None:
    """Take a job up again, wherever it is by now."""
    if card.phase in {"sending", "rendering"} and card.state is None:
        send_again(card)
        return
    card.fault = None
    desk().follow(card.order, card.last_sequence)


def forget(job_id: str) -> None:
    """Take a job off panel and timeline; a result that is placed stays."""
    card = state.cards.pop(job_id, None)
    if card is None:
        return
    _drop_placers(card)
    desk().leave(job_id)
    for scene in bpy.data.scenes:
        timeline.remove_keys(scene, job_id)
        timeline.unmark(scene, job_id)


def _take_look(news: LookFile) -> None:
    from . import looks

    state.look_share, state.look_fault, state.look_picture = None, None, news.path
    looks.show(news.order, news.path)


@persistent
def _after_undo(*_: Any) -> None:
    """Undo also takes away what timers did since its last step: put keyframes there again.

    A result that was undone stays away: that was the user's wish.
    """
    _placers.clear()
    for card in state.cards.values():
        if card.result is None:
            _refresh(card)
            continue
        is_there = any(timeline.results(scene, card.job_id) for scene in bpy.data.scenes)
        if is_there:
            card.phase, card.fault = "placed", None
        elif card.phase == "placed":
            card.phase, card.fault = "fetching", Fault(_UNDONE, "PLACE")
        elif card.fault == Fault(_SOURCE_GONE, "PLACE") and timeline.find_scene(card.job_id):
            card.fault = None  # its strip is back: the next tick places it


@persistent
def _before_save(*_: Any) -> None:
    """Results may have been deleted: what drove them is not to be saved."""
    for scene in bpy.data.scenes:
        animation.sweep(scene, timeline.MADE)


@persistent
def _before_load(*_: Any) -> None:
    """The file is closed: its jobs go on at the daemon, but nothing is to be placed."""
    _placers.clear()
    if state.desk is not None:
        for job_id in state.cards:
            state.desk.leave(job_id)
    state.cards.clear()


@persistent
def _after_load(*_: Any) -> None:
    """Take up the jobs that the strips of this file say are open."""
    session.note_scripts()
    for scene in bpy.data.scenes:
        for order in timeline.open_orders(scene):
            card = JobCard(order, phase="working")
            state.cards[order.job_id] = card
            attach(card)


_HANDLERS = (
    ("undo_post", _after_undo),
    ("redo_post", _after_undo),
    ("save_pre", _before_save),
    ("load_pre", _before_load),
    ("load_post", _after_load),
)


def register() -> None:
    """Begin to beat."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    bpy.app.timers.register(_first_tick, first_interval=0.1, persistent=True)


def _first_tick() -> None:
    """Blender is up: the scene may be read and preferences are there."""
    open_desk()
    _after_load()
    bpy.app.timers.register(tick, first_interval=0.0, persistent=True)


def unregister() -> None:
    """Stop at once; nothing is waited for."""
    for function in (tick, _first_tick):
        if bpy.app.timers.is_registered(function):
            bpy.app.timers.unregister(function)
    for name, handler in _HANDLERS:
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:
            handlers.remove(handler)
    if state.desk is not None:
        state.desk.close()
        state.desk = None
    _placers.clear()
    state.cards.clear()
    state.link = "away"
