"""`Host`: the verbs that the core knows."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from fresco_davinci.clips import Part, Placed, TimelineClip, TimelineInfo
from fresco_davinci.errors import TimelineGone
from fresco_davinci.host import marking, placing, reading, rendering
from fresco_davinci.host.calls import Calls
from fresco_davinci.host.importing import Later, Result, import_result
from fresco_davinci.host.placing import Spot
from fresco_davinci.host.scene import Scene, folder_kept, open_scene, timeline_shown
from fresco_davinci.orders import Order
from fresco_davinci.undo import undone_on_failure


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

    def clips_between_marks(self) -> list[Part]:
        """Parts of clips between mark in and mark out."""
        return reading.clips_between_marks(self._scene())

    def playhead(self) -> int:
        """The record frame the playhead is on."""
        return reading.playhead(self._scene())

    def export_frame(self, path: Path) -> None:
        """Write what the viewer shows, a file whose ending names its format."""
        scene = self._scene()
        scene.calls.do(scene.project, "ExportCurrentFrameAsStill", str(path))

    def render(self, part: Part, folder: Path, wait: Callable[[float], None]) -> Path:
        """See `rendering.render`."""
        return rendering.render(self._scene(), part, folder, wait)

    def mark(self, order: Order) -> None:
        """Show on a clip that a job works on it."""
        scene = self._scene()
        found = scene.find(order.item_id)
        if found is not None:
            marking.mark(scene, found[1], order.job_id, order.choices.title)

    def unmark(self, order: Order) -> bool:
        """Take that back; whether it was possible, or there is nothing to take back."""
        try:
            with timeline_shown(self._scene(), order.timeline_id) as scene:
                found = marking.find_marked(scene, order.item_id, order.job_id)
                return found is None or marking.unmark(scene, found[1], order.job_id, order.color)
        except TimelineGone:
            return True

    def place(self, order: Order, path: Path) -> Placed:
        """Bring a result in and put it at the record frames of its source.

        A result that is in the project already is left as it is. `path` is a file, or a pattern
        for numbered pictures.

        Raises:
            CannotPlace: it cannot go where it is wanted.
        """
        result = Result(
            job_id=order.job_id, path=path, count=order.count, rate=Fraction(order.rate)
        )
        try:
            with (
                timeline_shown(self._scene(), order.timeline_id) as scene,
                undone_on_failure() as later,
            ):
                return _placed(scene, order, result, later)
        except TimelineGone as error:
            with undone_on_failure() as later:
                _imported(self._scene(), result, later)
            return _in_bin(order, f"{error} The result is in the bin Fresco.")


def _placed(scene: Scene, order: Order, result: Result, later: Later) -> Placed:
    bring_in = partial(_imported, scene, result, later)
    spot = _spot(scene, order)
    if isinstance(spot, str):
        bring_in()
        return _in_bin(order, spot)
    return placing.place(scene, bring_in, result, spot, order.choices, later)


def _imported(scene: Scene, result: Result, later: Later) -> Any:
    pool = scene.pool
    with folder_kept(scene, pool):
        return import_result(scene, pool, result, later)


def _in_bin(order: Order, note: str) -> Placed:
    return Placed(job_id=order.job_id, track=0, first=0, count=0, note=note)


def _spot(scene: Scene, order: Order) -> Spot | str:
    """Where the source is now; a sentence if the result has no place any more."""
    found = marking.find_marked(scene, order.item_id, order.job_id)
    if found is None:
        return f"“{order.name}” is no longer in the timeline; the result is in the bin Fresco."
    track, item = found
    calls = scene.calls
    start, left = calls.number(item, "GetStart"), calls.number(item, "GetLeftOffset")
    stop = calls.number(item, "GetEnd")
    # The result stays in step with its source: moved with it, trimmed with it.
    first_media = order.left + order.first - order.start
    first = start + first_media - left
    shown, last = max(first, start), min(first + order.count, stop)
    if shown >= last:
        return f"“{order.name}” no longer shows what was restyled; it is in the bin Fresco."
    return Spot(
        source=item,
        source_track=track,
        first=shown,
        count=last - shown,
        skip=shown - first,
        has_own_transforms=bool(order.rendered),
    )
