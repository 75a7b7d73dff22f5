"""Where a job's own files are now: the data folder may have been moved since it was made.

An order names files by whole paths, as a worker needs them, also those in the data folder: what
was sent, and a job's copies of painted pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import JobOrder

PAINTED = "painted"
"""The folder of a job's copies of painted pictures, in its own."""


def relocated(order: JobOrder, job_id: str, folders: DataFolder) -> JobOrder:
    """The order of a job, naming files of the data folder where that is now."""
    uploads, job = folders.uploads, folders.job(job_id)
    moved = {order_path: str(uploads / Path(order_path).name) for order_path in _sent(order)}
    for picture in _pictures(order.settings).values():
        place = Path(picture)
        if place.parent.name == PAINTED and place.parent.parent.name == job.name:
            moved[picture] = str(job / PAINTED / place.name)
    if all(old == new for old, new in moved.items()):
        return order
    states = (replace(one, path=moved.get(one.path, one.path)) for one in order.file_states)
    return replace(
        order,
        clip=moved.get(order.clip, order.clip),
        settings=_settings(order.settings, moved),
        file_states=tuple(states),
    )


def _sent(order: JobOrder) -> list[str]:
    """Paths of what was sent for the job."""
    places = [order.clip if not name else order.settings.get(name) for name in order.uploads]
    return [place for place in places if place]


def _pictures(settings: Mapping[str, Any]) -> Mapping[str, str]:
    return settings.get("keyframe_pictures") or {}


def _settings(settings: Mapping[str, Any], moved: Mapping[str, str]) -> dict[str, Any]:
    named = {
        name: moved.get(value, value) if isinstance(value, str) else value
        for name, value in settings.items()
    }
    if "keyframe_pictures" in named:
        pictures = _pictures(settings).items()
        named["keyframe_pictures"] = {index: moved.get(path, path) for index, path in pictures}
    return named
