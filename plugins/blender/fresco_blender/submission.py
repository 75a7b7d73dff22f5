"""Handing jobs to the daemon that the preferences name, and taking them up again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from fresco_client import FileFailed

from . import extract, source, timeline
from .core.card import JobCard
from .core.desk import Desk
from .core.faults import Fault, fault_of
from .core.order import Order
from .preferences import doorway
from .state import state

SOURCE_GONE = (
    "The strip is no longer on the timeline. Undo its deletion, or select the strip to place the "
    "result above and press Place."
)


def desk() -> Desk:
    """What talks to the daemon that the preferences name; opened when it is first asked for."""
    wanted = doorway()
    if state.desk is None or state.desk.doorway != wanted:
        _open_desk(Desk(wanted))
    assert state.desk is not None
    return state.desk


def _open_desk(opened: Desk) -> None:
    if state.desk is not None:
        state.desk.close()
    state.desk = opened
    state.link, state.link_fault, state.server = "away", None, None
    opened.connect(start=False)
    for card in state.cards.values():
        if card.is_open:
            attach(card)


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


def send_again(card: JobCard) -> None:
    """Try once more what could not be sent."""
    card.fault = None
    needs_pixels = card.order.is_rendered and not Path(card.order.path).exists()
    if card.phase != "rendering" and not needs_pixels:
        card.phase = "sending"
        desk().submit(card.order)
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
    desk().follow(card.order, card.last_sequence)


def render_instead(card: JobCard) -> None:
    """Blender and Fresco would count the file's frames differently: render what Blender shows."""
    found = _source_of(card)
    if found is None:
        return
    strip, scene = found
    order = source.rendered_order(card.order, strip, scene)
    prompts = _moved_prompts(card.order, order)
    card.order = replace(order, settings={**order.settings, **prompts})
    timeline.mark(strip, card.order)
    _render(card, strip, scene)


def _source_of(card: JobCard) -> tuple[Any, Any] | None:
    """The strip that a job is for, and its scene; None, and said so, if it is gone."""
    scene = timeline.find_scene(card.job_id)
    if scene is None:
        card.fault = Fault(SOURCE_GONE, "SEND")
        return None
    return timeline.sources(scene, card.job_id)[0], scene


def _render(card: JobCard, strip: Any, scene: Any) -> None:
    order = card.order
    card.phase, card.rendered_share, card.fault = "rendering", 0.0, None
    try:
        command = extract.render_command(strip, scene, order)
    except FileFailed as error:
        card.fault = fault_of(error, "SEND")
        return
    desk().render(order, command, order.stop - order.start)


def _moved_prompts(old: Order, new: Order) -> dict[str, Any]:
    """Words of markers, by the frames of another source."""
    words = old.settings.get("keyframe_prompts")
    if not words:
        return {}
    shift = (new.start - new.lead) - (old.start - old.lead)
    return {"keyframe_prompts": {str(int(frame) + shift): text for frame, text in words.items()}}
