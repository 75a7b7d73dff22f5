"""Where the viewer and the filmstrip get frames from."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from fresco_media.files.state import KnownFile
from fresco_media.types import Join
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage


@dataclass(frozen=True, kw_only=True)
class FrameInfo:
    """What is known of a row of frames once it is open."""

    path: Path | None
    """The file, folder or pattern that can be decoded again; None for frames sent one by one."""
    frame_count: int
    frame_rate: Fraction
    """Frames per second; the mean for a clip of variable rate."""
    width: int
    """Pixels as a viewer shows it: rotation is applied."""
    height: int
    pixel_aspect: Fraction = Fraction(1)
    """Width of a pixel by its height."""
    first_index: int = 0
    """The index of the first frame: more than 0 where frames are a part of another clip."""
    first_number: int = 0
    """The number in the name of a sequence's first picture."""
    times: tuple[float, ...] = ()
    """Seconds at which each frame is shown, the first at 0; empty for a constant rate."""
    primaries: int = 2
    transfer: int = 2
    """Colour primaries and transfer by their code points (ITU-T H.273); 2 is unstated."""
    has_sound: bool = False
    start_s: float = 0.0
    """The first frame's time on the file's own clock, which its sound follows too."""
    joins: tuple[Join, ...] = ()
    """Where that clock starts over."""
    file: KnownFile | None = field(default=None, compare=False, repr=False)
    """A video's file as it was when it was opened."""

    @property
    def stop(self) -> int:
        """One past the last index."""
        return self.first_index + self.frame_count

    @property
    def last_index(self) -> int:
        """The index of the last frame."""
        return self.stop - 1

    def limits(self, in_: int | None, out: int | None) -> tuple[int, int] | None:
        """Both points inside the clip, whose ends stand for None; None if nothing is between."""
        first = self.first_index if in_ is None else max(in_, self.first_index)
        last = self.last_index if out is None else min(out, self.last_index)
        return (first, last) if first <= last else None

    def time_s(self, index: int) -> float:
        """When the frame is shown, in seconds from the first one; `stop` is the end of the last."""
        place = index - self.first_index
        if not self.times:
            return float(place / self.frame_rate)
        if place < len(self.times):
            return self.times[max(place, 0)]
        return self.times[-1] + float(1 / self.frame_rate)

    def index_at(self, time_s: float) -> int:
        """The frame that is shown at `time_s`, the first or last one outside the clip."""
        # A frame's own time, computed in floats, must give that very frame.
        slightly_later = time_s + 1e-6
        if self.times:
            place = bisect_right(self.times, slightly_later) - 1
        else:
            place = int(slightly_later * self.frame_rate) if slightly_later > 0 else 0
        return self.first_index + min(max(place, 0), self.frame_count - 1)


class FrameSource(QObject):
    """Frames by index, decoded elsewhere and handed out at once or announced later.

    Signals:
        opened: `info` is known from now on; never emitted where it was from the beginning.
        failed(str): it cannot be read; a sentence for the user.
        arrived(int): the frame at this index can be had.
    """

    opened = pyqtSignal()
    failed = pyqtSignal(str)
    arrived = pyqtSignal(int)

    @property
    def info(self) -> FrameInfo | None:
        """None until `opened`."""
        raise NotImplementedError

    def frame(self, index: int) -> QImage | None:
        """The frame at `index` (RGB32) if it is at hand; else it is asked for and `arrived` later.

        The last index asked for is the most urgent one. Never blocks.
        """
        raise NotImplementedError

    def peek(self, index: int) -> QImage | None:
        """The frame at `index` if it is at hand; nothing is asked for."""
        raise NotImplementedError

    def can_have(self, index: int) -> bool:
        """Whether the frame at `index` is there or will come when asked for."""
        raise NotImplementedError

    def expect(self, index: int, step: int) -> None:
        """Say where playback is heading: `step` frames at a time from `index`; 0 when it rests."""

    def close(self) -> None:
        """Free files, threads and memory; no signal comes after this."""
