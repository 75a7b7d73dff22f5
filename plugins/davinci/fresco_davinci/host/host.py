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
from fresco_davinci.host.calls import ResolveCalls
from fresco_davinci.host.importing import Later, Result, import_result
from fresco_davinci.host.objects import TimelineObjects, folder_kept, open_timeline, timeline_shown
from fresco_davinci.host.placing import TimelinePlacement
from fresco_davinci.pending_jobs import PendingJob
from fresco_davinci.rollback import rolled_back_on_failure


class Host:
    """DaVinci Resolve, as far as Fresco needs it. `resolve` is the object that scripts are given.

    Every verb may raise `NotReady`, `HostRefused` and `HostGone`, and leaves the project as it was
    when it does.
    """

    def __init__(self, resolve: Any) -> None:
        self._resolve = resolve
        self._calls = ResolveCalls()

    def _objects(self) -> TimelineObjects:
        return open_timeline(self._calls, self._resolve)

    def timeline(self) -> TimelineInfo:
        """The current timeline and its project."""
        return self._objects().info()

    def current_clip(self) -> TimelineClip:
        """The clip under the playhead."""
        return reading.current_clip(self._objects())

    def clips_between_marks(self) -> list[ClipRange]:
        """Parts of clips between mark in and mark out."""
        return reading.clips_between_marks(self._objects())

    def playhead(self) -> int:
        """The record frame the playhead is on."""
        return reading.playhead(self._objects())

    def export_frame(self, path: Path) -> None:
        """Write what the viewer shows, a file whose ending names its format."""
        objects = self._objects()
        objects.calls.do(objects.project, "ExportCurrentFrameAsStill", str(path))

    def render(self, part: ClipRange, folder: Path, wait: Callable[[float], None]) -> Path:
        """See `rendering.render`."""
        return rendering.render(self._objects(), part, folder, wait)

    def mark(self, pending: PendingJob) -> None:
        """Show on a clip that a job works on it."""
        objects = self._objects()
        found = objects.find(pending.item_id)
        if found is not None:
            marking.mark(objects, found[1], pending.job_id, pending.choices.title)

    def unmark(self, pending: PendingJob) -> bool:
        """Take that back; whether it was possible, or there is nothing to take back."""
        try:
            with timeline_shown(self._objects(), pending.timeline_id) as objects:
                found = marking.find_marked(objects, pending.item_id, pending.job_id)
                return found is None or marking.unmark(
                    objects, found[1], pending.job_id, pending.color
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
                timeline_shown(self._objects(), pending.timeline_id) as objects,
                rolled_back_on_failure() as later,
            ):
                return _placed(objects, pending, result, later)
        except TimelineGone as error:
            with rolled_back_on_failure() as later:
                _imported(self._objects(), result, later)
            return _in_bin(pending, f"{error} The result is in the bin Fresco.")


def _placed(
    objects: TimelineObjects, pending: PendingJob, result: Result, later: Later
) -> PlacedResult:
    bring_in = partial(_imported, objects, result, later)
    placement = _placement(objects, pending)
    if isinstance(placement, str):
        bring_in()
        return _in_bin(pending, placement)
    return placing.place(objects, bring_in, result, placement, pending.choices, later)


def _imported(objects: TimelineObjects, result: Result, later: Later) -> Any:
    pool = objects.pool
    with folder_kept(objects, pool):
        return import_result(objects, pool, result, later)


def _in_bin(pending: PendingJob, note: str) -> PlacedResult:
    return PlacedResult(job_id=pending.job_id, track=0, first=0, count=0, note=note)


def _placement(objects: TimelineObjects, pending: PendingJob) -> TimelinePlacement | str:
    """Where the source is now; a sentence if the result has no place any more."""
    found = marking.find_marked(objects, pending.item_id, pending.job_id)
    if found is None:
        return f"“{pending.name}” is no longer in the timeline; the result is in the bin Fresco."
    track, item = found
    calls = objects.calls
    start, left = calls.number(item, "GetStart"), calls.number(item, "GetLeftOffset")
    stop = calls.number(item, "GetEnd")
    # The result stays in step with its source: moved with it, trimmed with it.
    first_media = pending.left + pending.first - pending.start
    first = start + first_media - left
    shown, last = max(first, start), min(first + pending.count, stop)
    if shown >= last:
        return f"“{pending.name}” no longer shows what was restyled; it is in the bin Fresco."
    return TimelinePlacement(
        source=item,
        source_track=track,
        first=shown,
        count=last - shown,
        skip=shown - first,
        has_own_transforms=bool(pending.rendered),
    )
