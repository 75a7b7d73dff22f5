"""Rendering just a range of the timeline, with every setting as before when it ends."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fresco_davinci.clips import ClipRange
from fresco_davinci.errors import HostRefused, RenderFailed
from fresco_davinci.host.objects import TimelineObjects, page_kept
from fresco_davinci.rollback import retry_once

_VIDEO = "video"
_PRESET = "Fresco, settings before rendering,"
_SINGLE_CLIP = 1
_POLL_S = 0.2
_PREFERRED = (
    ("mov", "prores422hq"),
    ("mov", "dnxhrhq"),
    ("mov", "h264"),
    ("mp4", "h264"),
)
"""Formats, and letters and digits of a codec's id, of which the first that is there is taken."""


def render(
    objects: TimelineObjects, part: ClipRange, folder: Path, wait: Callable[[float], None]
) -> Path:
    """A file in the empty `folder` with the frames of `part` as Resolve shows them, no more.

    `wait` is called again and again while Resolve renders, with seconds to wait; what it raises
    ends the render.

    Raises:
        RenderFailed: there is no fitting codec, a render runs already, or it failed.
        HostRefused: Resolve did not do it.
    """
    _check_possible(objects)
    with (
        page_kept(objects, "deliver"),
        _settings_kept(objects),
        _soloed(objects, part.clip.track),
    ):
        ending, codec = _codec(objects)
        _set_up(objects, part, folder, ending, codec)
        _run(objects, part, wait)
    files = [path for path in folder.iterdir() if path.is_file()]
    if len(files) != 1:
        raise RenderFailed("DaVinci Resolve rendered no file. Look at its Deliver page for why.")
    return files[0]


def _check_possible(objects: TimelineObjects) -> None:
    calls, project = objects.calls, objects.project
    if not calls.can("Project", project, "DeleteRenderPreset"):
        # Settings could be brought back, but what brings them back would stay in the user's list.
        raise RenderFailed(
            "The clip has to be rendered first, and this version of Resolve cannot put its render "
            "settings back; it takes 19.1 or newer. Update Resolve, or render the clip yourself, "
            "put the file into the timeline and restyle that."
        )
    if calls.ask(project, "IsRenderingInProgress"):
        raise RenderFailed("DaVinci Resolve is rendering. Wait until it is done, then try again.")


@contextmanager
def _settings_kept(objects: TimelineObjects) -> Iterator[None]:
    """Settings cannot be read, only put into a preset and loaded from there."""
    calls, project = objects.calls, objects.project
    name = f"{_PRESET} {uuid.uuid4().hex[:8]}"
    codec = calls.table(project, "GetCurrentRenderFormatAndCodec")
    mode = calls.number(project, "GetCurrentRenderMode")
    try:
        calls.do(project, "SaveAsNewRenderPreset", name)
    except HostRefused:
        retry_once(partial(_drop_preset, objects, name))
        raise
    try:
        yield
    finally:
        retry_once(partial(calls.do, project, "LoadRenderPreset", name))
        retry_once(partial(_restore, objects, codec, mode))
        retry_once(partial(_drop_preset, objects, name))


def _restore(objects: TimelineObjects, codec: dict[str, Any], mode: int) -> None:
    """Format, codec and mode, should the preset not have brought them back."""
    calls, project = objects.calls, objects.project
    if calls.table(project, "GetCurrentRenderFormatAndCodec") != codec:
        calls.do(project, "SetCurrentRenderFormatAndCodec", codec["format"], codec["codec"])
    if calls.number(project, "GetCurrentRenderMode") != mode:
        calls.do(project, "SetCurrentRenderMode", mode)


def _drop_preset(objects: TimelineObjects, name: str) -> None:
    calls, project = objects.calls, objects.project
    if name in calls.many(project, "GetRenderPresetList"):
        calls.do(project, "DeleteRenderPreset", name)


@contextmanager
def _soloed(objects: TimelineObjects, wanted: int) -> Iterator[None]:
    """Only one video track is on; those that were are on again when the body ends."""
    calls, timeline = objects.calls, objects.timeline
    before = {
        track: calls.switch(timeline, "GetIsTrackEnabled", _VIDEO, track)
        for track in objects.tracks()
    }
    try:
        for track, is_on in before.items():
            if is_on != (track == wanted):
                calls.do(timeline, "SetTrackEnable", _VIDEO, track, track == wanted)
        yield
    finally:
        for track, is_on in before.items():
            if is_on != (track == wanted):
                retry_once(partial(calls.do, timeline, "SetTrackEnable", _VIDEO, track, is_on))


def _codec(objects: TimelineObjects) -> tuple[str, str]:
    calls, project = objects.calls, objects.project
    offered = {
        ending: [str(id_) for id_ in calls.table(project, "GetRenderCodecs", ending).values()]
        for ending in dict(_PREFERRED)
    }
    for ending, wanted in _PREFERRED:
        for codec in offered[ending]:
            # Ids are spelt in more than one way: DNxHRHQ, DNxHR_HQ.
            if wanted in re.sub(r"[^a-z0-9]", "", codec.lower()):
                return ending, codec
    raise RenderFailed(
        "This DaVinci Resolve offers no codec that Fresco knows (ProRes, DNxHR, H.264). "
        "Render the clip yourself, put the file into the timeline and restyle that."
    )


def _set_up(
    objects: TimelineObjects, part: ClipRange, folder: Path, ending: str, codec: str
) -> None:
    calls, project = objects.calls, objects.project
    calls.do(project, "SetCurrentRenderFormatAndCodec", ending, codec)
    calls.do(project, "SetCurrentRenderMode", _SINGLE_CLIP)
    settings = {
        "SelectAllFrames": False,
        "MarkIn": part.first,
        "MarkOut": part.first + part.count - 1,
        "TargetDir": str(folder),
        "CustomName": "range",
        "ExportVideo": True,
        "ExportAudio": False,
        "UseUniqueFilenames": False,
        # What is not set stays as the user last had it.
        **_size(objects),
    }
    calls.do(project, "SetRenderSettings", settings)
    # Where it cannot be set it is the timeline's; if it is not, the number of frames tells.
    calls.ask(project, "SetRenderSettings", {"FrameRate": round(float(objects.rate()), 3)})


def _size(objects: TimelineObjects) -> dict[str, int]:
    """That of the timeline, if Resolve tells it."""
    width, height = (
        str(objects.setting(f"timelineResolution{name}") or "") for name in ("Width", "Height")
    )
    if not (width.isdecimal() and height.isdecimal()):
        return {}
    return {"FormatWidth": int(width), "FormatHeight": int(height)}


def _run(objects: TimelineObjects, part: ClipRange, wait: Callable[[float], None]) -> None:
    calls, project = objects.calls, objects.project
    before = _job_ids(objects)
    job: str | None = None
    try:
        job = str(calls.do(project, "AddRenderJob"))
        _check_range(objects, job, part)
        calls.do(project, "StartRendering", [job], False)
        while calls.ask(project, "IsRenderingInProgress"):
            wait(_POLL_S)
        # Words of the state are in the user's language; these are not.
        status = calls.table(project, "GetRenderJobStatus", job)
        if status.get("Error") or float(status.get("CompletionPercentage", 0)) < 100:
            detail = str(status.get("Error") or "it stopped half-way")
            raise RenderFailed(f"DaVinci Resolve could not render the clip ({detail}). Try again.")
    finally:
        retry_once(partial(_clear_queue, objects, before, job))


def _clear_queue(objects: TimelineObjects, before: set[str], job: str | None) -> None:
    """Takes our own jobs out of the queue, also one whose id was never learnt."""
    calls, project = objects.calls, objects.project
    if calls.ask(project, "IsRenderingInProgress"):
        calls.ask(project, "StopRendering")
    # The list may not name its jobs by an id in every version.
    for left in _job_ids(objects) - before or ({job} if job else set[str]()):
        calls.do(project, "DeleteRenderJob", left)


def _job_ids(objects: TimelineObjects) -> set[str]:
    jobs = objects.calls.many(objects.project, "GetRenderJobList")
    return {str(job["JobId"]) for job in jobs if "JobId" in job}


def _check_range(objects: TimelineObjects, job_id: str, part: ClipRange) -> None:
    """The queue says which frames it will render; where it says others, nothing is rendered."""
    for job in objects.calls.many(objects.project, "GetRenderJobList"):
        if job.get("JobId") == job_id and "MarkIn" in job and "MarkOut" in job:
            span = int(job["MarkIn"]), int(job["MarkOut"])
            if span[1] - span[0] + 1 != part.count:
                raise RenderFailed(
                    "DaVinci Resolve would render another range than this clip. Choose “single "
                    "clip” and “in/out range” on its Deliver page, then try again."
                )
