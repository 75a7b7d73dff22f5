"""How steady a file is that was just written, beside the clip that it was made of."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

from fresco_media.clip import Clip
from fresco_media.stills.images import working_size

from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.evaluation.steadiness import Shown, pixel_errors
from fresco_engine.interpolation.ordered import in_order

_SHORT_SIDE = 256
_LEAST_FRAMES = 48
"""Frames for which it is worth to have another core begin in the middle of a clip."""


def written_steadiness(
    clip: Clip, output: Path, start: int, stop: int, short_side: int | None
) -> Generator[tuple[float, float], None, None]:
    """Of each step from `start` to `stop`: Pixel-MSE of the result, and that of the source itself.

    Both are measured along the source's flow, at a short side of at most 256 pixels. All cores
    work on it, each on a stretch of the clip.
    """
    info, cores = clip.info, os.cpu_count() or 1
    size = working_size(info.width, info.height, min(_SHORT_SIDE, short_side or _SHORT_SIDE)).scaled
    result = Clip.open(output, frame_rate=info.frame_rate)

    def shown(first: int, last: int) -> Iterator[Shown]:
        sources = clip.frames(first, last + 1, size=size)
        results = result.frames(first - start, last + 1 - start, size=size)
        return ((a.image, b.image, a.image) for a, b in zip(sources, results, strict=False))

    stretches = pairwise(_ends(start, stop, cores))
    yield from in_order((partial(_errors, shown, *ends) for ends in stretches), cores)


def _ends(start: int, stop: int, cores: int) -> list[int]:
    """Frames at which stretches end and the next ones begin, evenly spread."""
    count = max(1, min(cores, (stop - start) // _LEAST_FRAMES))
    return [start + (stop - 1 - start) * n // count for n in range(count + 1)]


def _errors(
    shown: Callable[[int, int], Iterator[Shown]],
    first: int,
    last: int,
    is_cancelled: Callable[[], bool],
) -> Iterator[tuple[float, float]]:
    for of_result, of_source in pixel_errors(shown(first, last), DisFlow()):
        yield of_result, of_source
        if is_cancelled():
            return
