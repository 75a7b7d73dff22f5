"""A strict stand-in for DaVinci Resolve; README.md beside it says what it plays."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tests.fakes.resolve.objects import Misuse, World, Wrapper
from tests.fakes.resolve.pool import MediaPool, MediaStorage, reported_rate
from tests.fakes.resolve.rendering import Rendering
from tests.fakes.resolve.state import Clip, Folder, Item, Project, Timeline, Track
from tests.fakes.resolve.timeline import TimelineObject

__all__ = [
    "Clip",
    "Folder",
    "Item",
    "Misuse",
    "Project",
    "Resolve",
    "Timeline",
    "Track",
    "World",
    "open_world",
]

_PAGES = ("media", "photo", "cut", "edit", "fusion", "color", "fairlight", "deliver")


class ProjectObject(Rendering):
    _kind = "Project"
    _subject: Project

    def GetName(self) -> str:
        return self._subject.name

    def GetUniqueId(self) -> str:
        return self._subject.id

    def GetMediaPool(self) -> MediaPool:
        return MediaPool(self._world)

    def GetTimelineCount(self) -> int:
        return len(self._subject.timelines)

    def GetTimelineByIndex(self, number: int) -> TimelineObject | None:
        if not 1 <= number <= len(self._subject.timelines):
            return None
        return TimelineObject(self._world, self._subject.timelines[number - 1])

    def GetCurrentTimeline(self) -> TimelineObject | None:
        timeline = self._subject.timeline()
        return TimelineObject(self._world, timeline) if timeline else None

    def SetCurrentTimeline(self, timeline: TimelineObject) -> bool:
        self._subject.current_timeline = timeline._subject.id
        return True

    def GetSetting(self, name: str | None = None) -> Any:
        return dict(self._subject.settings) if name is None else self._subject.settings.get(name)

    def GetSettings(self) -> dict[str, Any]:
        return dict(self._subject.settings)


class ProjectManager(Wrapper):
    _kind = "ProjectManager"

    def GetCurrentProject(self) -> ProjectObject | None:
        project = self._world.project
        return ProjectObject(self._world, project) if project else None

    def SaveProject(self) -> bool:
        return self._world.project is not None


class Resolve(Wrapper):
    """What scripts find as `resolve`."""

    _kind = "Resolve"

    def GetProjectManager(self) -> ProjectManager:
        return ProjectManager(self._world)

    def GetMediaStorage(self) -> MediaStorage:
        return MediaStorage(self._world)

    def GetProductName(self) -> str:
        return "DaVinci Resolve Studio" if self._world.is_studio else "DaVinci Resolve"

    def IsStudio(self) -> bool:
        return self._world.is_studio

    def GetVersion(self) -> list[Any]:
        return [*self._world.version, 9, ""]

    def GetVersionString(self) -> str:
        return ".".join(str(part) for part in self._world.version)

    def GetCurrentPage(self) -> str | None:
        return self._world.page

    def OpenPage(self, page: str) -> bool:
        if page not in _PAGES or (page == "photo" and self._world.version < (21,)):
            return False
        self._world.page = page
        return True


def open_world(
    rate: Fraction = Fraction(24), *, is_drop_frame: bool = False, **changes: Any
) -> World:
    """Resolve with a project of one empty timeline that starts at one hour."""
    mark = ";" if is_drop_frame else ":"
    timeline = Timeline("Timeline 1", rate, is_drop_frame, f"01:00:00{mark}00")
    settings = {
        "timelineFrameRate": str(reported_rate(rate)),
        "colorScienceMode": "davinciYRGB",
    }
    project = Project("A film", settings, timelines=[timeline], current_timeline=timeline.id)
    project.current_folder = project.root.id
    return World(project=project, **changes)
