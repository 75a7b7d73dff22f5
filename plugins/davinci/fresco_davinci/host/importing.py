"""Results in the media pool: one bin, one clip for every job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from fresco_davinci.errors import HostRefused
from fresco_davinci.host.reading import JOB_KEY, job_of
from fresco_davinci.host.scene import Scene
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


def import_result(scene: Scene, pool: Any, result: Result, later: Later) -> Any:
    """The result's clip in the bin; the one that is there already if it was imported before.

    `later` is told how to take back what was done.

    Raises:
        HostRefused: Resolve does not import it, or reads another number of frames.
    """
    folder = _bin(scene, pool, later)
    for media in scene.calls.many(folder, "GetClipList"):
        if job_of(scene, media) == result.job_id or _shows(scene, media, result):
            tag(scene, media, result.job_id)
            return media
    scene.calls.do(pool, "SetCurrentFolder", folder)
    later(partial(_forget, scene, pool, folder, result))
    media = _import(scene, pool, result)
    _conform(scene, media, result)
    tag(scene, media, result.job_id)
    return media


def _bin(scene: Scene, pool: Any, later: Later) -> Any:
    calls = scene.calls
    root = calls.get(pool, "GetRootFolder")
    found = _subfolder(scene, root)
    if found is not None:
        return found
    later(partial(_remove_bin, scene, pool, root))
    made = calls.ask(pool, "AddSubFolder", root, BIN) or _subfolder(scene, root)
    if made is None:
        raise HostRefused("AddSubFolder")
    return made


def _subfolder(scene: Scene, root: Any) -> Any | None:
    for folder in scene.calls.many(root, "GetSubFolderList"):
        if scene.calls.text(folder, "GetName") == BIN:
            return folder
    return None


def _remove_bin(scene: Scene, pool: Any, root: Any) -> None:
    folder = _subfolder(scene, root)
    if folder is not None:
        scene.calls.do(pool, "DeleteFolders", [folder])


def _import(scene: Scene, pool: Any, result: Result) -> Any:
    if not result.is_sequence:
        return scene.calls.do(pool, "ImportMedia", [str(result.path)])[0]
    wanted = {"FilePath": str(result.path), "StartIndex": 0, "EndIndex": result.count - 1}
    found = scene.calls.ask(pool, "ImportMedia", [wanted])
    if not found:
        # That form is known to do nothing in the free edition 21.1 on Linux.
        storage = scene.calls.get(scene.resolve, "GetMediaStorage")
        found = scene.calls.do(storage, "AddItemListToMediaPool", [str(result.path.parent)])
    return found[0]


def _conform(scene: Scene, media: Any, result: Result) -> None:
    """Pictures come in at the project's rate; every frame is to last as long as it should."""
    calls = scene.calls
    if exact_rate(calls.get(media, "GetClipProperty", "FPS")) != result.rate:
        calls.do(
            media, "SetClipProperty", "FPS", f"{float(result.rate):.3f}".rstrip("0").rstrip(".")
        )
    frames = calls.text(media, "GetClipProperty", "Frames")
    if frames != str(result.count):
        raise HostRefused(f"ImportMedia, which found {frames} frames instead of {result.count}")


def tag(scene: Scene, media: Any, job_id: str) -> None:
    """Write on a clip which job made it."""
    calls = scene.calls
    if job_of(scene, media) == job_id:
        return
    if calls.can("MediaPoolItem", media, "SetThirdPartyMetadata"):
        calls.do(media, "SetThirdPartyMetadata", JOB_KEY, job_id)
    else:
        calls.do(media, "SetMetadata", "Comments", f"Fresco job {job_id}")


def _shows(scene: Scene, media: Any, result: Result) -> bool:
    """Whether a clip is this result, imported before it could be tagged."""
    path = scene.calls.text(media, "GetClipProperty", "File Path")
    return not result.is_sequence and Path(path) == result.path


def _forget(scene: Scene, pool: Any, folder: Any, result: Result) -> None:
    """Takes the clip out of the pool again, also if importing it gave nothing back."""
    stem = result.path.name.removesuffix("%06d.png") if result.is_sequence else result.path.name
    clips = [
        media
        for media in scene.calls.many(folder, "GetClipList")
        if Path(scene.calls.text(media, "GetClipProperty", "File Path")).name.startswith(stem)
    ]
    if clips:
        scene.calls.do(pool, "DeleteClips", clips)
