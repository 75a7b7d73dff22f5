"""Results in the media pool: one bin, one clip for every job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from fresco_davinci.errors import HostRefused
from fresco_davinci.host.objects import TimelineObjects
from fresco_davinci.host.reading import JOB_KEY, job_of
from fresco_davinci.rates import exact_rate

BIN = "Fresco"
Later = Callable[[Callable[[], object]], None]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a job has made: a video file, or `count` pictures whose names a pattern gives."""

    job_id: str
    path: Path
    """A file, or name_%04d.png with the first picture numbered 0."""
    count: int
    """Frames."""
    rate: Fraction

    @property
    def is_sequence(self) -> bool:
        return self.path.name.endswith("_%06d.png")


def import_result(objects: TimelineObjects, pool: Any, result: Result, later: Later) -> Any:
    """The result's clip in the bin; the one that is there already if it was imported before.

    `later` is told how to take back what was done.

    Raises:
        HostRefused: Resolve does not import it, or reads another number of frames.
    """
    folder = _bin(objects, pool, later)
    for media in objects.calls.many(folder, "GetClipList"):
        if job_of(objects, media) == result.job_id or _shows(objects, media, result):
            tag(objects, media, result.job_id)
            return media
    objects.calls.do(pool, "SetCurrentFolder", folder)
    later(partial(_forget, objects, pool, folder, result))
    media = _import(objects, pool, result)
    _conform(objects, media, result)
    tag(objects, media, result.job_id)
    return media


def _bin(objects: TimelineObjects, pool: Any, later: Later) -> Any:
    calls = objects.calls
    root = calls.get(pool, "GetRootFolder")
    found = _subfolder(objects, root)
    if found is not None:
        return found
    later(partial(_remove_bin, objects, pool, root))
    made = calls.ask(pool, "AddSubFolder", root, BIN) or _subfolder(objects, root)
    if made is None:
        raise HostRefused("AddSubFolder")
    return made


def _subfolder(objects: TimelineObjects, root: Any) -> Any | None:
    for folder in objects.calls.many(root, "GetSubFolderList"):
        if objects.calls.text(folder, "GetName") == BIN:
            return folder
    return None


def _remove_bin(objects: TimelineObjects, pool: Any, root: Any) -> None:
    folder = _subfolder(objects, root)
    if folder is not None:
        objects.calls.do(pool, "DeleteFolders", [folder])


def _import(objects: TimelineObjects, pool: Any, result: Result) -> Any:
    if not result.is_sequence:
        return objects.calls.do(pool, "ImportMedia", [str(result.path)])[0]
    wanted = {"FilePath": str(result.path), "StartIndex": 0, "EndIndex": result.count - 1}
    found = objects.calls.ask(pool, "ImportMedia", [wanted])
    if not found:
        # That form is known to do nothing in the free edition 21.1 on Linux.
        storage = objects.calls.get(objects.resolve, "GetMediaStorage")
        found = objects.calls.do(storage, "AddItemListToMediaPool", [str(result.path.parent)])
    return found[0]


def _conform(objects: TimelineObjects, media: Any, result: Result) -> None:
    """Pictures come in at the project's rate; every frame is to last as long as it should."""
    calls = objects.calls
    if exact_rate(calls.get(media, "GetClipProperty", "FPS")) != result.rate:
        calls.do(
            media, "SetClipProperty", "FPS", f"{float(result.rate):.3f}".rstrip("0").rstrip(".")
        )
    frames = calls.text(media, "GetClipProperty", "Frames")
    if frames != str(result.count):
        raise HostRefused(f"ImportMedia, which found {frames} frames instead of {result.count}")


def tag(objects: TimelineObjects, media: Any, job_id: str) -> None:
    """Write on a clip which job made it."""
    calls = objects.calls
    if job_of(objects, media) == job_id:
        return
    if calls.can("MediaPoolItem", media, "SetThirdPartyMetadata"):
        calls.do(media, "SetThirdPartyMetadata", JOB_KEY, job_id)
    else:
        calls.do(media, "SetMetadata", "Comments", f"Fresco job {job_id}")


def _shows(objects: TimelineObjects, media: Any, result: Result) -> bool:
    """Whether a clip is this result, imported before it could be tagged."""
    path = objects.calls.text(media, "GetClipProperty", "File Path")
    return not result.is_sequence and Path(path) == result.path


def _forget(objects: TimelineObjects, pool: Any, folder: Any, result: Result) -> None:
    """Takes the clip out of the pool again, also if importing it gave nothing back."""
    stem = result.path.name.removesuffix("%06d.png") if result.is_sequence else result.path.name
    clips = [
        media
        for media in objects.calls.many(folder, "GetClipList")
        if Path(objects.calls.text(media, "GetClipProperty", "File Path")).name.startswith(stem)
    ]
    if clips:
        objects.calls.do(pool, "DeleteClips", clips)
