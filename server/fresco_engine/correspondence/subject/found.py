"""The subject as a detector sees it in each picture by itself, made steady over the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow
from fresco_engine.correspondence.occlusion import occlusion
from fresco_engine.correspondence.subject.edges import along_edges
from fresco_engine.correspondence.subject.estimator import BoolMap, SubjectFrames
from fresco_engine.correspondence.warp import warp_image

FloatMap = NDArray[np.float32]

ENOUGH = 0.3
"""Chance from which a pixel is subject: below half, as in doubt it is."""
_KEPT = np.float32(0.85)
"""Weight that a frame's chances keep with each step along the flow, which errs a little."""
_REACH = 1 / 44
"""Share of the height within which a border looks for an edge: half of the 1/22 that a detector
with patches of 16 in 352 pixels tells apart."""


class SubjectDetector(Protocol):
    """Finds the subject in each picture by itself."""

    def detect(self, image: Image) -> FloatMap:
        """(h, w), 0-1: how likely each pixel of a picture shows the subject."""
        ...


@dataclass(frozen=True)
class FoundSubject:
    """What a detector finds, its chances averaged along the flow, its borders along edges."""

    detector: SubjectDetector

    def masks(self, frames: SubjectFrames) -> BoolMap:
        """(f, h, w), True where a frame shows the subject, and all over where none does.

        What is not found may be there all the same, so nothing of such a batch is background.
        """
        alone = np.stack([self.detector.detect(image) for image in frames.images])
        radius = max(1, round(_REACH * alone.shape[1]))
        masks = np.stack(
            [
                along_edges(chances, image, radius) > ENOUGH
                for chances, image in zip(steadied(alone, frames), frames.images, strict=True)
            ]
        )
        return masks if masks.any() else np.ones_like(masks)


def steadied(chances: FloatMap, frames: SubjectFrames) -> FloatMap:
    """(f, h, w): chances (f, h, w) averaged with those that the flow brings from other frames.

    Over a step that is not linked, and to what the other frame does not show, none are brought.
    """
    weighted = np.stack([chances, np.ones_like(chances)], axis=-1)
    earlier, later = weighted.copy(), weighted.copy()
    known_ahead, known_behind = _known(frames)
    for i in range(1, len(chances)):
        brought = warp_image(earlier[i - 1], frames.backward[i - 1])
        earlier[i] += known_behind[i - 1][..., None] * brought
    for i in reversed(range(len(chances) - 1)):
        brought = warp_image(later[i + 1], frames.forward[i])
        later[i] += known_ahead[i][..., None] * brought
    total = earlier + later - weighted
    return np.asarray(total[..., 0] / total[..., 1], np.float32)


def _known(frames: SubjectFrames) -> tuple[list[FloatMap], list[FloatMap]]:
    """f - 1 weights (h, w) each: of what comes to frame i from the next, and to that from i."""
    linked = frames.linked or [True] * len(frames.forward)
    ahead: list[FloatMap] = []
    behind: list[FloatMap] = []
    for i, (there, back) in enumerate(zip(frames.forward, frames.backward, strict=True)):
        pair = frames.images[i : i + 2]
        ahead.append(_weight(there, back, pair, is_linked=linked[i]))
        behind.append(_weight(back, there, pair[::-1], is_linked=linked[i]))
    return ahead, behind


def _weight(there: Flow, back: Flow, pair: Sequence[Image], *, is_linked: bool) -> FloatMap:
    if not is_linked:
        return np.zeros(there.shape[:2], np.float32)
    return _KEPT * (~occlusion(there, back, *pair)).astype(np.float32)
