"""Ways to tell which pixels of a batch show its subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from fresco_media.colour.scaling import WorkingSize, fit
from fresco_media.mask import MaskClip
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow
from fresco_engine.correspondence.saliency import foreground_mask

BoolMap = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class SubjectFrames:
    """f frames of a clip in order, at the padded working size, and how they move."""

    indices: Sequence[int]
    """Source frame indices, ascending."""
    images: Sequence[Image]
    forward: Sequence[Flow]
    """From each frame to the next: f - 1."""
    backward: Sequence[Flow]
    """From each frame but the first to the one before: f - 1."""
    linked: Sequence[bool] | None = None
    """Whether each frame but the last is followed in time by the next; None: all are."""


class SubjectEstimator(Protocol):
    """Tells the subject from what surrounds it. Where in doubt, a pixel is subject."""

    def masks(self, frames: SubjectFrames) -> BoolMap:
        """(f, h, w), True where a frame shows the subject."""
        ...


class MovingSubject:
    """What moves on its own, and what belongs to it; needs neither a network nor a hand."""

    def masks(self, frames: SubjectFrames) -> BoolMap:
        """As `foreground_mask`."""
        return foreground_mask(frames.images, frames.forward, frames.backward, linked=frames.linked)


@dataclass(frozen=True)
class DrawnSubject:
    """What a mask says that somebody has drawn, or another program has made."""

    mask: MaskClip
    size: WorkingSize

    def masks(self, frames: SubjectFrames) -> BoolMap:
        """The mask at the frames' size, mirrored outwards as they are.

        Raises:
            ClipError: it cannot be read any more.
        """
        masks = self.mask.at(frames.indices, self.size.scaled)
        return np.stack([fit(255 * one.astype(np.uint8), self.size) > 0 for one in masks])
