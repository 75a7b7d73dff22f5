"""Timelines and the clips in them."""

from __future__ import annotations

from typing import Any

from tests.fakes.resolve.marking import COLORS, Marked
from tests.fakes.resolve.objects import Wrapper
from tests.fakes.resolve.pool import MediaPoolItem, reported_rate
from tests.fakes.resolve.state import Item, Take, Timeline, Track, frame_of, timecode_of

_WITH_TIMECODE = ("cut", "edit", "color", "fairlight", "deliver")
_WITH_PLAYHEAD = ("cut", "edit", "color", "deliver")


class Graph(Wrapper):
    _kind = "Graph"
    _subject: Item

    def GetNumNodes(self) -> int:
        return len(self._subject.nodes)

    def GetToolsInNode(self, number: int) -> list[str] | None:
        if not 1 <= number <= len(self._subject.nodes):
            return None
        return list(self._subject.nodes[number - 1]) or None

    def GetLUT(self, number: int) -> str:
        return self._subject.lut if number == 1 else ""


class TimelineItem(Marked):
    _kind = "TimelineItem"
    _subject: Item

    def GetName(self) -> str:
        return self._subject.name

    def GetUniqueId(self) -> str:
        return self._subject.id

    def GetStart(self, precise: bool = False) -> int:
        return self._subject.start

    def GetEnd(self, precise: bool = False) -> int:
        return self._subject.end

    def GetDuration(self, precise: bool = False) -> int:
        return self._subject.duration

    def GetLeftOffset(self, precise: bool = False) -> int:
        item = self._subject
        return int(item.left / abs(item.speed)) if item.speed else item.left

    def GetRightOffset(self, precise: bool = False) -> int:
        item = self._subject
        if item.clip is None:
            return 0
        length = int(item.clip.frames * self._world.timeline.rate / item.clip.rate)
        return max(length - item.left - item.duration, 0)

    def _span(self) -> tuple[int, int] | None:
        """First and last media frame."""
        item = self._subject
        if item.clip is None:
            return None
        ratio = item.clip.rate / self._world.timeline.rate
        first = int(item.left * ratio)
        last = max(int((item.left + item.duration * abs(item.speed)) * ratio) - 1, first)
        error = self._world.source_frame_error
        span = (first + error, last + error)
        return span if item.speed >= 0 else (span[1], span[0])

    def GetSourceStartFrame(self) -> int | None:
        span = self._span()
        return None if span is None else span[0]

    def GetSourceEndFrame(self) -> int | None:
        span = self._span()
        return None if span is None else span[1]

    def GetSpeed(self) -> dict[str, Any]:
        return {"Percentage": float(self._subject.speed * 100)}

    def GetMediaPoolItem(self) -> MediaPoolItem | None:
        clip = self._subject.clip
        return MediaPoolItem(self._world, clip) if clip else None

    def GetTrackTypeAndIndex(self) -> list[Any] | None:
        found = self._world.timeline.find(self._subject.id)
        return list(found[:2]) if found else None

    def GetClipColor(self) -> str:
        return self._subject.color

    def SetClipColor(self, color: str) -> bool:
        if color not in COLORS:
            return False
        if self._subject.clip is not None:
            self._subject.color = color
        return True

    def ClearClipColor(self) -> bool:
        self._subject.color = ""
        return True

    def SetClipEnabled(self, is_enabled: bool) -> bool:
        self._subject.is_enabled = is_enabled
        return True

    def GetClipEnabled(self) -> bool:
        return self._subject.is_enabled

    def GetProperty(self, name: str | None = None) -> Any:
        found = self._subject.properties
        return dict(found) if name is None else found.get(name)

    def GetProperties(self) -> dict[str, Any]:
        return dict(self._subject.properties)

    def SetProperty(self, name: str, value: Any) -> bool:
        if name not in self._subject.properties:
            return False
        self._subject.properties[name] = value
        return True

    def SetProperties(self, values: dict[str, Any]) -> bool:
        done = [self.__set(name, value) for name, value in values.items()]
        return all(done)

    def __set(self, name: str, value: Any) -> bool:
        known = name in self._subject.properties
        if known:
            self._subject.properties[name] = value
        return known

    def GetFusionCompCount(self) -> int:
        return len(self._subject.compositions)

    def GetNodeGraph(self, layer: int = 1) -> Graph:
        return Graph(self._world, self._subject)

    def GetNumNodes(self) -> int:
        return len(self._subject.nodes)

    def GetTakesCount(self) -> int:
        return len(self._subject.takes)

    def GetSelectedTakeIndex(self) -> int:
        return self._subject.selected_take

    def GetTakeByIndex(self, number: int) -> dict[str, Any] | None:
        takes = self._subject.takes
        if not 1 <= number <= len(takes):
            return None
        take = takes[number - 1]
        return {
            "startFrame": take.start,
            "endFrame": take.end,
            "mediaPoolItem": MediaPoolItem(self._world, take.clip),
        }

    def AddTake(self, clip: MediaPoolItem, start: int = 0, end: int | None = None) -> bool:
        item = self._subject
        if item.clip is None or self._is_locked():
            return False
        if not item.takes:
            item.takes = [Take(item.clip, item.left, item.left + item.duration)]
        subject = clip._subject
        item.takes.append(Take(subject, start, subject.frames if end is None else end))
        self._select(len(item.takes))
        return True

    def SelectTakeByIndex(self, number: int) -> bool:
        if not 1 <= number <= len(self._subject.takes):
            return False
        self._select(number)
        return True

    def DeleteTakeByIndex(self, number: int) -> bool:
        takes = self._subject.takes
        if not 1 <= number <= len(takes) or len(takes) == 1:
            return False
        del takes[number - 1]
        self._select(min(self._subject.selected_take, len(takes)))
        return True

    def FinalizeTake(self) -> bool:
        if not self._subject.takes:
            return False
        self._subject.takes = []
        self._subject.selected_take = 0
        return True

    def _select(self, number: int) -> None:
        item = self._subject
        item.selected_take = number
        take = item.takes[number - 1]
        item.clip, item.left, item.name = take.clip, take.start, item.name

    def _is_locked(self) -> bool:
        found = self._world.timeline.find(self._subject.id)
        if found is None:
            return True
        return self._world.timeline.tracks(found[0])[found[1] - 1].is_locked


class TimelineObject(Marked):
    _kind = "Timeline"
    _subject: Timeline

    def GetName(self) -> str:
        return self._subject.name

    def GetUniqueId(self) -> str:
        return self._subject.id

    def GetStartFrame(self) -> int:
        return self._subject.start

    def GetEndFrame(self) -> int:
        items = [item for track in self._subject.video for item in track.items]
        return max((item.end for item in items), default=self._subject.start)

    def GetStartTimecode(self) -> str:
        return self._subject.start_timecode

    def GetCurrentTimecode(self) -> str | None:
        line = self._subject
        if self._world.page not in _WITH_TIMECODE:
            return None
        frame = line.start + line.playhead
        return timecode_of(frame, line.nominal, is_drop_frame=line.is_drop_frame)

    def SetCurrentTimecode(self, timecode: str) -> bool:
        line = self._subject
        if self._world.page not in _WITH_TIMECODE:
            return False
        frame = frame_of(timecode, line.nominal, is_drop_frame=line.is_drop_frame)
        line.playhead = frame - line.start
        return True

    def GetCurrentVideoItem(self) -> TimelineItem | None:
        line = self._subject
        if self._world.page not in _WITH_PLAYHEAD:
            return None
        at = line.start + line.playhead
        for track in reversed(line.video):
            for item in track.items:
                if track.is_enabled and item.start <= at < item.end:
                    return TimelineItem(self._world, item)
        return None

    def GetSetting(self, name: str | None = None) -> Any:
        found = self._settings()
        return found if name is None else found.get(name, "")

    def GetSettings(self) -> dict[str, Any]:
        return self._settings()

    def _settings(self) -> dict[str, Any]:
        line = self._subject
        return {
            "timelineFrameRate": reported_rate(line.rate),
            "timelineDropFrameTimecode": "1" if line.is_drop_frame else "0",
            "timelineResolutionWidth": str(line.size[0]),
            "timelineResolutionHeight": str(line.size[1]),
        }

    def GetMarkInOut(self) -> dict[str, dict[str, int]]:
        return {"video": dict(self._subject.marks)} if self._subject.marks else {}

    def GetTrackCount(self, kind: str) -> int:
        return len(self._subject.tracks(kind))

    def _track(self, kind: str, number: Any) -> Track | None:
        tracks = self._subject.tracks(kind)
        if not isinstance(number, int) or not 1 <= number <= len(tracks):
            return None
        return tracks[number - 1]

    def GetItemListInTrack(self, kind: str, number: int) -> list[TimelineItem]:
        track = self._track(kind, number)
        items = sorted(track.items, key=lambda item: item.start) if track else []
        return [TimelineItem(self._world, item) for item in items]

    def AddTrack(self, kind: str, options: Any = None) -> bool:
        tracks = self._subject.tracks(kind)
        if not tracks:
            return False
        tracks.append(Track(f"{kind.capitalize()} {len(tracks) + 1}"))
        return True

    def DeleteTrack(self, kind: str, number: int) -> bool:
        tracks = self._subject.tracks(kind)
        if self._track(kind, number) is None or len(tracks) == 1:
            return False
        del tracks[number - 1]
        return True

    def GetTrackName(self, kind: str, number: int) -> str:
        track = self._track(kind, number)
        return track.name if track else ""

    def SetTrackName(self, kind: str, number: int, name: str) -> bool:
        track = self._track(kind, number)
        if track is not None:
            track.name = name
        return track is not None

    def GetIsTrackEnabled(self, kind: str, number: int) -> bool:
        track = self._track(kind, number)
        return track is not None and track.is_enabled

    def SetTrackEnable(self, kind: str, number: int, is_enabled: bool) -> bool:
        track = self._track(kind, number)
        if track is not None:
            track.is_enabled = is_enabled
        return track is not None

    def GetIsTrackLocked(self, kind: str, number: int) -> bool:
        track = self._track(kind, number)
        return track is not None and track.is_locked

    def SetTrackLock(self, kind: str, number: int, is_locked: bool) -> bool:
        track = self._track(kind, number)
        if track is not None:
            track.is_locked = is_locked
        return track is not None

    def DeleteClips(self, items: list[TimelineItem], ripple: bool = False) -> bool:
        if self._world.page != "edit":
            return False
        for wanted in items:
            found = self._subject.find(wanted._subject.id)
            if found is None:
                return False
            track = self._subject.tracks(found[0])[found[1] - 1]
            if track.is_locked:
                return False
            track.items.remove(found[2])
        return True
