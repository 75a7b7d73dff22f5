"""A clip, whatever it is stored as: its description and its frames, streamed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from fresco_media.colour.picture import to_alpha, to_rgb
from fresco_media.colour.tags import colour_warnings, look_alike
from fresco_media.errors import (
    ClipChanged,
    ClipNotFound,
    ClipUnreadable,
    InvalidSettings,
    RangeOutsideClip,
)
from fresco_media.files.faults import reading
from fresco_media.files.state import ClipState, KnownFile
from fresco_media.files.text import counted
from fresco_media.stills.images import read_image, resize
from fresco_media.stills.reading import read_still
from fresco_media.stills.sequence import (
    ImageSequence,
    describe_sequence,
    find_sequence,
    is_sequence_path,
)
from fresco_media.types import ClipProperties, ColourTags, Frame, Image, Matte
from fresco_media.video.decode import decode
from fresco_media.video.probe import Probe, probe
from fresco_media.video.timing import DEFAULT_RATE

Size = tuple[int, int]
ReadT = TypeVar("ReadT")
_FASTEST = Fraction(10_000)
_UNUSED_RATE = "the frame rate that was given is not used, as a video knows its own"


class Clip:
    """A video file or an image sequence; nothing is held but its description."""

    def __init__(self, info: ClipProperties, source: _Source, warnings: Sequence[str]) -> None:
        self.info = info
        self._source = source
        self._warnings = tuple(warnings)

    @staticmethod
    def open(path: Path | str, *, frame_rate: Fraction | None = None) -> Clip:
        """The clip at `path`: a video file, a folder of pictures, one of them, or `name_%04d.png`.

        `frame_rate` is that of an image sequence (24 unless given); a video file knows its own,
        and a warning says that another one is not used.

        Raises:
            ClipNotFound, ClipUnreadable, NoVideoStream, SequenceGap: it cannot be used.
            InvalidSettings: the frame rate is not positive, or beyond what files can hold.
        """
        if not os.fspath(path):
            raise ClipNotFound(path, "no file is named; give the path of a clip")
        path = Path(path)
        frame_rate = None if frame_rate is None else _checked_rate(frame_rate)
        with reading(path):  # Nobody may look into some folders.
            is_sequence, is_there = is_sequence_path(path), path.exists()
        if is_sequence:
            sequence = find_sequence(path)
            found = describe_sequence(path, sequence, frame_rate or DEFAULT_RATE)
            return Clip(found.info, _PictureSource(sequence, found.files), found.warnings)
        if not is_there:
            raise ClipNotFound(path, "there is no such file; check the path")
        probed = probe(path)
        assert probed is not None, "nobody stops it"
        unused = () if frame_rate in {None, probed.info.frame_rate} else (_UNUSED_RATE,)
        return Clip(probed.info, _VideoSource(probed), (*probed.warnings, *unused))

    def remembering(self) -> Clip:
        """The same clip, which reads the frame it was last asked for alone only once."""
        return Clip(self.info, _RememberingSource(self._source), self._warnings)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know; grows when decoding meets damaged frames."""
        return self._warnings + self._source.damage()

    @property
    def first_number(self) -> int:
        """The number of the first frame in the file names of a sequence; 0 for a video."""
        return self._source.first_number

    @property
    def files(self) -> Sequence[KnownFile]:
        """Its files as they were when it was opened."""
        return self._source.known

    @property
    def state(self) -> ClipState:
        """What tells its files from others that may come to their place."""
        return ClipState.of(self._source.known)

    def check(self, state: ClipState | None = None) -> None:
        """Insist on its files being those still that were opened, or those of `state`.

        Whatever is read is checked by itself.

        Raises:
            ClipChanged: they were replaced, overwritten or cut off.
            ClipNotFound, ClipUnreadable: one of them is gone, or may not be read any more.
        """
        with reading(self.info.path):
            for file in self._source.known:
                file.check()
            if state is not None and not state.is_continued_by(self._source.known):
                raise ClipChanged(self.info.path)

    def frames(
        self, start: int = 0, stop: int | None = None, *, size: Size | None = None
    ) -> Iterator[Frame]:
        """Frames [start, stop) in order, at `size` (width, height) or at their own.

        Closing the iterator frees the decoder.

        Raises:
            RangeOutsideClip: at once, if the clip has not all of these frames.
        """
        stop = self.info.frame_count if stop is None else stop
        self._check_range(start, stop)
        return self._source.read(self.info, range(start, stop), size)

    def frames_at(self, indices: Sequence[int], *, size: Size | None = None) -> Iterator[Frame]:
        """The frames at ascending `indices`; parts of the clip in between are skipped over.

        Raises:
            RangeOutsideClip: at once, if the clip has not all of these frames.
            ValueError: the indices do not ascend.
        """
        self._check_ascending(indices)
        return self._source.read(self.info, indices, size)

    def mattes(self, start: int = 0, stop: int | None = None) -> Iterator[Matte]:
        """How opaque the frames [start, stop) are, in order, at their own size.

        Raises:
            RangeOutsideClip: at once, if the clip has not all of these frames.
        """
        stop = self.info.frame_count if stop is None else stop
        self._check_range(start, stop)
        return self._source.mattes(self.info, range(start, stop))

    def mattes_at(self, indices: Sequence[int]) -> Iterator[Matte]:
        """How opaque the frames at ascending `indices` are, as `frames_at` reads them."""
        self._check_ascending(indices)
        return self._source.mattes(self.info, indices)

    def _check_ascending(self, indices: Sequence[int]) -> None:
        if any(later <= earlier for earlier, later in pairwise(indices)):
            raise ValueError("indices must ascend")
        if indices:
            self._check_range(indices[0], indices[-1] + 1)

    def _check_range(self, start: int, stop: int) -> None:
        if not 0 <= start < stop <= self.info.frame_count:
            raise RangeOutsideClip(self.info.path, start, stop, self.info.frame_count)


def _checked_rate(rate: Fraction) -> Fraction:
    """`rate` as containers can hold it: of two numbers of 32 bits."""
    if rate <= 0:
        raise InvalidSettings("frame-rate", f"{rate} is not a positive number")
    if not 1 / _FASTEST <= rate <= _FASTEST:
        raise InvalidSettings(
            "frame-rate", f"{float(rate):g} is outside 1/{_FASTEST} to {_FASTEST} frames per second"
        )
    is_long = max(rate.numerator, rate.denominator) >= 2**31
    return rate.limit_denominator(100_000) if is_long else rate


def _unchanged(file: KnownFile, read: Iterator[ReadT]) -> Iterator[ReadT]:
    """What is `read` from a file, as long as that is the one it was; a changed one seems damaged.

    Raises:
        ClipChanged: it is another one.
    """
    try:
        for one in read:
            with reading(file.path):
                file.check()
            yield one
    except ClipUnreadable:
        with reading(file.path):
            file.check()
        raise


class _Source(Protocol):
    """Where the pictures of a clip come from."""

    first_number: int

    @property
    def known(self) -> Sequence[KnownFile]:
        """Its files as they were when it was opened."""
        ...

    def read(
        self, info: ClipProperties, indices: Iterable[int], size: Size | None
    ) -> Iterator[Frame]:
        """The frames at ascending `indices`."""
        ...

    def mattes(self, info: ClipProperties, indices: Iterable[int]) -> Iterator[Matte]:
        """How opaque the frames at ascending `indices` are."""
        ...

    def damage(self) -> tuple[str, ...]:
        """Warnings about what could not be decoded so far."""
        ...


class _VideoSource:
    def __init__(self, probed: Probe) -> None:
        self.first_number = 0
        self.known = (probed.file,)
        self._probe = probed
        self._damaged: set[int] = set()
        self._resized: dict[Size, int] = {}
        self._recoloured: dict[ColourTags, int] = {}

    def read(
        self, info: ClipProperties, indices: Iterable[int], size: Size | None
    ) -> Iterator[Frame]:
        orientation = self._probe.orientation
        stored_size = orientation.shown_size(size or (info.width, info.height))
        coded_size = self._probe.coded_size
        decoded = decode(self._probe.open_cursor(), indices, self._damaged.add)
        for index, frame in _unchanged(self._probe.file, decoded):
            if (frame.width, frame.height) != coded_size:
                self._resized.setdefault((frame.width, frame.height), index)
            colour = self._probe.colour_of(frame)
            if not look_alike(colour, self._probe.colour, coded_size[1]):
                self._recoloured.setdefault(colour, index)
            stored = to_rgb(frame, stored_size, colour, coded_size)
            yield _frame(info, index, orientation.apply(stored))

    def mattes(self, info: ClipProperties, indices: Iterable[int]) -> Iterator[Matte]:
        orientation = self._probe.orientation
        stored_size = orientation.shown_size((info.width, info.height))
        decoded = decode(self._probe.open_cursor(), indices, self._damaged.add)
        for _, frame in _unchanged(self._probe.file, decoded):
            colour = self._probe.colour_of(frame)
            stored = to_alpha(frame, stored_size, colour, self._probe.coded_size)
            yield orientation.apply(stored)

    def damage(self) -> tuple[str, ...]:
        return self._size_changes() + self._colour_changes() + self._damaged_frames()

    def _colour_changes(self) -> tuple[str, ...]:
        if not self._recoloured:
            return ()
        colour, index = min(self._recoloured.items(), key=lambda found: found[1])
        how = "".join(f"; {said}" for said in colour_warnings(colour))
        return (
            f"the clip's colours are stored in another way from frame {index} on, as where "
            f"recordings were joined; every frame is shown by what it says itself{how}",
        )

    def _size_changes(self) -> tuple[str, ...]:
        if not self._resized:
            return ()
        (width, height), index = min(self._resized.items(), key=lambda found: found[1])
        first_width, first_height = self._probe.coded_size
        return (
            f"the picture's size changes from {first_width}x{first_height} to {width}x{height} at "
            f"frame {index}; pictures of another size are fitted into the first one's, with black "
            "bars where their shape differs; split the clip there if you want each at its own",
        )

    def _damaged_frames(self) -> tuple[str, ...]:
        if not self._damaged:
            return ()
        of_clip = "of the clip's frames"
        shown = ", ".join(str(index) for index in sorted(self._damaged)[:5])
        more = ", ..." if len(self._damaged) > 5 else ""
        return (
            f"{counted(len(self._damaged), f'{of_clip} is', f'{of_clip} are')} damaged "
            f"({shown}{more}); their neighbours are shown in their place",
        )


class _PictureSource:
    def __init__(self, sequence: ImageSequence, known: Sequence[KnownFile]) -> None:
        self.first_number = sequence.first_number
        self.known = known

    def read(
        self, info: ClipProperties, indices: Iterable[int], size: Size | None
    ) -> Iterator[Frame]:
        for index in indices:
            file = self.known[index]
            (image,) = _unchanged(file, map(read_image, (file.path,)))
            yield _frame(info, index, resize(image, size) if size else image)

    def mattes(self, info: ClipProperties, indices: Iterable[int]) -> Iterator[Matte]:
        for index in indices:
            file = self.known[index]
            (still,) = _unchanged(file, map(read_still, (file.path,)))
            opaque = np.full((info.height, info.width), 255, np.uint8)
            yield opaque if still.alpha is None else still.alpha

    def damage(self) -> tuple[str, ...]:
        return ()


class _RememberingSource:
    """Holds the frame that was last read alone: who looks at one does so many times over."""

    def __init__(self, source: _Source) -> None:
        self.first_number = source.first_number
        self._source = source
        self._held: tuple[int, Size | None, Frame] | None = None

    @property
    def known(self) -> Sequence[KnownFile]:
        return self._source.known

    def read(
        self, info: ClipProperties, indices: Iterable[int], size: Size | None
    ) -> Iterator[Frame]:
        wanted = tuple(indices)
        if len(wanted) != 1:
            yield from self._source.read(info, wanted, size)
        elif self._held is not None and self._held[:2] == (wanted[0], size):
            with reading(info.path):
                for file in self.known:
                    file.check()
            yield self._held[2]
        else:
            for frame in self._source.read(info, wanted, size):
                self._held = wanted[0], size, frame
                yield frame

    def mattes(self, info: ClipProperties, indices: Iterable[int]) -> Iterator[Matte]:
        return self._source.mattes(info, indices)

    def damage(self) -> tuple[str, ...]:
        return self._source.damage()


def _frame(info: ClipProperties, index: int, image: Image) -> Frame:
    return Frame(index, info.times[index] * info.time_base, image)
