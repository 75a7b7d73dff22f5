"""What Fresco has put onto the timeline, found there again and taken away.

Strips are known by custom properties, never by references: those outlive undo and file loading as
pointers to freed memory. Everything here may be called again and changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

from . import animation, vse
from .core.request import RestyleRequest

REQUEST = "fresco:"
"""On a source strip, with the job's id after it: the request, as long as it is open."""
KEY = "fresco_key"
JOB = "fresco_job"
RESULT_REQUEST = "fresco_recipe"
"""On a result: the request it came from."""
KEYFRAMES = "fresco_keyframes"
START = "fresco_start"
LOOK = "fresco_look"
COVER = "fresco_cover"
"""On what hides a source behind a keyframe or look."""
WIPE = "fresco_wipe"
LIFTED = "fresco_lifted:"
"""On a strip that made room for a job, whose id comes after it: its channel before and since."""
MADE = "· Fresco"
"""In the name of every result."""


class NoRoom(Exception):
    """No channel is free."""

    def __init__(self) -> None:
        super().__init__(
            "There is no room above the strip: what lies there is locked, or shown by a multicam "
            "strip. Unlock it, or free a channel above, then place the result."
        )


def mark(strip: Any, request: RestyleRequest) -> None:
    """Note a request on its source."""
    strip[REQUEST + request.job_id] = request.to_json()


def unmark(scene: Any, job_id: str) -> None:
    """Take a request that needs nothing any more off its source."""
    for strip in vse.all_strips(scene):
        if REQUEST + job_id in strip.keys():  # noqa: SIM118  strips are no mappings
            del strip[REQUEST + job_id]
            if strip.get(RESULT_REQUEST) is not None:
                strip.color_tag = vse.COLOURS["result"]


def sources(scene: Any, job_id: str) -> list[Any]:
    """Strips that carry a request: several once the source was split or duplicated."""
    return [strip for strip in vse.all_strips(scene) if strip.get(REQUEST + job_id) is not None]


def places(scene: Any, job_id: str) -> tuple[tuple[int, ...], ...]:
    """Where the strips that carry a request lie: what keyframes above them go by."""
    return tuple(
        (strip.channel, vse.left(strip), vse.right(strip), vse.timing(strip).origin)
        for strip in sources(scene, job_id)
    )


def open_requests(scene: Any) -> Iterator[RestyleRequest]:
    """Requests on strips, each once."""
    seen: set[str] = set()
    for strip in vse.all_strips(scene):
        for name in strip.keys():  # noqa: SIM118
            if not name.startswith(REQUEST) or name in seen:
                continue
            seen.add(name)
            request = RestyleRequest.from_json(str(strip[name]))
            if request is not None:
                yield request


def is_made_here(strip: Any) -> bool:
    """Whether a strip is one of ours."""
    is_look = strip.get(LOOK) == "picture"
    return is_look or any(strip.get(name) is not None for name in (JOB, WIPE, COVER))


def is_aid(strip: Any) -> bool:
    """Whether a strip of ours is there to be looked at while one works: no final picture."""
    return is_made_here(strip) and strip.get(RESULT_REQUEST) is None


def scenes_of(job_id: str) -> list[Any]:
    """The scenes in whose sequencers a request is noted: several once one is copied."""
    return [scene for scene in bpy.data.scenes if sources(scene, job_id)]


def find_scene(job_id: str) -> Any:
    """The first of them, which shows the job's keyframes; None if there is none."""
    return next(iter(scenes_of(job_id)), None)


def keys(scene: Any, job_id: str) -> dict[int, list[Any]]:
    """Keyframe strips of a job by source frame."""
    found: dict[int, list[Any]] = {}
    for strip in vse.all_strips(scene):
        if strip.get(JOB) == job_id and strip.get(KEY) is not None:
            found.setdefault(int(strip[KEY]), []).append(strip)
    return found


def covers(scene: Any, job_id: str | None = None) -> list[Any]:
    """What hides sources: behind keyframes of a job, or behind any and looks."""
    return [
        strip
        for strip in vse.all_strips(scene)
        if strip.get(COVER) is not None and job_id in {None, strip.get(JOB)}
    ]


def results(scene: Any, job_id: str) -> list[Any]:
    """Result strips of a job."""
    return [
        strip
        for strip in vse.all_strips(scene)
        if strip.get(JOB) == job_id and strip.get(RESULT_REQUEST) is not None
    ]


def request_of(strip: Any) -> RestyleRequest | None:
    """The request a result strip came from; None for any other strip."""
    text = strip.get(RESULT_REQUEST) if strip is not None else None
    return RestyleRequest.from_json(str(text)) if text else None


def is_file_there(strip: Any) -> bool:
    """Whether what a result shows is on disk."""
    if strip.type == "MOVIE":
        return Path(bpy.path.abspath(strip.filepath)).exists()
    return (Path(bpy.path.abspath(strip.directory)) / strip.elements[0].filename).exists()


def first_frame(source: Any, request: RestyleRequest) -> int:
    """Timeline frame of a result's first frame, wherever its source is by now."""
    return vse.timing(source).origin + request.lead


def clear_job(scene: Any, job_id: str) -> None:
    """Take off the timeline what is only there as long as a job is open."""
    remove_keys(scene, job_id)
    unmark(scene, job_id)
    for strip in vse.all_strips(scene):
        if LIFTED + job_id in strip.keys():  # noqa: SIM118  strips are no mappings
            del strip[LIFTED + job_id]


def remove_keys(scene: Any, job_id: str) -> None:
    """Take a job's keyframes off the timeline; their files stay."""
    for cover in covers(scene, job_id):  # first, as an effect goes with what it is made of
        remove(scene, cover)
    for strips in keys(scene, job_id).values():
        for strip in strips:
            remove(scene, strip)


def remove(scene: Any, strip: Any) -> None:
    """Take one strip off the timeline, and what moved it."""
    animation.clear(strip)
    vse.container_of(scene, strip).remove(strip)
    vse.show_scenes_anew()
