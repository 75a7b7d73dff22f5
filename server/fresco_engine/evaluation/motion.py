"""How the source moves from frame to frame: what results are held against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow, FlowEstimator, chain_flows
from fresco_engine.correspondence.occlusion import occlusion
from fresco_engine.correspondence.warp import warp_image

Mask = NDArray[np.bool_]

_MOVES = 1.0
"""Pixels a frame: what moves less can hardly be told from what stays."""


@dataclass(frozen=True, eq=False)
class Motion:
    """From an earlier frame of the source to a later one, both (h, w) pixels.

    `backward` leads from the later frame to the earlier, `forward` the other way; `is_seen` (h, w)
    marks pixels of the later frame that the earlier one shows as well.
    """

    forward: Flow
    backward: Flow
    is_seen: Mask

    @staticmethod
    def between(before: Image, after: Image, estimator: FlowEstimator) -> Motion:
        """The motion between two frames of the source."""
        return Motion.along(estimator(before, after), estimator(after, before), before, after)

    @staticmethod
    def along(forward: Flow, backward: Flow, before: Image, after: Image) -> Motion:
        """The motion whose flows are known."""
        return Motion(forward, backward, ~occlusion(backward, forward, after, before))

    @cached_property
    def is_moving(self) -> Mask:
        """(h, w): pixels that both frames show and that move by a pixel or more."""
        return self.is_seen & (np.hypot(self.backward[..., 0], self.backward[..., 1]) >= _MOVES)

    def carried(self, earlier: Image) -> NDArray[np.float32]:
        """A picture of the earlier moment as it would look later, in levels."""
        return warp_image(earlier, self.backward)


class FlowTrack:
    """The motion from one frame to each later one, by following every step between.

    Holds the first frame and two flows, however long it becomes.
    """

    def __init__(self, first: Image) -> None:
        self._first = first
        self._flows: tuple[Flow, Flow] | None = None

    def follow(self, step: Motion, after: Image) -> Motion:
        """The motion from the first frame to `after`, one `step` on."""
        if self._flows is None:
            self._flows = step.forward, step.backward
        else:
            forward, backward = self._flows
            self._flows = (
                chain_flows([forward, step.forward]),
                chain_flows([step.backward, backward]),
            )
        return Motion.along(*self._flows, self._first, after)
