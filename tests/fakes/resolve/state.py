"""What a project is made of, as plain data that can be compared."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

TRANSFORMS: dict[str, Any] = {
    "Pan": 0.0,
    "Tilt": 0.0,
    "ZoomX": 1.0,
    "ZoomY": 1.0,
    "ZoomGang": True,
    "RotationAngle": 0.0,
    "AnchorPointX": 0.0,
    "AnchorPointY": 0.0,
    "Pitch": 0.0,
    "Yaw": 0.0,
    "FlipX": False,
    "FlipY": False,
    "CropLeft": 0.0,
    "CropRight": 0.0,
    "CropTop": 0.0,
    "CropBottom": 0.0,
    "CropSoftness": 0.0,
    "CropRetain": False,
    "DynamicZoomEase": 0,
    "CompositeMode": 0,
    "Opacity": 100.0,
    "Distortion": 0.0,
    "RetimeProcess": 0,
    "MotionEstimation": 0,
    "Scaling": 0,
    "ResizeFilter": 0,
}

_numbers = itertools.count(1)


def new_id(kind: str) -> str:
    """An id that nothing else has."""
    return f"{kind}-{next(_numbers):06}"


@dataclass
class Marker:
    color: str
    name: str
    note: str
    duration: int
    customData: str


@dataclass
class Clip:
    """A clip of the media pool; `frames` 0 for one whose length is not known."""

    name: str
    path: str
    rate: Fraction
    frames: int
    size: tuple[int, int] = (0, 0)
    kind: str = "Video"
    has_audio: bool = False
    start: int = 0
    """Number of an image sequence's first picture."""
    id: str = field(default_factory=lambda: new_id("clip"))
    color: str = ""
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    third_party: dict[str, str] = field(default_factory=dict[str, str])
    markers: dict[int, Marker] = field(default_factory=dict[int, Marker])
    lut: str = ""
    inner: Path | None = None
    """What a compound clip shows."""

    def picture(self, index: int) -> Path | None:
        """The file of a picture of an image sequence; None for anything else."""
        found = re.search(r"\[(\d+)-\d+\](?=\.\w+$)", self.path)
        if found is None:
            return None
        name = f"{self.start + index:0{len(found[1])}}"
        return Path(self.path[: found.start()] + name + self.path[found.end() :])


@dataclass
class Folder:
    name: str
    clips: list[Clip] = field(default_factory=list[Clip])
    folders: list[Folder] = field(default_factory=list["Folder"])
    id: str = field(default_factory=lambda: new_id("folder"))

    def all(self) -> Iterator[Folder]:
        """This one and all below it."""
        yield self
        for folder in self.folders:
            yield from folder.all()


@dataclass
class Take:
    clip: Clip
    start: int
    end: int
    """One past the last frame."""


@dataclass
class Item:
    """A clip in a timeline. `left` is its in-point in timeline frames; None: it has no media."""

    name: str
    start: int
    duration: int
    clip: Clip | None
    left: int = 0
    speed: Fraction = Fraction(1)
    id: str = field(default_factory=lambda: new_id("item"))
    color: str = ""
    is_enabled: bool = True
    markers: dict[int, Marker] = field(default_factory=dict[int, Marker])
    properties: dict[str, Any] = field(default_factory=lambda: dict(TRANSFORMS))
    nodes: list[list[str]] = field(default_factory=lambda: [[]])
    """Tools of each node of its grade."""
    lut: str = ""
    compositions: list[str] = field(default_factory=list[str])
    takes: list[Take] = field(default_factory=list[Take])
    selected_take: int = 0

    @property
    def end(self) -> int:
        return self.start + self.duration


@dataclass
class Track:
    name: str
    items: list[Item] = field(default_factory=list[Item])
    is_enabled: bool = True
    is_locked: bool = False


@dataclass
class Timeline:
    """`rate` is exact; timecodes count in whole frames, perhaps with drop-frame."""

    name: str
    rate: Fraction
    is_drop_frame: bool = False
    start_timecode: str = "01:00:00:00"
    video: list[Track] = field(default_factory=lambda: [Track("Video 1")])
    audio: list[Track] = field(default_factory=lambda: [Track("Audio 1")])
    markers: dict[int, Marker] = field(default_factory=dict[int, Marker])
    marks: dict[str, int] = field(default_factory=dict[str, int])
    playhead: int = 0
    """Frames from the start."""
    size: tuple[int, int] = (160, 128)
    """Pixels of what is rendered."""
    id: str = field(default_factory=lambda: new_id("timeline"))

    @property
    def nominal(self) -> int:
        """Frames that a second of timecode has."""
        return round(self.rate)

    @property
    def start(self) -> int:
        return frame_of(self.start_timecode, self.nominal, is_drop_frame=self.is_drop_frame)

    def tracks(self, kind: str) -> list[Track]:
        return {"video": self.video, "audio": self.audio}.get(kind, [])

    def find(self, item_id: str) -> tuple[str, int, Item] | None:
        """Kind and number of the track an item is on, and the item."""
        for kind in ("video", "audio"):
            for number, track in enumerate(self.tracks(kind), start=1):
                for item in track.items:
                    if item.id == item_id:
                        return kind, number, item
        return None


@dataclass
class RenderState:
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    format: str = "mov"
    codec: str = "H264"
    mode: int = 1


@dataclass
class Project:
    name: str
    settings: dict[str, str]
    id: str = field(default_factory=lambda: new_id("project"))
    root: Folder = field(default_factory=lambda: Folder("Master"))
    current_folder: str = ""
    timelines: list[Timeline] = field(default_factory=list[Timeline])
    current_timeline: str = ""
    render: RenderState = field(default_factory=RenderState)
    presets: dict[str, RenderState] = field(default_factory=dict[str, RenderState])
    render_jobs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def timeline(self) -> Timeline | None:
        return next((line for line in self.timelines if line.id == self.current_timeline), None)

    def folder(self) -> Folder:
        wanted = self.current_folder
        return next((folder for folder in self.root.all() if folder.id == wanted), self.root)

    def clip(self, clip_id: str) -> Clip | None:
        return next(
            (clip for folder in self.root.all() for clip in folder.clips if clip.id == clip_id),
            None,
        )


def plain(value: Any) -> Any:
    """The same as nested dicts and lists that know nothing of this one."""
    if is_dataclass(value):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value


def frame_of(timecode: str, nominal: int, *, is_drop_frame: bool) -> int:
    """The frame that a timecode names, counted from 00:00:00:00."""
    hours, minutes, seconds, frames = (int(part) for part in timecode.replace(";", ":").split(":"))
    total_minutes = hours * 60 + minutes
    count = (total_minutes * 60 + seconds) * nominal + frames
    if is_drop_frame:
        count -= nominal // 15 * (total_minutes - total_minutes // 10)
    return count


def timecode_of(frame: int, nominal: int, *, is_drop_frame: bool) -> str:
    """The timecode of a frame: tried out, as the way back has no simple form."""
    guess = frame
    if is_drop_frame:
        dropped = nominal // 15
        while True:
            minutes = guess // nominal // 60
            found = frame + dropped * (minutes - minutes // 10)
            if found == guess:
                break
            guess = found
    seconds, frames = divmod(guess, nominal)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    mark = ";" if is_drop_frame else ":"
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{frames:02}"
