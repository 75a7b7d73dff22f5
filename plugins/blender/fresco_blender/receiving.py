"""What the network's threads tell, brought into the state and onto the timeline."""

from __future__ import annotations

from typing import Any

from fresco_client import Analysed, Failed, Restarted, StateChanged

from . import looks, placing, timeline
from .core.card import JobCard
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
from .state import state
from .submission import attach, desk, render_instead

_LINK_REMEDIES = {"START", "RECONNECT", "PREFERENCES"}


def take(news: News) -> None:
    """Bring state and timeline up to date with one message."""
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
        state.look_share, state.look_fault, state.look_picture = None, None, news.path
        looks.show(news.order, news.path)
    elif isinstance(news, Gone):
        placing.forget(news.job_id)
    else:
        card = state.cards.get(news.job_id)
        if card is not None:
            _take_job(card, news)


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


def _take_job(card: JobCard, news: Any) -> None:
    if isinstance(news, JobSeen):
        card.describe(news.job)
        placing.show_keyframes(card)
    elif isinstance(news, JobEvent):
        _take_event(card, news)
    elif isinstance(news, JobLink):
        card.is_connected = news.is_connected
    elif isinstance(news, JobFault):
        card.fault = news.fault
    elif isinstance(news, KeyframeFile):
        card.keyframe_files[news.index] = news.path
        placing.show_keyframes(card, {news.index})
    elif isinstance(news, RenderWanted):
        render_instead(card)
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
        placing.show_keyframes(card)
    if card.phase == "ended":
        scene = timeline.find_scene(card.job_id)
        if scene is not None:
            timeline.clear_job(scene, card.job_id)
