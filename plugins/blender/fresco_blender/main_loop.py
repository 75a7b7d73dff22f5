"""The main thread's side: a timer that empties the inbox and brings the timeline up to date.

It does a few milliseconds of work at a time, and none while Blender renders. It cannot run while
Blender saves or loads, which hold the main thread themselves.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable

import bpy

from . import handlers, placing, receiving, vse
from .core.faults import fault_of
from .state import state
from .submission import daemon_worker

_log = logging.getLogger(__name__)

BUDGET_S = 0.008
BUSY_S = 0.1
IDLE_S = 0.5


class TickTimes:
    """How long ticks have held the main thread, for measurements."""

    longest_s = 0.0
    longest_cpu_s = 0.0
    """The same without what other programs took of the processor meanwhile."""

    @classmethod
    def note(cls, began: float, used: float) -> None:
        """A tick is over that began then, on the clock and of the processor's time."""
        cls.longest_s = max(cls.longest_s, time.perf_counter() - began)
        cls.longest_cpu_s = max(cls.longest_cpu_s, time.thread_time() - used)


class SourceWatch:
    """Now and then a look at what the user has done with the strips."""

    EVERY_S = 0.5
    _next_s = 0.0

    @classmethod
    def work(cls) -> bool:
        """Look, if it is time; whether anything has changed."""
        if time.monotonic() < cls._next_s:
            return False
        cls._next_s = time.monotonic() + cls.EVERY_S
        return placing.watch_sources()


def tick() -> float:
    """One call of the timer; how long until the next."""
    began, used = time.perf_counter(), time.thread_time()
    if vse.is_rendering() or vse.is_being_moved():
        return BUSY_S

    def is_over() -> bool:
        return time.perf_counter() - began > BUDGET_S

    try:
        changes = (
            _drain(is_over),
            placing.place_keyframes(is_over),
            placing.place_results(),
            SourceWatch.work(),
        )
        if any(changes):
            vse.redraw()
    except Exception as error:
        # Blender would drop a timer that raises, and every job would seem to stand still.
        _log.exception("a message could not be taken in")
        state.request_fault = fault_of(error)
    TickTimes.note(began, used)
    is_busy = placing.is_busy() or state.look_share is not None or bool(state.open_cards)
    return BUSY_S if is_busy or state.connection in {"connecting", "starting"} else IDLE_S


def _drain(is_over: Callable[[], bool]) -> bool:
    """Take messages in; whether there were any."""
    has_changed = False
    while not is_over():
        try:
            message = daemon_worker().inbox.get_nowait()
        except queue.Empty:
            break
        receiving.take(message)
        has_changed = True
    return has_changed


def register() -> None:
    """Begin."""
    handlers.register()
    bpy.app.timers.register(first_tick, first_interval=0.1, persistent=True)


def first_tick() -> None:
    """Blender is up: the scene may be read and preferences are there."""
    daemon_worker()
    handlers.after_load()
    bpy.app.timers.register(tick, first_interval=0.0, persistent=True)


def unregister() -> None:
    """Stop at once; nothing is waited for."""
    for function in (tick, first_tick):
        if bpy.app.timers.is_registered(function):
            bpy.app.timers.unregister(function)
    handlers.unregister()
    if state.daemon_worker is not None:
        state.daemon_worker.close()
        state.daemon_worker = None
    placing.drop()
    state.cards.clear()
    state.connection = "away"
