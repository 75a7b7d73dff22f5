"""Keyframes and results onto the timeline, some at a time, at moments that are safe."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

import bpy

from . import stack, timeline
from .core.card import JobCard
from .core.faults import PluginFault, fault_of
from .keyframe_placer import KeyframePlacer
from .result_placer import needs_operator, place_result, swap_result
from .state import state
from .submission import SOURCE_GONE, attach, daemon_worker, rejoin, withdraw

_UNDONE_RESTYLE = (
    "The result is there, and Restyle was undone. Redo that, or select the strip to place the "
    "result above and press Place."
)
_UNDONE = "The result was taken off the timeline by undo. Press Place to put it back."
_WITHOUT_STRIP = (SOURCE_GONE, _UNDONE_RESTYLE)
_waiting: deque[KeyframePlacer] = deque()


class QuietPeriod:
    """A time in which no thread of ours runs Python, as `vse.sequencer_context` needs one."""

    left_jobs: ClassVar[set[str]] = set()
    """Jobs that are not followed meanwhile."""
    _ticks = 0

    @classmethod
    def is_there(cls) -> bool:
        """Whether it is quiet now; asks for it if it is not, so that it soon will be."""
        if sys.version_info >= (3, 12):
            return True
        cls.left_jobs |= daemon_worker().leave_all()
        # Twice in a row, as a thread that said it is done may still be on its way to waiting.
        cls._ticks = cls._ticks + 1 if daemon_worker().is_idle else 0
        return cls._ticks > 1

    @classmethod
    def end(cls) -> None:
        """Follow the jobs again."""
        jobs, cls.left_jobs, cls._ticks = cls.left_jobs, set(), 0
        for card in [state.cards[job_id] for job_id in jobs & state.cards.keys()]:
            if card.is_open and card.result is None and card.fault is None:
                attach(card)


def is_busy() -> bool:
    """Whether keyframes wait to be placed."""
    return bool(_waiting)


def show_keyframes(card: JobCard, indices: set[int] | None = None) -> None:
    """Let keyframes be put onto the timeline, unless the result is there; `indices` None: all."""
    if card.is_open and card.plan is not None and not card.request.replaces:
        _waiting.append(KeyframePlacer(card, indices))


def drop(job_id: str | None = None) -> None:
    """Place no more keyframes of a job, or of any."""
    kept = [placer for placer in _waiting if job_id not in {None, placer.job_id}]
    _waiting.clear()
    _waiting.extend(kept)


def place_keyframes(is_over: Callable[[], bool]) -> bool:
    """Place keyframes until the time is over; whether there were any."""
    has_changed = False
    while _waiting and not is_over():
        has_changed = True
        if not _waiting[0].work(is_over):
            _waiting.popleft()
    return has_changed


def place_results() -> bool:
    """Place results that were fetched; whether there were any."""
    fetched = [
        card
        for card in state.cards.values()
        if card.phase == "fetching" and card.result is not None and card.fault is None
    ]
    for card in fetched:
        if not needs_operator(card.request) or QuietPeriod.is_there():
            try:
                place(card)
            except Exception as error:
                # Not at every tick anew: each might leave a strip.
                card.fault = fault_of(error, "PLACE")
                raise
    if QuietPeriod.left_jobs and not any(needs_operator(card.request) for card in fetched):
        QuietPeriod.end()
    return bool(fetched)


def place(card: JobCard) -> bool:
    """Put a fetched result onto the timeline, once; whether it is there now."""
    request = card.request
    scenes = timeline.scenes_of(request.job_id)
    drop(request.job_id)
    try:
        for scene in scenes:
            (swap_result if request.replaces else place_result)(scene, card)
        is_there = is_placed(request.job_id)
    except timeline.NoRoom as error:
        card.fault = PluginFault(str(error), "PLACE")
        return False
    if not is_there:
        card.fault = PluginFault(_UNDONE_RESTYLE if card.is_withdrawn else SOURCE_GONE, "PLACE")
        return False
    card.phase, card.fault = "placed", None
    for scene in scenes:
        stack.withdraw(scene, request.job_id)
    push_undo(f"Fresco: Result of {request.title}")
    daemon_worker().list_history()
    return True


def is_placed(job_id: str) -> bool:
    """Whether a job's result is on any timeline."""
    return any(timeline.results(scene, job_id) for scene in bpy.data.scenes)


def push_undo(name: str) -> None:
    """A step with a name; without one, what a timer changed is lost with the next undo."""
    # Timers have a window in their context; overriding it is not safe (see vse.sequencer_context).
    if not bpy.app.background:
        bpy.ops.ed.undo_push(message=name)


def forget(job_id: str) -> None:
    """Take a job off panel and timeline; a result that is placed stays."""
    if state.cards.pop(job_id, None) is None:
        return
    drop(job_id)
    daemon_worker().leave(job_id)
    for scene in bpy.data.scenes:
        stack.withdraw(scene, job_id)


def follow_undo(card: JobCard) -> None:
    """Undo also takes away what timers did since its last step: put keyframes there again.

    A result that was undone stays away: that was the user's wish. So does a job whose Restyle was
    undone: it waits.
    """
    is_noted = timeline.find_scene(card.job_id) is not None
    if card.result is not None:
        _follow_undone_result(card, is_noted=is_noted)
    elif is_noted:
        if card.is_withdrawn:
            rejoin(card)
        show_keyframes(card)
    elif card.is_open and not card.is_withdrawn:
        withdraw(card)


def _follow_undone_result(card: JobCard, *, is_noted: bool) -> None:
    if is_placed(card.job_id):
        card.phase, card.fault = "placed", None
    elif card.phase == "placed":
        card.phase, card.fault = "fetching", PluginFault(_UNDONE, "PLACE")
    elif card.fault is not None and card.fault.message in _WITHOUT_STRIP and is_noted:
        card.is_withdrawn, card.fault = False, None  # its strip is back: the next tick places it


def watch_sources() -> bool:
    """Let keyframes follow a source that was moved or deleted; whether anything has changed.

    What was moved has to lie still for a while, as it may still be in the user's hand.
    """
    has_changed = False
    for card in [card for card in state.cards.values() if card.is_open and card.plan is not None]:
        if card.request.replaces or card.result is not None:
            continue
        scene = timeline.find_scene(card.job_id)
        is_gone = scene is None and not card.is_withdrawn
        has_changed |= card.is_source_gone != is_gone
        card.is_source_gone = is_gone
        if scene is None:
            for other in bpy.data.scenes:
                if timeline.keys(other, card.job_id):
                    drop(card.job_id)
                    timeline.remove_keys(other, card.job_id)
            continue
        places = timeline.places(scene, card.job_id)
        if places == card.places:
            continue
        if places == card.places_seen:
            card.places = places
            _place_anew(scene, card)
            has_changed = True
        card.places_seen = places
    return has_changed


def _place_anew(scene: Any, card: JobCard) -> None:
    if not timeline.keys(scene, card.job_id):
        return
    drop(card.job_id)
    timeline.remove_keys(scene, card.job_id)
    stack.lower(scene, card.job_id)
    show_keyframes(card)
