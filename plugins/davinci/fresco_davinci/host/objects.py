"""The project, media pool and timeline that Resolve shows, fetched anew by every verb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from fresco_davinci.clips import TimelineInfo
from fresco_davinci.errors import HostRefused, NotReady, TimelineGone
from fresco_davinci.host.calls import ResolveCalls
from fresco_davinci.rates import exact_rate
from fresco_davinci.rollback import retry_once

OLDEST = (18, 5, 1)
_VIDEO = "video"


@dataclass(frozen=True)
class TimelineObjects:
    """Objects of Resolve's, good for one verb."""

    calls: ResolveCalls
    resolve: Any
    project: Any
    timeline: Any
    version: tuple[int, ...]

    @property
    def pool(self) -> Any:
        return self.calls.get(self.project, "GetMediaPool")

    def info(self) -> TimelineInfo:
        """What there is to know of project and timeline."""
        calls = self.calls
        return TimelineInfo(
            project_id=calls.id_of(self.project),
            project_name=calls.text(self.project, "GetName"),
            timeline_id=calls.id_of(self.timeline),
            name=calls.text(self.timeline, "GetName"),
            rate=self.rate(),
            start=calls.number(self.timeline, "GetStartFrame"),
            reads_h264=self.reads_h264(),
        )

    def rate(self) -> Fraction:
        """Frames per second of the timeline, exactly."""
        rate = exact_rate(self.setting("timelineFrameRate"))
        if rate is None:
            raise HostRefused("timelineFrameRate")
        return rate

    def setting(self, name: str) -> Any:
        """A setting of the timeline; None if it has none of that name."""
        if self.calls.can("Timeline", self.timeline, "GetSettings"):
            return self.calls.table(self.timeline, "GetSettings").get(name)
        return self.calls.ask(self.timeline, "GetSetting", name)

    def is_colour_managed(self) -> bool:
        """Whether what is shown has other colours than the files; false where it is not told."""
        calls, project, name = self.calls, self.project, "colorScienceMode"
        if calls.can("Project", project, "GetSettings"):
            told = calls.table(project, "GetSettings").get(name)
        else:
            told = calls.ask(project, "GetSetting", name)
        return bool(told) and str(told) != "davinciYRGB"

    def reads_h264(self) -> bool:
        """The free edition on Linux can neither write nor read it."""
        codecs = self.calls.table(self.project, "GetRenderCodecs", "mov")
        return any("264" in str(codec) for codec in codecs.values())

    def tracks(self) -> range:
        """Numbers of the video tracks, the lowest first."""
        count = self.calls.number(self.timeline, "GetTrackCount", _VIDEO)
        if count < 1:  # There always is one.
            raise HostRefused("GetTrackCount")
        return range(1, count + 1)

    def items(self, track: int) -> list[Any]:
        """What is on a video track, in order."""
        return self.calls.many(self.timeline, "GetItemListInTrack", _VIDEO, track)

    def find(self, item_id: str) -> tuple[int, Any] | None:
        """Track and object of an item; None if it is no longer there."""
        for track in self.tracks():
            for item in self.items(track):
                if self.calls.id_of(item) == item_id:
                    return track, item
        return None

    def check_answers(self) -> None:
        """Make sure that what seems to be nowhere is not only behind a dialog.

        Raises:
            HostRefused: Resolve does not answer at present.
        """
        self.calls.do(self.resolve, "GetVersion")


def open_timeline(calls: ResolveCalls, resolve: Any) -> TimelineObjects:
    """What Resolve shows now.

    Raises:
        NotReady: no project or timeline is open, a dialog is, or this Resolve is too old.
    """
    version = _version(calls, resolve)
    if version < OLDEST:
        raise NotReady(
            f"This is DaVinci Resolve {'.'.join(map(str, version))}; Fresco needs "
            f"{'.'.join(map(str, OLDEST))} or newer. Update Resolve."
        )
    manager = calls.get(resolve, "GetProjectManager")
    project = calls.find(manager, "GetCurrentProject")
    if project is None:
        raise NotReady("No project is open in DaVinci Resolve. Open one, then try again.")
    timeline = calls.find(project, "GetCurrentTimeline")
    if timeline is None:
        raise NotReady("No timeline is open in DaVinci Resolve. Open one, then try again.")
    return TimelineObjects(calls, resolve, project, timeline, version)


def _version(calls: ResolveCalls, resolve: Any) -> tuple[int, ...]:
    parts = calls.ask(resolve, "GetVersion") if resolve is not None else None
    if not parts:
        raise NotReady(
            "DaVinci Resolve does not answer. Close its open dialogs, open a project, and try "
            "again."
        )
    return tuple(int(part) for part in list(parts)[:3])


@contextmanager
def page_kept(objects: TimelineObjects, wanted: str) -> Iterator[None]:
    """The body runs on a page; the user's is shown again when it ends."""
    calls = objects.calls
    before = calls.do(objects.resolve, "GetCurrentPage")
    try:
        if before != wanted:
            calls.do(objects.resolve, "OpenPage", wanted)
        yield
    finally:
        if before != wanted:
            retry_once(partial(calls.do, objects.resolve, "OpenPage", before))


@contextmanager
def folder_kept(objects: TimelineObjects, pool: Any) -> Iterator[None]:
    """The media pool shows the same folder when the body ends."""
    before = objects.calls.get(pool, "GetCurrentFolder")
    try:
        yield
    finally:
        retry_once(partial(objects.calls.do, pool, "SetCurrentFolder", before))


@contextmanager
def timeline_shown(objects: TimelineObjects, timeline_id: str) -> Iterator[TimelineObjects]:
    """The body works on a timeline of the project; the user's is the current one when it ends.

    Raises:
        TimelineGone: the project has no such timeline any more.
    """
    calls = objects.calls
    if calls.id_of(objects.timeline) == timeline_id:
        yield objects
        return
    wanted = _timeline(objects, timeline_id)
    try:
        calls.do(objects.project, "SetCurrentTimeline", wanted)
        yield TimelineObjects(calls, objects.resolve, objects.project, wanted, objects.version)
    finally:
        retry_once(partial(calls.do, objects.project, "SetCurrentTimeline", objects.timeline))


def _timeline(objects: TimelineObjects, timeline_id: str) -> Any:
    calls = objects.calls
    for number in range(1, calls.number(objects.project, "GetTimelineCount") + 1):
        timeline = calls.get(objects.project, "GetTimelineByIndex", number)
        if calls.id_of(timeline) == timeline_id:
            return timeline
    objects.check_answers()
    raise TimelineGone
