"""A span between keyframes, what is made of it, and who makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray


def never() -> bool:
    """What is not cancelled."""
    return False


@dataclass(frozen=True)
class Segment:
    """A span of a shot between two keyframes, or from one keyframe to the shot's end.

    `sources` holds all source frames at working size, those of the keys included: the first key
    belongs to the first source, the last key to the last. A key that is None does not exist, and
    the frame in its place is interpolated like the others. `is_cancelled` is asked many times a
    second, from any thread, while frames are made; once it says so, they end early.
    """

    sources: Sequence[Image]
    first_key: Image | None
    last_key: Image | None
    is_cancelled: Callable[[], bool] = never

    def __post_init__(self) -> None:
        if self.first_key is None and self.last_key is None:
            raise ValueError("a segment needs a key at one of its ends")
        shapes = {image.shape for image in (*self.sources, *self.keys)}
        if len(shapes) != 1:
            raise ValueError(f"the pictures of a segment differ in size: {sorted(shapes)}")

    @property
    def keys(self) -> tuple[Image, ...]:
        """The keys there are."""
        return tuple(key for key in (self.first_key, self.last_key) if key is not None)

    @property
    def offsets(self) -> range:
        """Which sources are to be interpolated."""
        start = 0 if self.first_key is None else 1
        return range(start, len(self.sources) - (self.last_key is not None))


@dataclass(frozen=True)
class InterpolatedFrame:
    """A frame between keys: its offset in the segment, its picture, and its guide error.

    `error` (h, w) float32 in 0-1 is the colour difference between the frame's source and the
    source seen through the flow that the picture was made with.
    """

    offset: int
    image: Image
    error: NDArray[np.float32]


class Interpolator(Protocol):
    """Makes the frames between keys."""

    def __call__(self, segment: Segment) -> Iterator[InterpolatedFrame]:
        """The frames at `segment.offsets` in order; closing the iterator stops the work."""
        ...
