"""Frames and sound of clips, decoded away from the GUI thread and held within limits."""

from fresco_gui.media.clip_frames import ClipFrames
from fresco_gui.media.clock import PlaybackClock
from fresco_gui.media.errors import ClipMissing, ClipUnreadable, ExportFailed, MediaError
from fresco_gui.media.fetched_frames import FetchedFrames
from fresco_gui.media.layered import LayeredFrames
from fresco_gui.media.reader import check_readable
from fresco_gui.media.source import FrameInfo, FrameSource
from fresco_gui.media.stored_frames import StoredFrames
from fresco_gui.media.thumbnails import FrameSpan, Thumbnails

__all__ = [
    "ClipFrames",
    "ClipMissing",
    "ClipUnreadable",
    "ExportFailed",
    "FetchedFrames",
    "FrameInfo",
    "FrameSource",
    "FrameSpan",
    "LayeredFrames",
    "MediaError",
    "PlaybackClock",
    "StoredFrames",
    "Thumbnails",
    "check_readable",
]
