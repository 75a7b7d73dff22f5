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
from fresco_davinci.host.reading import job_of
from fresco_davinci.host.scene import Scene, page_kept

_VIDEO = "video"
TRACK_NAME = "Fresco"
_EXCLUSIVE_SINCE = (19,)
"""From then on `endFrame` of AppendToTimeline is the frame after the last."""


@dataclass(frozen=True, kw_only=True)
class Spot:
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
    scene: Scene,
    bring_in: Callable[[], Any],
    result: Result,
    spot: Spot,
    choices: StoredChoices,
    later: Later,
) -> PlacedResult:
    """Put a result where `choices` want it. `later` is told how to take it back.

    `bring_in` gives its clip in the media pool; it is not asked where none is needed.

    Raises:
        CannotPlace: it cannot go there.
        HostRefused: Resolve did not put it there.
    """
    there = _already_there(scene, result.job_id, spot)
    if there:
        return _placed(result, there, spot)
    if choices.place == "take":
        return _as_take(scene, bring_in(), result, spot, later)
    track = _chosen_track(scene, choices.track) if choices.place == "track" else 0
    is_taken = track > 0 and not _is_free(scene, track, spot)
    if is_taken and choices.conflict == "replace" and not result.is_sequence:
        return _replace(scene, result, spot, track, later)
    media = bring_in()
    if is_taken and choices.conflict != "new":
        note = f"Track V{track} is taken there, so the result is in the bin Fresco only."
        return _placed(result, 0, spot, note)
    if track == 0 or is_taken:
        track = _free_track(scene, spot) or _new_track(scene, later)
    return _append(scene, media, result, spot, track, later)


def _placed(result: Result, track: int, spot: Spot, note: str = "") -> PlacedResult:
    return PlacedResult(
        job_id=result.job_id, track=track, first=spot.first, count=spot.count, note=note
    )


def _overlapping(scene: Scene, track: int, spot: Spot) -> list[Any]:
    return [
        item
        for item in scene.items(track)
        if scene.calls.number(item, "GetStart") < spot.stop
        and scene.calls.number(item, "GetEnd") > spot.first
    ]


def _is_free(scene: Scene, track: int, spot: Spot) -> bool:
    return not _overlapping(scene, track, spot)


def _job_at(scene: Scene, item: Any) -> str | None:
    media = scene.calls.find(item, "GetMediaPoolItem")
    return None if media is None else job_of(scene, media)


def _already_there(scene: Scene, job_id: str, spot: Spot) -> int:
    """The track that shows the result there; 0 if none does."""
    for track in scene.tracks():
        for item in _overlapping(scene, track, spot):
            if _job_at(scene, item) == job_id:
                return track
    return 0


def _is_locked(scene: Scene, track: int) -> bool:
    return scene.calls.switch(scene.timeline, "GetIsTrackLocked", _VIDEO, track)


def _chosen_track(scene: Scene, track: int) -> int:
    if track not in scene.tracks():
        raise CannotPlace(f"There is no video track V{track}. Add it, or choose another track.")
    if _is_locked(scene, track):
        raise CannotPlace(f"Track V{track} is locked. Unlock it, or choose another track.")
    return track


def _free_track(scene: Scene, spot: Spot) -> int:
    """The lowest track of ours above the source that is free there; 0 if there is none."""
    for track in scene.tracks():
        if track <= spot.source_track or _is_locked(scene, track):
            continue
        name = scene.calls.text(scene.timeline, "GetTrackName", _VIDEO, track)
        if name == TRACK_NAME and _is_free(scene, track, spot):
            return track
    return 0


def _new_track(scene: Scene, later: Later) -> int:
    """A track on top of all others."""
    calls, timeline = scene.calls, scene.timeline
    before = len(scene.tracks())
    later(partial(_remove_tracks, scene, before))
    calls.do(timeline, "AddTrack", _VIDEO)
    track = len(scene.tracks())
    if track != before + 1:
        raise HostRefused("AddTrack")
    calls.do(timeline, "SetTrackName", _VIDEO, track, TRACK_NAME)
    return track


def _remove_tracks(scene: Scene, before: int) -> None:
    for track in reversed(scene.tracks()):
        if track > before:
            scene.calls.do(scene.timeline, "DeleteTrack", _VIDEO, track)


def _append(
    scene: Scene, media: Any, result: Result, spot: Spot, track: int, later: Later
) -> PlacedResult:
    """Appends, looks what came of it, and corrects by as much as it is off.

    Versions differ in what `endFrame` means, and what Resolve gives back is not to be trusted.
    """
    later(partial(_remove, scene, result.job_id, track, spot))
    stop = spot.skip + spot.count - (scene.version < _EXCLUSIVE_SINCE)
    for _ in range(2):
        wanted = {
            "mediaPoolItem": media,
            "startFrame": spot.skip,
            "endFrame": stop,
            "recordFrame": spot.first,
            "trackIndex": track,
            "mediaType": 1,
        }
        item = _appended(scene, wanted, result, spot)
        if item is None:
            break
        start = scene.calls.number(item, "GetStart")
        difference = spot.count - scene.calls.number(item, "GetDuration")
        if start == spot.first and difference == 0:
            if not spot.has_own_transforms:
                _carry_over_transforms(scene, spot.source, item)
            return _placed(result, track, spot)
        _remove(scene, result.job_id, track, spot)
        stop += difference
    raise HostRefused("AppendToTimeline")


def _appended(scene: Scene, wanted: dict[str, Any], result: Result, spot: Spot) -> Any | None:
    """What came of appending; None if nothing did."""
    calls, pool = scene.calls, scene.pool
    media, track = wanted["mediaPoolItem"], wanted["trackIndex"]
    calls.ask(pool, "AppendToTimeline", [wanted])
    item = _ours(scene, result.job_id, track, spot)
    if item is None and calls.can("MediaPool", pool, "SetSelectedClip"):
        # Some versions append nothing while nothing is selected in the media pool.
        calls.ask(pool, "SetSelectedClip", media)
        calls.ask(pool, "AppendToTimeline", [wanted])
        item = _ours(scene, result.job_id, track, spot)
    return item


def _ours(scene: Scene, job_id: str, track: int, spot: Spot) -> Any | None:
    for item in _overlapping(scene, track, spot):
        if _job_at(scene, item) == job_id:
            return item
    return None


def _remove(scene: Scene, job_id: str, track: int, spot: Spot) -> None:
    item = _ours(scene, job_id, track, spot)
    if item is not None:
        # Clips leave a timeline on this page only; else the user's page is left alone.
        with page_kept(scene, "edit"):
            scene.calls.do(scene.timeline, "DeleteClips", [item], False)


def _replace(scene: Scene, result: Result, spot: Spot, track: int, later: Later) -> PlacedResult:
    """Puts the new file below an earlier result, which keeps what the editor did with it."""
    calls = scene.calls
    item, media, earlier = _earlier(scene, track, spot)
    old = calls.text(media, "GetClipProperty", "File Path")
    later(partial(calls.do, media, "ReplaceClip", old))
    calls.do(media, "ReplaceClip", str(result.path))
    later(partial(tag, scene, media, earlier))
    tag(scene, media, result.job_id)
    if calls.number(item, "GetDuration") != spot.count:
        raise HostRefused("ReplaceClip")
    return _placed(result, track, spot)


def _earlier(scene: Scene, track: int, spot: Spot) -> tuple[Any, Any, str]:
    """The earlier result that lies there alone: item, clip and job.

    Raises:
        CannotPlace: something else lies there.
    """
    calls, items = scene.calls, _overlapping(scene, track, spot)
    if len(items) == 1:
        (item,) = items
        media = calls.find(item, "GetMediaPoolItem")
        earlier = None if media is None else job_of(scene, media)
        span = calls.number(item, "GetStart"), calls.number(item, "GetEnd")
        if earlier is not None and span == (spot.first, spot.stop):
            return item, media, earlier
    raise CannotPlace(
        f"On track V{track} there is something that Fresco did not make for this clip, and only "
        "earlier results are replaced. Move it away, then run “Update results” again."
    )


def _as_take(scene: Scene, media: Any, result: Result, spot: Spot, later: Later) -> PlacedResult:
    """Adds the result as a take of the clip, and shows it."""
    calls, item = scene.calls, spot.source
    if _is_locked(scene, spot.source_track):
        raise CannotPlace(
            f"Track V{spot.source_track} is locked, so that no take can be added. Unlock it."
        )
    if spot.skip or spot.count != calls.number(item, "GetDuration"):
        note = "It was trimmed since, so that the result does not fit as a take."
        return _placed(result, 0, spot, f"{note} The result is in the bin Fresco.")
    before = calls.number(item, "GetTakesCount")
    selected = calls.number(item, "GetSelectedTakeIndex") if before else 0
    for number in range(1, before + 1):
        take = calls.table(item, "GetTakeByIndex", number).get("mediaPoolItem")
        if take is not None and job_of(scene, take) == result.job_id:
            return _placed(result, spot.source_track, spot)
    later(partial(_drop_takes, scene, item, before, selected))
    calls.do(item, "AddTake", media)
    count = calls.number(item, "GetTakesCount")
    calls.do(item, "SelectTakeByIndex", count)
    if calls.number(item, "GetDuration") != spot.count:
        raise HostRefused("AddTake")
    return _placed(result, spot.source_track, spot)


def _drop_takes(scene: Scene, item: Any, before: int, selected: int) -> None:
    calls = scene.calls
    # A clip without takes becomes the first of its takes when one is added.
    least = before or 1
    for number in range(calls.number(item, "GetTakesCount"), least, -1):
        calls.do(item, "DeleteTakeByIndex", number)
    if before:
        calls.do(item, "SelectTakeByIndex", selected)
    elif calls.number(item, "GetTakesCount"):
        calls.do(item, "SelectTakeByIndex", 1)
        calls.do(item, "FinalizeTake")


def _carry_over_transforms(scene: Scene, source: Any, target: Any) -> None:
    """Give the result the zoom, position, crop and opacity that its source has."""
    wanted, there = _properties(scene, source), _properties(scene, target)
    for name, value in wanted.items():
        if there.get(name) != value:
            _set_property(scene, target, name, value)


def _properties(scene: Scene, item: Any) -> dict[str, Any]:
    """Zoom, position, crop, opacity and the like."""
    calls = scene.calls
    if calls.can("TimelineItem", item, "GetProperties"):
        return calls.table(item, "GetProperties")
    return calls.table(item, "GetProperty")


def _set_property(scene: Scene, item: Any, name: str, value: Any) -> None:
    """It may say no although it did it, so that the answer is worth nothing."""
    calls = scene.calls
    if calls.can("TimelineItem", item, "SetProperties"):
        calls.ask(item, "SetProperties", {name: value})
    else:
        calls.ask(item, "SetProperty", name, value)
