"""`Host`: the verbs that the core knows."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from fresco_davinci.clips import ClipRange, PlacedResult, TimelineClip, TimelineInfo
from fresco_davinci.errors import TimelineGone
from fresco_davinci.host import marking, placing, reading, rendering
from fresco_davinci.host.calls import Calls
from fresco_davinci.host.importing import Later, Result, import_result
from fresco_davinci.host.placing import Spot
from fresco_davinci.host.scene import Scene, folder_kept, open_scene, timeline_shown
from fresco_davinci.pending_jobs import PendingJob
from fresco_davinci.rollback import rolled_back_on_failure


class Host:
    """DaVinci Resolve, as far as Fresco needs it. `resolve` is the object that scripts are given.

    Every verb may raise `NotReady`, `HostRefused` and `HostGone`, and leaves the project as it was
    when it does.
    """

    def __init__(self, resolve: Any) -> None:
        self._resolve = resolve
        self._calls = Calls()

    def _scene(self) -> Scene:
        return open_scene(self._calls, self._resolve)

    def timeline(self) -> TimelineInfo:
        """The current timeline and its project."""
        return self._scene().info()

    def current_clip(self) -> TimelineClip:
        """The clip under the playhead."""
        return reading.current_clip(self._scene())

    def clips_between_marks(self) -> list[ClipRange]:
        """Parts of clips between mark in and mark out."""
        return reading.clips_between_marks(self._scene())

    def playhead(self) -> int:
        """The record frame the playhead is on."""
        return reading.playhead(self._scene())

    def export_frame(self, path: Path) -> None:
        """Write what the viewer shows, a file whose ending names its format."""
        scene = self._scene()
        scene.calls.do(scene.project, "ExportCurrentFrameAsStill", str(path))

    def render(self, part: ClipRange, folder: Path, wait: Callable[[float], None]) -> Path:
        """See `rendering.render`."""
        return rendering.render(self._scene(), part, folder, wait)

    def mark(self, pending: PendingJob) -> None:
        """Show on a clip that a job works on it."""
        scene = self._scene()
        found = scene.find(pending.item_id)
        if found is not None:
            marking.mark(scene, found[1], pending.job_id, pending.choices.title)

    def unmark(self, pending: PendingJob) -> bool:
        """Take that back; whether it was possible, or there is nothing to take back."""
        try:
            with timeline_shown(self._scene(), pending.timeline_id) as scene:
                found = marking.find_marked(scene, pending.item_id, pending.job_id)
                return found is None or marking.unmark(
                    scene, found[1], pending.job_id, pending.color
                )
        except TimelineGone:
            return True

    def place(self, pending: PendingJob, path: Path) -> PlacedResult:
        """Bring a result in and put it at the record frames of its source.

        A result that is in the project already is left as it is. `path` is a file, or a pattern
        for numbered pictures.

        Raises:
            CannotPlace: it cannot go where it is wanted.
        """
        result = Result(
            job_id=pending.job_id, path=path, count=pending.count, rate=Fraction(pending.rate)
        )
        try:
            with (
                timeline_shown(self._scene(), pending.timeline_id) as scene,
                rolled_back_on_failure() as later,
            ):
                return _placed(scene, pending, result, later)
        except TimelineGone as error:
            with rolled_back_on_failure() as later:
                _imported(self._scene(), result, later)
            return _in_bin(pending, f"{error} The result is in the bin Fresco.")


def _placed(scene: Scene, pending: PendingJob, result: Result, later: Later) -> PlacedResult:
    bring_in = partial(_imported, scene, result, later)
    spot = _spot(scene, pending)
    if isinstance(spot, str):
        bring_in()
        return _in_bin(pending, spot)
    return placing.place(scene, bring_in, result, spot, pending.choices, later)


def _imported(scene: Scene, result: Result, later: Later) -> Any:
    pool = scene.pool
    with folder_kept(scene, pool):
        return import_result(scene, pool, result, later)


def _in_bin(pending: PendingJob, note: str) -> PlacedResult:
    return PlacedResult(job_id=pending.job_id, track=0, first=0, count=0, note=note)


def _spot(scene: Scene, pending: PendingJob) -> Spot | str:
    """Where the source is now; a sentence if the result has no place any more."""
    found = marking.find_marked(scene, pending.item_id, pending.job_id)
    if found is None:
        return f"“{pending.name}” is no longer in the timeline; the result is in the bin Fresco."
    track, item = found
    calls = scene.calls
    start, left = calls.number(item, "GetStart"), calls.number(item, "GetLeftOffset")
    stop = calls.number(item, "GetEnd")
    # The result stays in step with its source: moved with it, trimmed with it.
    first_media = pending.left + pending.first - pending.start
    first = start + first_media - left
    shown, last = max(first, start), min(first + pending.count, stop)
    if shown >= last:
        return f"“{pending.name}” no longer shows what was restyled; it is in the bin Fresco."
    return Spot(
        source=item,
        source_track=track,
        first=shown,
        count=last - shown,
        skip=shown - first,
        has_own_transforms=bool(pending.rendered),
    )
