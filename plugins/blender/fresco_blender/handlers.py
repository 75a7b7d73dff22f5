"""What Blender tells: files are loaded and saved, steps are undone."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import animation, host_session, placing, render_guard, source, timeline
from .core.card import JobCard
from .state import state
from .submission import attach


@persistent
def after_undo(*_: Any) -> None:
    """Strips are other ones now: bring timeline and jobs together again."""
    placing.drop()
    for card in state.cards.values():
        placing.follow_undo(card)
    _take_up()


@persistent
def before_save(*_: Any) -> None:
    """Results may have been deleted: what drove them is not to be saved."""
    for scene in bpy.data.scenes:
        animation.remove_leftovers(scene, timeline.MADE)


@persistent
def before_load(*_: Any) -> None:
    """The file is closed: its jobs go on at the daemon, but nothing is to be placed."""
    placing.drop()
    if state.daemon_worker is not None:
        for job_id in state.cards:
            state.daemon_worker.leave(job_id)
    state.cards.clear()


@persistent
def after_load(*_: Any) -> None:
    """Take up the jobs that the strips of this file say are open."""
    host_session.note_scripts()
    render_guard.show()
    _take_up()


def _take_up() -> None:
    """Follow the jobs that strips say are open and that nobody follows."""
    for scene in bpy.data.scenes:
        for request in list(timeline.open_requests(scene)):
            if request.job_id not in state.cards:
                card = JobCard(source.moved_here(request), phase="working")
                state.cards[request.job_id] = card
                attach(card)


@persistent
def before_render(*_: Any) -> None:
    """A final picture is made: nothing that is only there while one works may be in it."""
    render_guard.hide()


@persistent
def after_render(*_: Any) -> None:
    """It is made, or was cancelled."""
    render_guard.show()


HANDLERS = (
    ("render_init", before_render),
    ("render_complete", after_render),
    ("render_cancel", after_render),
    ("undo_post", after_undo),
    ("redo_post", after_undo),
    ("save_pre", before_save),
    ("load_pre", before_load),
    ("load_post", after_load),
)


def register() -> None:
    """Listen."""
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    """Listen no more."""
    for name, handler in HANDLERS:
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:
            handlers.remove(handler)
