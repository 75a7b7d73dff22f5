"""Showing on a clip that a job works on it: its colour, and a marker with the job's id."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from fresco_davinci.errors import HostRefused
from fresco_davinci.host.objects import TimelineObjects
from fresco_davinci.rollback import retry_once

WORKING = "Orange"
"""A clip colour."""
_MARKER = "Sand"
_ATTEMPTS = 5


def custom_data(job_id: str) -> str:
    """What the marker of a job carries, which the user does not see."""
    return f"fresco:{job_id}"


def mark(objects: TimelineObjects, item: Any, job_id: str, title: str) -> None:
    """Colour a clip and put a marker on it. What cannot be shown is no reason to stop."""
    calls = objects.calls
    with suppress(HostRefused):
        calls.do(item, "SetClipColor", WORKING)
    with suppress(HostRefused):
        first = calls.number(item, "GetLeftOffset")
        for frame in range(first, first + _ATTEMPTS):
            note = "Being restyled; run “Update results” to bring the result in."
            data = custom_data(job_id)
            if calls.ask(item, "AddMarker", frame, _MARKER, f"Fresco: {title}", note, 1, data):
                return


def unmark(objects: TimelineObjects, item: Any, job_id: str, color: str) -> bool:
    """Take colour and marker away again; whether that was possible."""
    calls = objects.calls
    data = custom_data(job_id)
    is_colored = calls.text(item, "GetClipColor") == WORKING
    done = True
    if calls.ask(item, "GetMarkerByCustomData", data):
        done = retry_once(partial(calls.do, item, "DeleteMarkerByCustomData", data))
    if is_colored:
        back = partial(calls.do, item, "SetClipColor", color)
        clear = partial(calls.do, item, "ClearClipColor")
        done = retry_once(back if color else clear) and done
    # Behind a dialog there seems to be neither; then this raises, and it is tried again later.
    objects.check_answers()
    return done


def find_marked(objects: TimelineObjects, item_id: str, job_id: str) -> tuple[int, Any] | None:
    """Track and object of the clip that a job works on, also if it was cut and has a new id."""
    found = objects.find(item_id)
    if found is not None:
        return found
    data = custom_data(job_id)
    for track in objects.tracks():
        for item in objects.items(track):
            if objects.calls.ask(item, "GetMarkerByCustomData", data):
                return track, item
    objects.check_answers()
    return None
