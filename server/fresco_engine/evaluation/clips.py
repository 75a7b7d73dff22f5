"""A source and its results as clips: checked against each other, read side by side."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import repeat

from fresco_media.clip import Clip, Size
from fresco_media.colour.scaling import working_size
from fresco_media.files.text import counted
from fresco_media.stills.mask_picture import white_of
from fresco_media.types import Image

from fresco_engine.errors import ResultMismatch
from fresco_engine.evaluation.evaluate import SOURCE, Moment
from fresco_engine.evaluation.motion import Mask
from fresco_engine.keyframes import analyse, find_shots, small_frames

_SAME_SHAPE = 0.02
"""How far the shapes of two pictures may differ: working sizes are rounded to whole pixels."""


@dataclass(frozen=True, kw_only=True)
class ComparedClips:
    """Frames [start, stop) of a source beside what results and a mask show of them, at one size.

    Nothing is held; every reading goes through all files once, a frame of each in memory.
    """

    source: Clip
    results: Mapping[str, Clip]
    mask: Clip | None
    start: int
    stop: int
    size: Size

    @staticmethod
    def checked(
        source: Clip,
        results: Mapping[str, Clip],
        *,
        short_side: int,
        start: int = 0,
        stop: int | None = None,
        mask: Clip | None = None,
    ) -> ComparedClips:
        """The clips at a short side of `short_side` pixels, less where one of them has less.

        A result shows all frames of the source or just those of the range. A mask of one picture
        is that of every frame.

        Raises:
            ResultMismatch: a result or the mask has another number of frames or another shape.
            RangeOutsideClip: the source has not all of these frames.
        """
        stop = source.info.frame_count if stop is None else stop
        source.frames(start, stop)  # Raises at once where the source has not all of them.
        for clip in (*results.values(), *([mask] if mask else [])):
            _check_shape(clip, source)
        for clip in results.values():
            _check_length(clip, source, stop - start)
        if mask is not None and mask.info.frame_count > 1:
            _check_length(mask, source, stop - start)
        sides = [min(clip.info.width, clip.info.height) for clip in (source, *results.values())]
        size = working_size(source.info.width, source.info.height, min(short_side, *sides))
        return ComparedClips(
            source=source, results=results, mask=mask, start=start, stop=stop, size=size.scaled
        )

    def shot_starts(self) -> frozenset[int]:
        """First frames of the source's shots."""
        shots = find_shots(analyse(small_frames(self.source, self.start, self.stop)))
        return frozenset(first for first, _ in shots)

    def moments(
        self, start: int | None = None, stop: int | None = None
    ) -> Generator[Moment, None, None]:
        """Every frame with what the results show of it, in order, or those [start, stop)."""
        first = self.start if start is None else start
        last = self.stop if stop is None else stop
        sources = self._read(self.source, first, last)
        results = [self._read(clip, first, last) for clip in self.results.values()]
        masks = self._masks(first, last)
        with ExitStack() as readers:
            for reader in (sources, *results, masks):
                readers.enter_context(closing(reader))
            for index, source in enumerate(sources, start=first):
                shown = [next(result) for result in results]
                yield Moment(
                    index, source, dict(zip(self.results, shown, strict=True)), next(masks)
                )

    def _read(self, clip: Clip, start: int, stop: int) -> Generator[Image, None, None]:
        is_whole = clip.info.frame_count == self.source.info.frame_count
        shift = 0 if is_whole else self.start
        for frame in clip.frames(start - shift, stop - shift, size=self.size):
            yield frame.image

    def _masks(self, start: int, stop: int) -> Generator[Mask | None, None, None]:
        if self.mask is None:
            yield from repeat(None)
        elif self.mask.info.frame_count == 1:
            still = white_of(next(self.mask.frames(size=self.size)).image)
            yield from repeat(still)
        else:
            yield from map(white_of, self._read(self.mask, start, stop))


def _check_length(clip: Clip, source: Clip, wanted: int) -> None:
    count, whole = clip.info.frame_count, source.info.frame_count
    if count in (wanted, whole):
        return
    of = f"the source has {whole}" if wanted == whole else f"{wanted} of the source are measured"
    raise ResultMismatch(
        clip.info.path,
        f"it has {counted(count, 'frame')}, but {of}; name the range of the source that it shows",
    )


def _check_shape(clip: Clip, source: Clip) -> None:
    own, other = (_shape(one) for one in (clip, source))
    if abs(own / other - 1) > _SAME_SHAPE:
        raise ResultMismatch(
            clip.info.path,
            f"its pictures are {clip.info.width}x{clip.info.height} and those of the source "
            f"{source.info.width}x{source.info.height}, which is another shape; bring it into the "
            "source's",
        )


def _shape(clip: Clip) -> float:
    return clip.info.width / clip.info.height


def unique_names(names: Sequence[str]) -> list[str]:
    """Names of results that tell them apart: what stands twice is numbered."""
    found: list[str] = []
    for name in names:
        taken = {SOURCE, *found}
        candidates = (name, *(f"{name} ({number})" for number in range(2, len(names) + 3)))
        found.append(next(one for one in candidates if one not in taken))
    return found
