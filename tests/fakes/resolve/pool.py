"""The media pool: folders, clips, imports and what is put into timelines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from fresco_engine.errors import FrescoError
from fresco_media import clip as media

from tests.fakes.resolve.marking import COLORS, Marked
from tests.fakes.resolve.objects import Wrapper, is_whole
from tests.fakes.resolve.state import Clip, Folder, Item, Timeline, Track, timecode_of

PROPERTIES = frozenset(
    ["Alpha mode", "Audio Bit Depth", "Audio Ch", "Audio Codec", "Audio Offset", "Bit Depth",
     "Clip Color", "Clip Directory", "Clip Name", "Cloud Sync", "Data Level", "Date Added",
     "Date Created", "Date Modified", "Drop frame", "Duration", "Enable Deinterlacing", "End TC",
     "FPS", "Field Dominance", "File Name", "File Path", "Flags", "Format", "Frames", "IDT", "In",
     "Input Color Space", "Input Gamma", "Input LUT", "Input Sizing Preset", "Noise Reduction",
     "Offline Reference", "Online Status", "Out", "PAR", "Proxy", "Proxy Media Path", "Reel Name",
     "Resolution", "Sample Rate", "Sharpness", "Start", "Start TC", "Super Scale",
     "SuperScale Noise Reduction", "SuperScale Sharpness", "Synced Audio", "Type", "Usage",
     "Video Codec"]
)  # fmt: skip
"""Of clips in the media pool, as they are documented."""
_IMPORT = frozenset({"FilePath", "StartIndex", "EndIndex"})
_APPEND = frozenset(
    {"mediaPoolItem", "startFrame", "endFrame", "mediaType", "trackIndex", "recordFrame"}
)


def reported_rate(rate: Fraction) -> float:
    """As the interface gives rates: 23.976 for 24000/1001."""
    return round(float(rate), 3)


def exact_rate(told: str | float) -> Fraction:
    """The rate that is meant by 23.976."""
    exact = Fraction(told).limit_denominator(1000)
    if abs(exact - round(exact)) > Fraction(1, 100):
        return Fraction(round(exact) * 1000, 1001)
    return exact


def probed(path: Path) -> Clip | None:
    """A video file as a clip."""
    try:
        info = media.Clip.open(path).info
    except (FrescoError, OSError):
        return None
    rate = info.frame_rate or Fraction(24)
    return Clip(
        name=path.name,
        path=str(path),
        rate=rate,
        frames=info.frame_count,
        size=(info.width, info.height),
        has_audio=info.has_audio,
    )


def sequence(pattern: str, first: int, last: int, rate: Fraction) -> Clip | None:
    """Numbered pictures as a clip; None if one is missing."""
    files = [Path(pattern % number) for number in range(first, last + 1)]
    if not files or not all(file.is_file() for file in files):
        return None
    digits = re.search(r"%0(\d+)d", pattern)
    width = int(digits[1]) if digits else 1
    span = f"[{first:0{width}}-{last:0{width}}]"
    path = re.sub(r"%0\d+d", lambda _: span, pattern).replace("%%", "%")
    still = media.Clip.open(files[0]).info
    return Clip(
        name=Path(path).name,
        path=path,
        rate=rate,
        frames=len(files),
        size=(still.width, still.height),
        kind="Image Sequence",
        start=first,
    )


class MediaPoolItem(Marked):
    _kind = "MediaPoolItem"
    _subject: Clip

    def GetName(self) -> str:
        return self._subject.name

    def GetUniqueId(self) -> str:
        return self._subject.id

    def GetMediaId(self) -> str:
        return f"media-{self._subject.id}"

    def GetClipProperty(self, name: str | None = None) -> Any:
        clip = self._subject
        if name is not None and name not in PROPERTIES:
            raise self._world.blame(f"clips have no property {name!r}")
        properties: dict[str, Any] = {
            "File Path": clip.path,
            "File Name": Path(clip.path).name,
            "Clip Name": clip.name,
            "Clip Color": clip.color,
            "FPS": reported_rate(clip.rate),
            "Frames": str(clip.frames) if clip.frames else "",
            "Start": str(clip.start),
            "Input LUT": clip.lut,
            "Start TC": timecode_of(0, round(clip.rate), is_drop_frame=False),
            "Type": {"de": {"Video": "Clip"}}.get(self._world.language, {}).get(
                clip.kind, clip.kind
            ),
            "Resolution": f"{clip.size[0]}x{clip.size[1]}",
        }
        return properties if name is None else properties.get(name, "")

    def SetClipProperty(self, name: str, value: str) -> bool:
        if name not in PROPERTIES or not isinstance(value, str):
            raise self._world.blame(f"clips have no property {name!r} for {value!r}")
        if name != "FPS":
            return False
        self._subject.rate = exact_rate(value)
        return True

    def GetThirdPartyMetadata(self, name: str | None = None) -> Any:
        found = self._subject.third_party
        return dict(found) if name is None else found.get(name, "")

    def SetThirdPartyMetadata(self, name: str | dict[str, str], value: str = "") -> bool:
        self._subject.third_party.update(name if isinstance(name, dict) else {name: value})
        return True

    def GetMetadata(self, name: str | None = None) -> Any:
        found = self._subject.metadata
        return dict(found) if name is None else found.get(name, "")

    def SetMetadata(self, name: str | dict[str, str], value: str = "") -> bool:
        self._subject.metadata.update(name if isinstance(name, dict) else {name: value})
        return True

    def GetClipColor(self) -> str:
        return self._subject.color

    def SetClipColor(self, color: str) -> bool:
        if color not in COLORS:
            return False
        self._subject.color = color
        return True

    def ClearClipColor(self) -> bool:
        self._subject.color = ""
        return True

    def ReplaceClip(self, path: str) -> bool:
        new = probed(Path(path))
        if new is None:
            return False
        clip = self._subject
        clip.path, clip.rate, clip.frames, clip.size = new.path, new.rate, new.frames, new.size
        return True


class PoolFolder(Wrapper):
    _kind = "Folder"
    _subject: Folder

    def GetName(self) -> str:
        return self._subject.name

    def GetUniqueId(self) -> str:
        return self._subject.id

    def GetClipList(self) -> list[MediaPoolItem]:
        return [MediaPoolItem(self._world, clip) for clip in self._subject.clips]

    def GetSubFolderList(self) -> list[PoolFolder]:
        return [PoolFolder(self._world, folder) for folder in self._subject.folders]


class MediaPool(Wrapper):
    _kind = "MediaPool"

    @property
    def _project(self) -> Any:
        return self._world.project

    def GetRootFolder(self) -> PoolFolder:
        return PoolFolder(self._world, self._project.root)

    def GetCurrentFolder(self) -> PoolFolder:
        return PoolFolder(self._world, self._project.folder())

    def SetCurrentFolder(self, folder: PoolFolder) -> bool:
        self._project.current_folder = folder._subject.id
        return True

    def AddSubFolder(self, parent: PoolFolder, name: str) -> PoolFolder | None:
        if any(folder.name == name for folder in parent._subject.folders):
            return None
        made = Folder(name)
        parent._subject.folders.append(made)
        self._project.current_folder = made.id
        return PoolFolder(self._world, made)

    def DeleteFolders(self, folders: list[PoolFolder]) -> bool:
        for wanted in folders:
            for parent in self._project.root.all():
                if any(found is wanted._subject for found in parent.folders):
                    parent.folders.remove(wanted._subject)
                    if self._project.current_folder == wanted._subject.id:
                        self._project.current_folder = self._project.root.id
                    return True
        return False

    def ImportMedia(self, items: list[Any]) -> list[MediaPoolItem] | None:
        clips = [clip for item in items for clip in self._imported(item)]
        if not clips:
            return None
        self._project.folder().clips += clips
        return [MediaPoolItem(self._world, clip) for clip in clips]

    def _imported(self, item: Any) -> Iterator[Clip]:
        world = self._world
        if isinstance(item, dict):
            if set(item) != _IMPORT or not is_whole(item["StartIndex"], item["EndIndex"]):
                raise world.blame(f"that describes no pictures: {item}")
            if world.is_import_by_dict_broken:
                return
            rate = world.timeline.rate
            clip = sequence(item["FilePath"], item["StartIndex"], item["EndIndex"], rate)
        else:
            clip = probed(Path(item))
            if not world.is_studio and world.platform == "linux" and item.endswith(".mp4"):
                clip = None  # It has no codec for H.264.
        if clip is not None:
            yield clip

    def SetSelectedClip(self, clip: MediaPoolItem) -> bool:
        self._world.selected_clip = clip._subject.id
        return True

    def DeleteClips(self, clips: list[MediaPoolItem]) -> bool:
        wanted = {clip._subject.id for clip in clips}
        for folder in self._project.root.all():
            folder.clips[:] = [clip for clip in folder.clips if clip.id not in wanted]
        return True

    def AppendToTimeline(self, *clips: Any) -> list[Any] | None:
        timeline: Timeline | None = self._project.timeline()
        wanted = clips[0] if len(clips) == 1 and isinstance(clips[0], list) else list(clips)
        if timeline is None or (
            self._world.does_append_selected_only and not self._world.selected_clip
        ):
            return None
        placed: list[Item] = []
        for info in wanted:
            if not isinstance(info, dict):
                raise self._world.blame("a clip without its place lands wherever the user is")
            if not set(info) <= _APPEND or not isinstance(info.get("mediaPoolItem"), MediaPoolItem):
                raise self._world.blame(f"that describes no clip: {info}")
            numbers = [
                info[key]
                for key in ("startFrame", "endFrame", "trackIndex", "recordFrame", "mediaType")
                if key in info
            ]
            if not is_whole(*numbers):
                return None
            placed += self._append(timeline, info)
        from tests.fakes.resolve.timeline import TimelineItem

        return [TimelineItem(self._world, item) for item in placed]

    def _append(self, timeline: Timeline, info: dict[str, Any]) -> list[Item]:
        clip: Clip = info["mediaPoolItem"]._subject
        if not any(clip is found for folder in self._project.root.all() for found in folder.clips):
            raise self._world.blame("the clip is not in this project")
        kinds = {1: ("video",), 2: ("audio",)}.get(info.get("mediaType", 0), ("video", "audio"))
        placed: list[Item] = []
        for kind in kinds:
            if kind == "audio" and not clip.has_audio:
                continue
            tracks = timeline.tracks(kind)
            number = info.get("trackIndex", 1)
            if not 1 <= number <= len(tracks) or tracks[number - 1].is_locked:
                continue
            item = self._item(timeline, clip, info)
            if item is not None and _is_free(tracks[number - 1], item):
                tracks[number - 1].items.append(item)
                placed.append(item)
        return placed

    def _item(self, timeline: Timeline, clip: Clip, info: dict[str, Any]) -> Item | None:
        is_inclusive = self._world.version < (19,)
        first = info.get("startFrame", 0)
        stop = info["endFrame"] + is_inclusive if "endFrame" in info else clip.frames
        count = min(stop, clip.frames) - first
        duration = count * timeline.rate // clip.rate
        if duration <= 0:
            return None
        end = max((item.end for item in timeline.video[0].items), default=timeline.start)
        return Item(
            name=clip.name,
            start=info.get("recordFrame", end),
            duration=int(duration),
            clip=clip,
            left=int(first * timeline.rate // clip.rate),
        )


class MediaStorage(Wrapper):
    _kind = "MediaStorage"

    def AddItemListToMediaPool(self, items: list[str]) -> list[MediaPoolItem]:
        """Folders of numbered pictures."""
        project, world = self._world.project, self._world
        assert project is not None
        clips: list[Clip] = []
        for item in items:
            files = sorted(Path(item).glob("*.png"))
            found = [re.fullmatch(r"(.*?)(\d+)\.png", str(file)) for file in files]
            parts = [match for match in found if match]
            if parts:
                pattern = parts[0][1].replace("%", "%%") + f"%0{len(parts[0][2])}d.png"
                first, last = int(parts[0][2]), int(parts[-1][2])
                clip = sequence(pattern, first, last, world.timeline.rate)
                clips += [clip] if clip else []
        project.folder().clips += clips
        return [MediaPoolItem(world, clip) for clip in clips]


def _is_free(track: Track, wanted: Item) -> bool:
    return all(item.end <= wanted.start or item.start >= wanted.end for item in track.items)
