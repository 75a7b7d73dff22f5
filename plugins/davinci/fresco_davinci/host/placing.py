"""Putting a result into the timeline, at exactly the record frames of its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from fresco_davinci.choices import StoredChoices
from fresco_davinci.clips import PlacedResult
from fresco_davinci.errors import CannotPlace, HostRefused
from fresco_davinci.host.importing import Later, Result, tag
from fresco_davinci.host.objects import TimelineObjects, page_kept
from fresco_davinci.host.reading import job_of

_VIDEO = "video"
TRACK_NAME = "Fresco"
_EXCLUSIVE_SINCE = (19,)
"""From then on `endFrame` of AppendToTimeline is the frame after the last."""


@dataclass(frozen=True, kw_only=True)
class TimelinePlacement:
    """Where a result goes: `count` frames from the record frame `first` on, its own from `skip`."""

    source: Any
    """The item that was restyled."""
    source_track: int
    first: int
    count: int
    skip: int
    """Frames of the result before the first that is shown."""
    has_own_transforms: bool
    """Whether the source's zoom, position and the like are in the result's frames already."""

    @property
    def stop(self) -> int:
        return self.first + self.count


def place(
    objects: TimelineObjects,
    bring_in: Callable[[], Any],
    result: Result,
    placement: TimelinePlacement,
    choices: StoredChoices,
    later: Later,
) -> PlacedResult:
    """Put a result where `choices` want it. `later` is told how to take it back.

    `bring_in` gives its clip in the media pool; it is not asked where none is needed.

    Raises:
        CannotPlace: it cannot go there.
        HostRefused: Resolve did not put it there.
    """
    there = _already_there(objects, result.job_id, placement)
    if there:
        return _placed(result, there, placement)
    if choices.place == "take":
        return _as_take(objects, bring_in(), result, placement, later)
    track = _chosen_track(objects, choices.track) if choices.place == "track" else 0
    is_taken = track > 0 and not _is_free(objects, track, placement)
    if is_taken and choices.conflict == "replace" and not result.is_sequence:
        return _replace(objects, result, placement, track, later)
    media = bring_in()
    if is_taken and choices.conflict != "new":
        note = f"Track V{track} is taken there, so the result is in the bin Fresco only."
        return _placed(result, 0, placement, note)
    if track == 0 or is_taken:
        track = _free_track(objects, placement) or _new_track(objects, later)
    return _append(objects, media, result, placement, track, later)


def _placed(
    result: Result, track: int, placement: TimelinePlacement, note: str = ""
) -> PlacedResult:
    return PlacedResult(
        job_id=result.job_id, track=track, first=placement.first, count=placement.count, note=note
    )


def _overlapping(objects: TimelineObjects, track: int, placement: TimelinePlacement) -> list[Any]:
    return [
        item
        for item in objects.items(track)
        if objects.calls.number(item, "GetStart") < placement.stop
        and objects.calls.number(item, "GetEnd") > placement.first
    ]


def _is_free(objects: TimelineObjects, track: int, placement: TimelinePlacement) -> bool:
    return not _overlapping(objects, track, placement)


def _job_at(objects: TimelineObjects, item: Any) -> str | None:
    media = objects.calls.find(item, "GetMediaPoolItem")
    return None if media is None else job_of(objects, media)


def _already_there(objects: TimelineObjects, job_id: str, placement: TimelinePlacement) -> int:
    """The track that shows the result there; 0 if none does."""
    for track in objects.tracks():
        for item in _overlapping(objects, track, placement):
            if _job_at(objects, item) == job_id:
                return track
    return 0


def _is_locked(objects: TimelineObjects, track: int) -> bool:
    return objects.calls.switch(objects.timeline, "GetIsTrackLocked", _VIDEO, track)


def _chosen_track(objects: TimelineObjects, track: int) -> int:
    if track not in objects.tracks():
        raise CannotPlace(f"There is no video track V{track}. Add it, or choose another track.")
    if _is_locked(objects, track):
        raise CannotPlace(f"Track V{track} is locked. Unlock it, or choose another track.")
    return track


def _free_track(objects: TimelineObjects, placement: TimelinePlacement) -> int:
    """The lowest track of ours above the source that is free there; 0 if there is none."""
    for track in objects.tracks():
        if track <= placement.source_track or _is_locked(objects, track):
            continue
        name = objects.calls.text(objects.timeline, "GetTrackName", _VIDEO, track)
        if name == TRACK_NAME and _is_free(objects, track, placement):
            return track
    return 0


def _new_track(objects: TimelineObjects, later: Later) -> int:
    """A track on top of all others."""
    calls, timeline = objects.calls, objects.timeline
    before = len(objects.tracks())
    later(partial(_remove_tracks, objects, before))
    calls.do(timeline, "AddTrack", _VIDEO)
    track = len(objects.tracks())
    if track != before + 1:
        raise HostRefused("AddTrack")
    calls.do(timeline, "SetTrackName", _VIDEO, track, TRACK_NAME)
    return track


def _remove_tracks(objects: TimelineObjects, before: int) -> None:
    for track in reversed(objects.tracks()):
        if track > before:
            objects.calls.do(objects.timeline, "DeleteTrack", _VIDEO, track)


def _append(
    objects: TimelineObjects,
    media: Any,
    result: Result,
    placement: TimelinePlacement,
    track: int,
    later: Later,
) -> PlacedResult:
    """Appends, looks what came of it, and corrects by as much as it is off.

    Versions differ in what `endFrame` means, and what Resolve gives back is not to be trusted.
    """
    later(partial(_remove, objects, result.job_id, track, placement))
    stop = placement.skip + placement.count - (objects.version < _EXCLUSIVE_SINCE)
    for _ in range(2):
        wanted = {
            "mediaPoolItem": media,
            "startFrame": placement.skip,
            "endFrame": stop,
            "recordFrame": placement.first,
            "trackIndex": track,
            "mediaType": 1,
        }
        item = _appended(objects, wanted, result, placement)
        if item is None:
            break
        start = objects.calls.number(item, "GetStart")
        difference = placement.count - objects.calls.number(item, "GetDuration")
        if start == placement.first and difference == 0:
            if not placement.has_own_transforms:
                _carry_over_transforms(objects, placement.source, item)
            return _placed(result, track, placement)
        _remove(objects, result.job_id, track, placement)
        stop += difference
    raise HostRefused("AppendToTimeline")


def _appended(
    objects: TimelineObjects, wanted: dict[str, Any], result: Result, placement: TimelinePlacement
) -> Any | None:
    """What came of appending; None if nothing did."""
    calls, pool = objects.calls, objects.pool
    media, track = wanted["mediaPoolItem"], wanted["trackIndex"]
    calls.ask(pool, "AppendToTimeline", [wanted])
    item = _ours(objects, result.job_id, track, placement)
    if item is None and calls.can("MediaPool", pool, "SetSelectedClip"):
        # Some versions append nothing while nothing is selected in the media pool.
        calls.ask(pool, "SetSelectedClip", media)
        calls.ask(pool, "AppendToTimeline", [wanted])
        item = _ours(objects, result.job_id, track, placement)
    return item


def _ours(
    objects: TimelineObjects, job_id: str, track: int, placement: TimelinePlacement
) -> Any | None:
    for item in _overlapping(objects, track, placement):
        if _job_at(objects, item) == job_id:
            return item
    return None


def _remove(
    objects: TimelineObjects, job_id: str, track: int, placement: TimelinePlacement
) -> None:
    item = _ours(objects, job_id, track, placement)
    if item is not None:
        # Clips leave a timeline on this page only; else the user's page is left alone.
        with page_kept(objects, "edit"):
            objects.calls.do(objects.timeline, "DeleteClips", [item], False)


def _replace(
    objects: TimelineObjects, result: Result, placement: TimelinePlacement, track: int, later: Later
) -> PlacedResult:
    """Puts the new file below an earlier result, which keeps what the editor did with it."""
    calls = objects.calls
    item, media, earlier = _earlier(objects, track, placement)
    old = calls.text(media, "GetClipProperty", "File Path")
    later(partial(calls.do, media, "ReplaceClip", old))
    calls.do(media, "ReplaceClip", str(result.path))
    later(partial(tag, objects, media, earlier))
    tag(objects, media, result.job_id)
    if calls.number(item, "GetDuration") != placement.count:
        raise HostRefused("ReplaceClip")
    return _placed(result, track, placement)


def _earlier(
    objects: TimelineObjects, track: int, placement: TimelinePlacement
) -> tuple[Any, Any, str]:
    """The earlier result that lies there alone: item, clip and job.

    Raises:
        CannotPlace: something else lies there.
    """
    calls, items = objects.calls, _overlapping(objects, track, placement)
    if len(items) == 1:
        (item,) = items
        media = calls.find(item, "GetMediaPoolItem")
        earlier = None if media is None else job_of(objects, media)
        span = calls.number(item, "GetStart"), calls.number(item, "GetEnd")
        if earlier is not None and span == (placement.first, placement.stop):
            return item, media, earlier
    raise CannotPlace(
        f"On track V{track} there is something that Fresco did not make for this clip, and only "
        "earlier results are replaced. Move it away, then run “Update results” again."
    )


def _as_take(
    objects: TimelineObjects, media: Any, result: Result, placement: TimelinePlacement, later: Later
) -> PlacedResult:
    """Adds the result as a take of the clip, and shows it."""
    calls, item = objects.calls, placement.source
    if _is_locked(objects, placement.source_track):
        raise CannotPlace(
            f"Track V{placement.source_track} is locked, so that no take can be added. Unlock it."
        )
    if placement.skip or placement.count != calls.number(item, "GetDuration"):
        note = "It was trimmed since, so that the result does not fit as a take."
        return _placed(result, 0, placement, f"{note} The result is in the bin Fresco.")
    before = calls.number(item, "GetTakesCount")
    selected = calls.number(item, "GetSelectedTakeIndex") if before else 0
    for number in range(1, before + 1):
        take = calls.table(item, "GetTakeByIndex", number).get("mediaPoolItem")
        if take is not None and job_of(objects, take) == result.job_id:
            return _placed(result, placement.source_track, placement)
    later(partial(_drop_takes, objects, item, before, selected))
    calls.do(item, "AddTake", media)
    count = calls.number(item, "GetTakesCount")
    calls.do(item, "SelectTakeByIndex", count)
    if calls.number(item, "GetDuration") != placement.count:
        raise HostRefused("AddTake")
    return _placed(result, placement.source_track, placement)


def _drop_takes(objects: TimelineObjects, item: Any, before: int, selected: int) -> None:
    calls = objects.calls
    # A clip without takes becomes the first of its takes when one is added.
    least = before or 1
    for number in range(calls.number(item, "GetTakesCount"), least, -1):
        calls.do(item, "DeleteTakeByIndex", number)
    if before:
        calls.do(item, "SelectTakeByIndex", selected)
    elif calls.number(item, "GetTakesCount"):
        calls.do(item, "SelectTakeByIndex", 1)
        calls.do(item, "FinalizeTake")


def _carry_over_transforms(objects: TimelineObjects, source: Any, target: Any) -> None:
    """Give the result the zoom, position, crop and opacity that its source has."""
    wanted, there = _properties(objects, source), _properties(objects, target)
    for name, value in wanted.items():
        if there.get(name) != value:
            _set_property(objects, target, name, value)


def _properties(objects: TimelineObjects, item: Any) -> dict[str, Any]:
    """Zoom, position, crop, opacity and the like."""
    calls = objects.calls
    if calls.can("TimelineItem", item, "GetProperties"):
        return calls.table(item, "GetProperties")
    return calls.table(item, "GetProperty")


def _set_property(objects: TimelineObjects, item: Any, name: str, value: Any) -> None:
    """It may say no although it did it, so that the answer is worth nothing."""
    calls = objects.calls
    if calls.can("TimelineItem", item, "SetProperties"):
        calls.ask(item, "SetProperties", {name: value})
    else:
        calls.ask(item, "SetProperty", name, value)
