"""Clips of the timeline as plain values."""

from __future__ import annotations

from typing import Any

from fresco_settings.timecode import frame_of

from fresco_davinci.clips import ClipRange, MediaFile, TimelineClip
from fresco_davinci.errors import CannotRestyle, HostRefused, NotReady
from fresco_davinci.host.objects import TimelineObjects
from fresco_davinci.rates import exact_rate

JOB_KEY = "fresco.job"
"""Third-party metadata of a result: the job that made it."""
_UNGRADED_NODES = 1
_SLACK = 1
"""GetSourceStartFrame and GetSourceEndFrame can be off by one."""


def current_clip(objects: TimelineObjects) -> TimelineClip:
    """The clip under the playhead.

    Raises:
        NotReady: there is none, or the page shows none.
        CannotRestyle: it shows a result as one of its takes.
    """
    item = objects.calls.find(objects.timeline, "GetCurrentVideoItem")
    if item is None:
        raise NotReady(
            "There is no clip under the playhead. Put it over a clip on the Edit, Cut or Color "
            "page, then try again."
        )
    clip = clip_of(objects, item)
    if not clip.is_result:
        return clip
    below = _below(objects, clip)
    if below is None and objects.calls.number(item, "GetTakesCount"):
        raise CannotRestyle(
            clip.name,
            "shows a result as its take. Choose its first take (right-click, Take Selector), then "
            "try again.",
        )
    return below or clip


def _below(objects: TimelineObjects, result: TimelineClip) -> TimelineClip | None:
    """The clip under a result: who asks for another look means that one."""
    at = playhead(objects)
    for track in range(result.track - 1, 0, -1):
        if not objects.calls.switch(objects.timeline, "GetIsTrackEnabled", "video", track):
            continue
        for item in objects.items(track):
            start, stop = (objects.calls.number(item, name) for name in ("GetStart", "GetEnd"))
            if start <= at < stop:
                clip = clip_of(objects, item, track)
                if not clip.is_result:
                    return clip
    return None


def clips_between_marks(objects: TimelineObjects) -> list[ClipRange]:
    """The parts of clips that lie between mark in and out, on enabled tracks; results excepted.

    Raises:
        NotReady: there are no marks, or nothing between them.
    """
    first, last = _marks(objects)
    parts: list[ClipRange] = []
    for track in objects.tracks():
        if not objects.calls.switch(objects.timeline, "GetIsTrackEnabled", "video", track):
            continue
        for item in objects.items(track):
            start = max(objects.calls.number(item, "GetStart"), first)
            stop = min(objects.calls.number(item, "GetEnd"), last + 1)
            if start < stop:
                parts.append(
                    ClipRange(clip=clip_of(objects, item, track), first=start, count=stop - start)
                )
    wanted = [part for part in parts if not part.clip.is_result]
    if not wanted:
        raise NotReady("No clip lies between mark in and mark out. Move the marks, then try again.")
    return wanted


def _marks(objects: TimelineObjects) -> tuple[int, int]:
    """Record frames of the first and the last frame between the marks."""
    calls, timeline = objects.calls, objects.timeline
    if not calls.can("Timeline", timeline, "GetMarkInOut"):
        raise NotReady(
            "This version of Resolve does not tell where mark in and out are; it takes 19.1 or "
            "newer. Restyle the clips one by one."
        )
    marks = calls.table(timeline, "GetMarkInOut").get("video") or {}
    if "in" not in marks or "out" not in marks:
        raise NotReady("Set mark in (I) and mark out (O) in the timeline, then try again.")
    start = calls.number(timeline, "GetStartFrame")
    return start + int(marks["in"]), start + int(marks["out"])


def playhead(objects: TimelineObjects) -> int:
    """The record frame that the playhead is on.

    Raises:
        NotReady: the page has no playhead.
    """
    calls, rate = objects.calls, objects.rate()
    shown, first = (
        frame_of(str(calls.ask(objects.timeline, method) or ""), rate)
        for method in ("GetCurrentTimecode", "GetStartTimecode")
    )
    if shown is None or first is None:
        raise NotReady("Put the playhead over a clip on the Edit or Cut page, then try again.")
    return calls.number(objects.timeline, "GetStartFrame") + shown - first


def clip_of(objects: TimelineObjects, item: Any, track: int | None = None) -> TimelineClip:
    """What there is to know of an item."""
    calls = objects.calls
    media = calls.find(item, "GetMediaPoolItem")
    start = calls.number(item, "GetStart")
    return TimelineClip(
        item_id=calls.id_of(item),
        name=calls.text(item, "GetName"),
        track=track or _track_of(objects, item),
        start=start,
        duration=calls.number(item, "GetEnd") - start,
        left=calls.number(item, "GetLeftOffset"),
        media=_media_of(objects, media) if media is not None else None,
        color=calls.text(item, "GetClipColor"),
        is_result=media is not None and job_of(objects, media) is not None,
        is_retimed=_is_retimed(objects, item) if media is not None else False,
        oddities=_oddities(objects, item, media) if media is not None else (),
    )


def job_of(objects: TimelineObjects, media: Any) -> str | None:
    """The job that made a clip of the media pool; None if Fresco did not make it."""
    calls = objects.calls
    if calls.can("MediaPoolItem", media, "GetThirdPartyMetadata"):
        return calls.text(media, "GetThirdPartyMetadata", JOB_KEY) or None
    # Before 19.0.2 there is no such place; this one the user sees, so that it is only second best.
    words = calls.text(media, "GetMetadata", "Comments")
    return words.removeprefix("Fresco job ") if words.startswith("Fresco job ") else None


def _track_of(objects: TimelineObjects, item: Any) -> int:
    calls = objects.calls
    if calls.can("TimelineItem", item, "GetTrackTypeAndIndex"):
        told = calls.many(item, "GetTrackTypeAndIndex")
        if len(told) != 2:
            raise HostRefused("GetTrackTypeAndIndex")
        return int(told[1])
    found = objects.find(calls.id_of(item))
    return found[0] if found else 1


def _media_of(objects: TimelineObjects, media: Any) -> MediaFile:
    calls = objects.calls
    frames = str(calls.get(media, "GetClipProperty", "Frames"))
    return MediaFile(
        path=calls.text(media, "GetClipProperty", "File Path"),
        rate=exact_rate(calls.get(media, "GetClipProperty", "FPS")),
        frames=int(frames) if frames.isdecimal() else None,
    )


def _oddities(objects: TimelineObjects, item: Any, media: Any) -> tuple[str, ...]:
    """What makes an item look other than its file."""
    found: list[str] = []
    if objects.calls.number(item, "GetFusionCompCount") > 0:
        found.append("has a Fusion composition")
    if _is_graded(objects, item):
        found.append("is graded")
    if "." in objects.calls.text(media, "GetClipProperty", "Input LUT"):
        found.append("has an input LUT")
    if objects.is_colour_managed():
        found.append("goes through the colour management of the project")
    return tuple(found)


def _is_retimed(objects: TimelineObjects, item: Any) -> bool | None:
    calls = objects.calls
    if calls.can("TimelineItem", item, "GetSpeed"):
        speed = calls.table(item, "GetSpeed").get("Percentage")
        if speed is not None:
            return float(speed) != 100.0
    if not calls.can("TimelineItem", item, "GetSourceEndFrame"):
        return None
    first, last = calls.number(item, "GetSourceStartFrame"), calls.number(item, "GetSourceEndFrame")
    return abs(last - first + 1 - calls.number(item, "GetDuration")) > _SLACK


def _is_graded(objects: TimelineObjects, item: Any) -> bool:
    calls = objects.calls
    if not calls.can("TimelineItem", item, "GetNodeGraph"):
        return calls.number(item, "GetNumNodes") > _UNGRADED_NODES
    graph = calls.get(item, "GetNodeGraph")
    if calls.number(graph, "GetNumNodes") > _UNGRADED_NODES:
        return True
    return bool(calls.ask(graph, "GetToolsInNode", 1) or calls.ask(graph, "GetLUT", 1))
