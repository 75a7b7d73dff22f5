"""Reading chosen frames of a clip as pictures of the app."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from fresco_media.stills.sequence import is_sequence_path
from fresco_media.video.decode import first_key
from fresco_media.video.probe import Probe
from PyQt6.QtGui import QImage

from fresco_gui.media.errors import reading
from fresco_gui.media.pictures import to_image, turned
from fresco_gui.media.probes import PROBES
from fresco_gui.media.sequence import PictureReader
from fresco_gui.media.source import FrameInfo

Size = tuple[int, int]
"""Width and height in pixels."""


class ClipReader(Protocol):
    """A clip that is open for reading, on one thread."""

    info: FrameInfo

    def image(self, index: int, size: Size | None = None, *, is_exact: bool = True) -> QImage:
        """The frame at `index`, at `size` or its own; a damaged one is replaced by its neighbour.

        Unless `is_exact`, its colours may be a level or two off.

        Raises:
            MediaError: it cannot be read any more.
        """
        ...

    def cheapest(self, start: int, stop: int) -> int:
        """The index in [start, stop) that takes the least decoding."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def open_reader(
    path: Path,
    *,
    frame_rate: Fraction | None = None,
    first_index: int = 0,
    is_stopped: Callable[[], bool] = lambda: False,
) -> ClipReader | None:
    """Open the clip at `path`; None if `is_stopped` became true meanwhile.

    `frame_rate` is that of an image sequence (24 unless given); a video file knows its own.

    Raises:
        MediaError: it is gone or cannot be read.
    """
    if is_sequence_path(path):
        return PictureReader(path, frame_rate, first_index)
    with reading(path):
        probed = PROBES.get(path, is_stopped)
    return None if probed is None else VideoReader(probed, first_index)


def check_readable(path: Path) -> None:
    """Look at the clip at `path` as if to show it.

    Raises:
        MediaError: it is gone or cannot be read.
    """
    reader = open_reader(path)
    if reader is not None:
        try:
            reader.image(reader.info.first_index)
        finally:
            reader.close()


class VideoReader:
    """A video file whose frames become pictures of the app."""

    def __init__(self, probed: Probe, first_index: int) -> None:
        self.info = _described(probed, first_index)
        self._probe = probed
        self._path = probed.info.path
        with reading(self._path):
            self._cursor = probed.open_cursor()

    def image(self, index: int, size: Size | None = None, *, is_exact: bool = True) -> QImage:
        with reading(self._path):
            _, frame = self._cursor.at(index - self.info.first_index)
            orientation = self._probe.orientation
            stored = orientation.shown_size(size or (self.info.width, self.info.height))
            coded = self._probe.coded_size
            colour = self._probe.colour_of(frame)
            image = to_image(frame, stored, colour=colour, coded_size=coded, is_exact=is_exact)
            return turned(image, orientation.quarter_turns, is_mirrored=orientation.is_mirrored)

    def cheapest(self, start: int, stop: int) -> int:
        first = self.info.first_index
        return first_key(self._probe.table, start - first, stop - first) + first

    def close(self) -> None:
        self._cursor.close()


def _described(probed: Probe, first_index: int) -> FrameInfo:
    info = probed.info
    first_s = info.times[0] * info.time_base
    times: tuple[float, ...] = ()
    if info.is_variable_rate:
        times = tuple(float(time * info.time_base - first_s) for time in info.times)
    return FrameInfo(
        path=info.path,
        frame_count=info.frame_count,
        frame_rate=info.frame_rate,
        width=info.width,
        height=info.height,
        pixel_aspect=info.sample_aspect,
        first_index=first_index,
        times=times,
        primaries=info.colour.primaries,
        transfer=info.colour.transfer,
        has_sound=info.has_audio,
        start_s=float(first_s) if probed.table.is_timed else 0.0,
        joins=info.joins,
        file=probed.file,
    )
