"""Clips, timelines and projects as plain values: what the host tells the core."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class MediaFile:
    """The file behind a clip, as Resolve describes it."""

    path: str
    """A video file, or numbered pictures as name_[0001-0100].png."""
    rate: Fraction | None
    frames: int | None


@dataclass(frozen=True, kw_only=True)
class TimelineClip:
    """A clip in the timeline. Positions count as record frames do, in frames of the timeline."""

    item_id: str
    name: str
    track: int
    """Number of its video track, from 1."""
    start: int
    duration: int
    left: int
    """In-point: frames of the timeline from the start of the media."""
    media: MediaFile | None
    """None for generators, titles and the like."""
    color: str
    is_result: bool
    """Whether Fresco made it."""
    is_retimed: bool | None
    """None where this version of Resolve does not tell."""
    oddities: tuple[str, ...]
    """What makes the clip look other than its media file; words that follow "it"."""

    @property
    def stop(self) -> int:
        """One past its last frame."""
        return self.start + self.duration


@dataclass(frozen=True, kw_only=True)
class ClipRange:
    """Frames of a clip: `count` from the record frame `first` on."""

    clip: TimelineClip
    first: int
    count: int

    @property
    def offset(self) -> int:
        """Its first frame, in frames of the timeline from the start of the media."""
        return self.clip.left + self.first - self.clip.start


@dataclass(frozen=True, kw_only=True)
class TimelineInfo:
    """The current timeline of the current project."""

    project_id: str
    project_name: str
    timeline_id: str
    name: str
    rate: Fraction
    start: int
    """Record frame of its first frame: 86400 for 01:00:00:00 at 24."""
    reads_h264: bool
    """Whether this Resolve can read what a job makes by default."""


@dataclass(frozen=True, kw_only=True)
class PlacedResult:
    """What became of a result."""

    job_id: str
    track: int
    """Number of the video track it is on; 0 if it is in the bin only."""
    first: int
    count: int
    note: str = ""
    """What the editor should know; may be empty."""
