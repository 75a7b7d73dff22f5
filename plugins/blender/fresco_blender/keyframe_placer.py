"""Keyframes on the timeline, while their job runs."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy
from fresco_client import JobState

from . import appearance, covers, stack, timeline, vse
from .core.card import JobCard
from .core.timing import Span, keyframe_spans

PLACEHOLDER = Path(__file__).parent / "planned.png"


class KeyframePlacer:
    """Puts a job's keyframes onto the timeline, a few at a time.

    It holds no strip and no scene between two times, as the user may remove them meanwhile.
    """

    def __init__(self, card: JobCard, indices: Collection[int] | None = None) -> None:
        """`indices`: only these keyframes; None for all."""
        self.job_id = card.job_id
        self._card = card
        self._left: deque[int] | None = None if indices is None else deque(sorted(indices))

    def work(self, is_over: Callable[[], bool]) -> bool:
        """Place at least one, and more until it is over; whether any are left."""
        plan = self._card.plan
        scene = timeline.find_scene(self.job_id)
        if plan is None or scene is None:
            return False
        if self._left is None:
            self._left = deque(plan.keyframes)
        if not timeline.keys(scene, self.job_id):
            self._card.places = timeline.places(scene, self.job_id)
        with suppress(timeline.NoRoom):  # whoever places the result says so
            while self._left:
                self._show(scene, self._left.popleft())
                if is_over():
                    break
            return bool(self._left)
        return False

    def _show(self, scene: Any, index: int) -> None:
        placed = timeline.keys(scene, self.job_id).get(index, [])
        for source in timeline.sources(scene, self.job_id):
            shown = self._span(source, index)
            if shown.length and not any(vse.span(one).cut_to(shown).length for one in placed):
                placed.append(self._add(scene, source, index, shown))
        for strip in placed:
            self._fill(strip, index)
            if strip.color_tag == vse.COLOURS["ready"]:
                self._cover(scene, strip)

    def _span(self, source: Any, index: int) -> Span:
        """Where a keyframe stands for the source, also where that holds its first or last frame."""
        plan, lies = self._card.plan, vse.timing(source)
        assert plan is not None
        spans = dict(keyframe_spans(plan.keyframes, plan.start, plan.stop))
        if index not in spans:
            return Span(start=0, stop=0)
        begin = timeline.first_frame(source, self._card.request) - plan.start
        whole = lies.covered(Span(start=plan.start + begin, stop=plan.stop + begin))
        mine = spans[index].moved(begin)
        return Span(
            start=whole.start if spans[index].start == plan.start else mine.start,
            stop=whole.stop if spans[index].stop == plan.stop else mine.stop,
        ).cut_to(whole)

    def _channel(self, scene: Any, source: Any) -> int:
        """One channel for all: that of those that are there, else one directly above the source."""
        inside = vse.span(source)
        for strips in timeline.keys(scene, self.job_id).values():
            for strip in strips:
                if vse.span(strip).cut_to(inside).length and strip.channel > source.channel:
                    return strip.channel
        above = stack.top_of(scene, source, inside)
        return stack.make_room(scene, source, inside, above, self.job_id)

    def _add(self, scene: Any, source: Any, index: int, shown: Span) -> Any:
        request = self._card.request
        channel = self._channel(scene, source)
        # A strip made with a large picture decodes it here and now; a name given later does not.
        strip = vse.container_of(scene, source).new_image(
            name=f"Key {index}",
            filepath=str(PLACEHOLDER),
            channel=channel,
            frame_start=shown.start,
        )
        vse.show_file(strip, _placeholder(Path(request.folder)))
        vse.set_span(strip, shown)
        strip[timeline.JOB], strip[timeline.KEY] = request.job_id, index
        strip.color_tag = vse.COLOURS["planned"]
        strip.select = False
        appearance.copy_to_aid(scene, source, strip, request)
        return strip

    def _fill(self, strip: Any, index: int) -> None:
        path = self._card.keyframe_files.get(index)
        if path is None:
            has_failed = self._card.state is JobState.FAILED
            strip.color_tag = vse.COLOURS["failed" if has_failed else "planned"]
            return
        if Path(bpy.path.abspath(strip.directory)) / strip.elements[0].filename != path:
            vse.show_file(strip, path)
        if strip.color_tag != vse.COLOURS["ready"]:
            strip.color_tag = vse.COLOURS["ready"]

    def _cover(self, scene: Any, strip: Any) -> None:
        """Hide the source behind a keyframe that it would be seen through."""
        lies, request = vse.span(strip), self._card.request
        beside = timeline.sources(scene, self.job_id)
        source = next((one for one in beside if vse.span(one).cut_to(lies).length), None)
        if source is None or not appearance.is_mixed_twice(scene, source, request):
            return
        if covers.is_covered(scene, strip):
            return
        with suppress(timeline.NoRoom):  # then it is seen through it
            channel = self._cover_channel(scene, source, strip)
            cover = covers.put_over(scene, source, strip, request, channel)
            cover[timeline.JOB] = self.job_id

    def _cover_channel(self, scene: Any, source: Any, strip: Any) -> int:
        """One channel for all, directly above the keyframes."""
        inside = vse.span(source)
        for cover in timeline.covers(scene, self.job_id):
            if vse.span(cover).cut_to(inside).length and cover.channel > strip.channel:
                return cover.channel
        return stack.make_room(scene, source, inside, strip.channel, self.job_id)


def _placeholder(folder: Path) -> Path:
    """A transparent picture beside the results, which goes where they go; else the add-on's."""
    beside = folder / PLACEHOLDER.name
    with suppress(OSError):
        if not beside.exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PLACEHOLDER, beside)
        return beside
    return PLACEHOLDER
