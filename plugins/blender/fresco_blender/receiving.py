"""What the network's threads tell, brought into the state and onto the timeline."""

from __future__ import annotations

from typing import Any

from fresco_client import Analysed, Failed, Restarted, StateChanged

from . import looks, placing, stack, timeline
from .core.card import JobCard
from .core.messages import (
    ConnectionChanged,
    JobConnection,
    JobDeleted,
    JobDescribed,
    JobEvent,
    JobProblem,
    JobsListed,
    KeyframeFile,
    LookFault,
    LookFile,
    LookProgressed,
    Rendered,
    RenderNeeded,
    RenderProgress,
    RequestChanged,
    RequestFailed,
    ResultFile,
    WorkerMessage,
)
from .state import state
from .submission import attach, change_request, daemon_worker, hold_withdrawn, render_instead

_CONNECTION_REMEDIES = {"START", "RECONNECT", "PREFERENCES"}


def take(message: WorkerMessage) -> None:
    """Bring state and timeline up to date with one message."""
    if isinstance(message, ConnectionChanged):
        _take_connection(message)
    elif isinstance(message, JobsListed):
        state.history = message.jobs
    elif isinstance(message, RequestFailed):
        state.request_fault = message.fault
    elif isinstance(message, LookProgressed):
        state.look_share = message.share
    elif isinstance(message, LookFault):
        state.look_share, state.look_fault = None, message.fault
    elif isinstance(message, LookFile):
        state.look_share, state.look_fault, state.look_picture = None, None, message.path
        looks.show(message.request, message.path)
    elif isinstance(message, JobDeleted):
        placing.forget(message.job_id)
    else:
        card = state.cards.get(message.job_id)
        if card is not None:
            _take_job(card, message)


def _take_connection(message: ConnectionChanged) -> None:
    was_ready = state.connection == "ready"
    state.connection, state.connection_fault = message.state, message.fault
    if message.state != "ready":
        return
    state.server, state.models, state.request_fault = message.server, message.models, None
    if not was_ready:
        for card in state.cards.values():
            is_waiting = card.fault is not None and card.fault.remedy in _CONNECTION_REMEDIES
            if card.is_open and is_waiting:
                attach(card)


def _take_job(card: JobCard, message: Any) -> None:
    if isinstance(message, JobDescribed):
        card.describe(message.job)
        hold_withdrawn(card)
        _clear_ended(card)
        placing.show_keyframes(card)
    elif isinstance(message, JobEvent):
        _take_event(card, message)
    elif isinstance(message, JobConnection):
        card.is_connected = message.is_connected
    elif isinstance(message, JobProblem):
        card.fault = message.fault
    elif isinstance(message, KeyframeFile):
        card.keyframe_files[message.index] = message.path
        placing.show_keyframes(card, {message.index})
    elif isinstance(message, RenderNeeded):
        render_instead(card)
    elif isinstance(message, RenderProgress):
        card.rendered_share = message.done / max(message.total, 1)
    elif isinstance(message, Rendered):
        change_request(card, message.request)
        card.phase = "sending"
        daemon_worker().submit(card.request)
    elif isinstance(message, RequestChanged):
        change_request(card, message.request)
    elif isinstance(message, ResultFile):
        card.result, card.result_frames = message.path, message.frame_count
        card.phase = "fetching"


def _take_event(card: JobCard, message: JobEvent) -> None:
    card.take(message.event)
    if isinstance(message.event, Analysed | Failed | Restarted | StateChanged):
        placing.show_keyframes(card)
    _clear_ended(card)


def _clear_ended(card: JobCard) -> None:
    if card.phase == "ended":
        for scene in timeline.scenes_of(card.job_id):
            stack.withdraw(scene, card.job_id)
