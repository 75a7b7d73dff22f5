"""How steady a result is where the source's own motion says what should look alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import FlowEstimator
from fresco_engine.evaluation.means import mean_of, ratio_of
from fresco_engine.evaluation.motion import Mask, Motion

Pair = tuple[Image, Image]
"""A source frame and its result, of one size."""
Shown = Sequence[Image]
"""A source frame and results of it, all of one size."""


def aligned_error(before: Image, after: Image, motion: Motion) -> float:
    """Pixel-MSE of one step: mean squared error (range 0-1) of `after` against `before` carried
    along the flow, over pixels that both source frames show. `nan` where there are none.

    Source: Pixel-MSE, section 4.1 of FRESCO (arXiv:2403.12962).
    """
    return _mean_in(_squared(motion.carried(before), after), motion.is_seen)


def aligned_difference(before: Image, after: Image, motion: Motion) -> float:
    """E_pair of the warp error: as `aligned_error`, of absolute differences.

    Source: the warp error of "Blind Video Temporal Consistency via Deep Video Prior"
    (arXiv:2010.11838), for a frame that against the one before plus that against the first.
    """
    difference = np.abs(motion.carried(before) - after).mean(axis=-1) / np.float32(255)
    return _mean_in(difference, motion.is_seen)


def pixel_errors(frames: Iterable[Shown], estimator: FlowEstimator) -> Iterator[tuple[float, ...]]:
    """The error of each result against the one before, in order; two frames in memory.

    Raises:
        ValueError: a result has another size than its source.
    """
    before: Shown | None = None
    for source, *results in frames:
        for result in results:
            check_sizes(source, result)
        if before is not None:
            motion = Motion.between(before[0], source, estimator)
            pairs = zip(before[1:], results, strict=True)
            yield tuple(aligned_error(one, two, motion) for one, two in pairs)
        before = (source, *results)


def pixel_mse(pairs: Iterable[Pair], estimator: FlowEstimator) -> float:
    """Mean error of consecutive results, `nan` for fewer than two frames."""
    return mean_of(error for (error,) in pixel_errors(pairs, estimator))


class Sticking:
    """Whether texture goes with things or stays where it is on the screen.

    Summed over all pixels that move in the source: the squared change (range 0-1) in place, and
    that along the flow. What is glued to a moving thing changes in place and not along the flow;
    what is glued to the screen does the opposite; what is drawn anew for each frame does both.
    """

    def __init__(self) -> None:
        self._sums = np.zeros(2)
        self._count = 0

    def add(self, before: Image, after: Image, motion: Motion) -> None:
        """Take in a step."""
        moving = motion.is_moving
        changes = _squared(before, after), _squared(motion.carried(before), after)
        self._sums += [float(change[moving].sum(dtype=np.float64)) for change in changes]
        self._count += int(moving.sum())

    @property
    def in_place(self) -> float:
        """Mean squared change of a place; `nan` where nothing moves."""
        return ratio_of(float(self._sums[0]), self._count)

    @property
    def along_flow(self) -> float:
        """Mean squared change along the flow; `nan` where nothing moves."""
        return ratio_of(float(self._sums[1]), self._count)

    @property
    def share(self) -> float:
        """The part of both changes that is along the flow, 0 to 1.

        Near 0 all goes with things, 1 sticks to the screen, and 0.5 is what noise without any
        memory has. `nan` where nothing moves or changes.
        """
        in_place, along = self._sums
        return ratio_of(float(along), float(in_place + along))


def check_sizes(source: Image, result: Image) -> None:
    """Raises: ValueError where a result has another size than its source."""
    if source.shape != result.shape:
        raise ValueError(f"a result of {result.shape} cannot be held against {source.shape}")


def _squared(
    first: Image | NDArray[np.float32], second: Image | NDArray[np.float32]
) -> NDArray[np.float32]:
    """(h, w): squared difference in the range 0-1, mean over the channels."""
    difference = (first.astype(np.float32) - second) / np.float32(255)
    return np.square(difference).mean(axis=-1)


def _mean_in(values: NDArray[np.float32], mask: Mask) -> float:
    kept = values[mask]
    return float(kept.mean(dtype=np.float64)) if kept.size else math.nan
