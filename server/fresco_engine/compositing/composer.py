"""What was made, inside a region; outside of it the clip's own pixels, to the bit."""

from __future__ import annotations

import cv2
import numpy as np
from fresco_media.clip import Clip
from fresco_media.colour.scaling import WorkingSize
from fresco_media.types import Image
from fresco_media.video.span_reader import SpanReader

from fresco_engine.compositing.regions import BoolMap, Region

_SOFT = 1 / 200
"""Share of the short side over which a region's border is soft, inwards."""


class Composer:
    """Shows what was made of a clip in `region` only.

    Frames come in order, and so do keyframes, each before the frames up to it; nothing of either
    is kept, however long the clip is.
    """

    def __init__(self, clip: Clip, stop: int, region: Region) -> None:
        size = (clip.info.width, clip.info.height)
        exact = WorkingSize(size, size, size)
        # Each goes through the clip by itself, as keyframes are far ahead of frames.
        self._keyframes = SpanReader(clip, stop, exact)
        self._frames = SpanReader(clip, stop, exact)
        self._region = region

    def keyframe(self, index: int, made: Image) -> Image:
        """A keyframe (H, W, 3) at the clip's size."""
        return mixed(self._keyframes.at(index), made, self._region.at(index))

    def frame(self, index: int, made: Image) -> Image:
        """A frame of the result (H, W, 3), that of a keyframe among them, at the clip's size."""
        return mixed(self._frames.at(index), made, self._region.at(index))


def mixed(source: Image, made: Image, region: BoolMap) -> Image:
    """`made` inside `region` (H, W), softly from its border on; `source` outside, as it is."""
    radius = max(1.0, _SOFT * min(source.shape[:2]))
    if region.all():
        return made
    inside = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    share = np.minimum(inside / radius, 1).astype(np.float32)[..., None]
    between = np.rint(source + share * (made.astype(np.float32) - source))
    return between.astype(np.uint8)
