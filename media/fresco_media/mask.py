"""A mask that comes as a clip of its own: white where another clip shows its subject."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fresco_media.clip import Clip, Size
from fresco_media.colour.picture import OVER_BLACK
from fresco_media.errors import ClipError, ClipUnreadable, MaskUnusable
from fresco_media.files.opening import open_file
from fresco_media.files.state import ClipState, KnownFile
from fresco_media.files.text import counted
from fresco_media.stills.mask_picture import white_of
from fresco_media.stills.sequence import ALPHA_NOTE, find_sequence
from fresco_media.types import ClipProperties

BoolMap = NDArray[np.bool_]

_BLOCK_BYTES = 1 << 20
_SAME_SHAPE = 0.02
"""How far the shapes of two pictures may differ: editors round sizes to whole pixels."""
_OF_RESULTS = (OVER_BLACK, ALPHA_NOTE)
"""What is told of clips for the sake of their results."""
_PAINT = "paint the subject white on black"


class MaskClip:
    """The mask of a clip. What it shows is matched to the clip's frames.

    One picture is the mask of every frame. Of a sequence of pictures, which has no times of its
    own, each is the mask of the frame in its place; where the clip is a sequence too, of more or
    fewer pictures but numbered alike, of the frame of its number. Of a film it is the
    picture that is shown halfway through the frame, both counted from their first frame.
    """

    def __init__(self, mask: Clip, source: ClipProperties) -> None:
        self._mask = mask
        self._source = source
        self._seconds = _seconds_of(mask.info)
        self._first = _first_frame(mask, source)

    @staticmethod
    def open(path: Path | str, source: ClipProperties) -> MaskClip:
        """The mask at `path`, for the clip that `source` describes.

        Raises:
            ClipError: it is not there, or cannot be read.
            MaskUnusable: its pictures have another shape than the clip's.
        """
        try:
            mask = Clip.open(path)
        except ClipError as error:
            error.field = MaskUnusable.field
            raise
        _check_shape(mask.info, source)
        return MaskClip(mask, source)

    @property
    def info(self) -> ClipProperties:
        """What the mask is as a clip."""
        return self._mask.info

    @property
    def files(self) -> Sequence[KnownFile]:
        """Its files as they were when it was opened."""
        return self._mask.files

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of it; grows as damaged frames are met."""
        told = tuple(text for text in self._mask.warnings if text not in _OF_RESULTS)
        if not self._first:
            return told
        number, first = self._mask.first_number, max(0, self._first)
        return (
            *told,
            "the mask's pictures are taken by their numbers: that of frame "
            f"{first} is number {number + first - self._first}",
        )

    def digest(self) -> str:
        """SHA-256 of all that its files hold: another mask has another.

        Raises:
            ClipUnreadable: one of them cannot be read any more.
        """
        path, found = self.info.path, hashlib.sha256()
        for file in find_sequence(path).files if self.info.is_sequence else (path,):
            try:
                with open_file(file) as opened:
                    while block := opened.read(_BLOCK_BYTES):
                        found.update(block)
            except OSError as error:
                raise ClipUnreadable(
                    file, f"it cannot be read any more ({error.strerror}); check the disk"
                ) from error
        return found.hexdigest()

    @property
    def state(self) -> ClipState:
        """What tells its files from others that may come to their place."""
        return self._mask.state

    def check_state(self, state: ClipState) -> None:
        """Insist on its files being those of `state`.

        Raises:
            ClipError: they are others, or cannot be read any more.
        """
        try:
            self._mask.check(state)
        except ClipError as error:
            error.field = MaskUnusable.field
            raise

    def check(
        self, start: int, stop: int, size: Size, goes_on: Callable[[], bool] = lambda: True
    ) -> None:
        """Insist on a mask of frames [start, stop) that is white anywhere at `size`.

        Reads no further than to the first white, nor once it `goes_on` no more.

        Raises:
            ClipError: it cannot be read.
            MaskUnusable: it ends before these frames do, or shows nothing white.
        """
        self._check_length(start, stop)
        numbers = range(self._number(start), self._number(stop - 1) + 1)
        shown = self._mask.frames(numbers.start, numbers.stop, size=size)
        if not any(white_of(frame.image).any() or not goes_on() for frame in shown):
            which = "its picture" if len(numbers) == 1 else f"frames {start} to {stop - 1}"
            raise MaskUnusable(self.info.path, f"nothing in {which} is white; {_PAINT}")

    def at(self, indices: Sequence[int], size: Size) -> BoolMap:
        """(f, h, w), True for white, for frames `indices`, ascending, at `size` (width, height).

        The pictures are scaled before they are told apart, so that soft edges count by area.
        """
        numbers = [self._number(index) for index in indices]
        wanted = sorted(set(numbers))
        frames = self._mask.frames_at(wanted, size=size)
        found = {
            number: white_of(frame.image) for number, frame in zip(wanted, frames, strict=True)
        }
        return np.stack([found[number] for number in numbers])

    def _number(self, index: int) -> int:
        """The frame of the mask that belongs to a frame of the clip."""
        last = self.info.frame_count - 1
        if self.info.is_sequence or not last:
            return min(index - self._first, last)
        return max(0, bisect_right(self._seconds, self._middle_of(index)) - 1)

    def _middle_of(self, index: int) -> float:
        """Seconds from the clip's beginning to halfway through a frame.

        There stamps that are rounded, as to milliseconds, decide nothing.
        """
        info = self._source
        times = [time * info.time_base for time in info.times[index : index + 2]]
        ends = times[1] if len(times) > 1 else info.end_s
        return float((times[0] + ends) / 2 - info.times[0] * info.time_base)

    def _check_length(self, start: int, stop: int) -> None:
        count = self.info.frame_count
        if count == 1:
            return
        if self._first and not self._first <= start < stop <= self._first + count:
            missing = start if start < self._first else stop - 1
            number = self._mask.first_number + missing - self._first
            raise MaskUnusable(
                self.info.path,
                f"its pictures are numbered as the clip's frames are, but that of frame {missing}, "
                f"number {number}, is not there; add it, or choose a range that they cover",
            )
        if self.info.is_sequence:
            if count < stop - self._first:
                raise MaskUnusable(
                    self.info.path,
                    f"it has {counted(count, 'picture')}, but frame {stop - 1} of the clip is "
                    "wanted as well; make it as long as the clip, or choose a range that it covers",
                )
            return
        ends, wanted = float(self.info.duration_s), self._middle_of(stop - 1)
        if wanted > ends:
            raise MaskUnusable(
                self.info.path,
                f"it ends after {ends:.2f} s, but frame {stop - 1} of the clip, at {wanted:.2f} s, "
                "is wanted as well; make it as long as the clip, or choose a range that it covers",
            )


def _first_frame(mask: Clip, source: ClipProperties) -> int:
    """The frame of the clip that a sequence's first picture is the mask of."""
    count = mask.info.frame_count
    if not (mask.info.is_sequence and source.is_sequence) or count in (1, source.frame_count):
        return 0
    try:
        first = mask.first_number - find_sequence(source.path).first_number
    except ClipError:  # Its own reading tells of it.
        return 0
    is_elsewhere = first >= source.frame_count or first + count <= 0
    return 0 if is_elsewhere else first


def _seconds_of(info: ClipProperties) -> list[float]:
    """When each frame begins, from the first one's beginning."""
    return [float((time - info.times[0]) * info.time_base) for time in info.times]


def _check_shape(mask: ClipProperties, source: ClipProperties) -> None:
    """A mask may be drawn over the picture as it is stored, or as it is shown."""
    likeness = (own / other for own in _shapes(mask) for other in _shapes(source))
    if all(abs(one - 1) > _SAME_SHAPE for one in likeness):
        raise MaskUnusable(
            mask.path,
            f"its pictures are {mask.width}x{mask.height} and the clip's {source.width}x"
            f"{source.height}, which is another shape; bring it into the clip's",
        )


def _shapes(info: ClipProperties) -> tuple[float, float]:
    stored = info.width / info.height
    return stored, stored * float(info.sample_aspect)
