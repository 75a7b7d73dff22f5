"""What is exported, and into what."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from fresco_media.stills.numbered import parse_pattern
from fresco_media.writing.delivery import Quality


class ExportKind(Enum):
    """Formats of an export."""

    H264 = "h264"
    """MP4 that plays everywhere."""
    PRORES = "prores"
    """ProRes 422 HQ in MOV, for editing."""
    PNG = "png"
    """One picture a frame, without any loss."""


def typed_path(text: str) -> Path:
    """The path that was typed, with the user's own folder for `~`."""
    path = Path(text.strip())
    try:
        return path.expanduser()
    except RuntimeError:  # There is no such user.
        return path


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Frames `start` to `stop - 1` (source indices) of a result, written to `path`.

    For pictures `path` is a folder or a `name_%04d.png` pattern; they carry the source's numbers.
    """

    path: Path
    kind: ExportKind
    start: int
    stop: int
    has_sound: bool = True
    quality: Quality = "high"
    """Of H.264 only."""
    first_number: int = 0
    """The number of the source's frame 0: that of a sequence's first picture."""

    def replaced(self) -> Path | None:
        """A file that is there already and whose place this takes; None without one."""
        if self.kind is not ExportKind.PNG:
            return self.path if os.path.lexists(self.path) else None
        folder = self.picture_path(self.start).parent
        there = set(os.listdir(folder)) if os.path.isdir(folder) else set[str]()
        paths = map(self.picture_path, range(self.start, self.stop))
        return next((path for path in paths if path.name in there), None)

    def picture_path(self, index: int) -> Path:
        """Where the picture of a frame goes."""
        number = self.first_number + index
        names = parse_pattern(self.path.name)
        if names is not None and not self.path.is_dir():
            return self.path.with_name(names.name(number))
        if self.path.suffix.lower() == ".png":
            return self.path.with_name(f"{self.path.stem}_{number:04d}.png")
        return self.path / f"frame_{number:04d}.png"
