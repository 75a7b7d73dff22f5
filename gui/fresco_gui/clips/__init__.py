"""Clips: naming one to the daemon, and the one that is open."""

from __future__ import annotations

from fresco_gui.clips.opener import ClipOpener
from fresco_gui.clips.readable import ReadableClip, reach, sample_clip, with_files

__all__ = ["ClipOpener", "ReadableClip", "reach", "sample_clip", "with_files"]
