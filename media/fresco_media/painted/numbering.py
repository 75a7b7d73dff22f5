"""Whether painted keys belong to the frames that their names say: seen from the pictures.

A painting differs from its frame in colour and stroke, but its edges lie where the frame's do.
So edges are compared with those of the frame itself and of its two neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_media.clip import Clip
from fresco_media.colour.scaling import resize
from fresco_media.errors import ClipError
from fresco_media.stills.reading import read_still
from fresco_media.types import Image

_MOST_KEYS = 5
_SHORT_SIDE = 360
# Of what the second best likeness lacks to 1, the share that the best has more of; and how much.
_CLOSER, _GREATER = 0.3, 0.02
# Least share of the frames' own difference, and least such difference.
_FAINT, _STILL = 0.05, 0.005


@dataclass(frozen=True)
class NumberingFit:
    """The key in `file`, named for the frame `index`, looks like the frame at `index + offset`.

    One key alone shows it if it `is_clear`, otherwise only several that agree.
    """

    file: Path
    index: int
    offset: int
    is_clear: bool


def fits_of(files: Mapping[int, Path], clip: Clip) -> tuple[NumberingFit, ...]:
    """Where a few of the keys, evenly spread, fit; those that tell nothing are left out.

    Nothing can be told of keys that are transparent or unreadable, or where nothing moves.
    """
    indices = sorted(files)
    if len(indices) > _MOST_KEYS:
        last = len(indices) - 1
        indices = [indices[round(place * last / (_MOST_KEYS - 1))] for place in range(_MOST_KEYS)]
    found = (_fit(files[index], index, clip) for index in indices)
    return tuple(fit for fit in found if fit is not None)


def _fit(file: Path, index: int, clip: Clip) -> NumberingFit | None:
    info = clip.info
    # Two before, so that a key named for one frame after the last has something to choose from.
    near = [at for at in range(index - 2, index + 2) if 0 <= at < info.frame_count]
    scale = min(1.0, _SHORT_SIDE / min(info.width, info.height))
    size = (max(2, round(info.width * scale)), max(2, round(info.height * scale)))
    if len(near) < 2:
        return None
    try:
        still = read_still(file)
        if still.alpha is not None:
            return None
        frames = [frame.image for frame in clip.frames_at(near, size=size)]
    except ClipError:
        return None  # Reading it for good will say so.
    painted = _edges(resize(still.image, size))
    edges = {at - index: _edges(frame) for at, frame in zip(near, frames, strict=True)}
    likeness = {offset: _correlation(painted, found) for offset, found in edges.items()}
    best, second = sorted(likeness, key=lambda offset: -likeness[offset])[:2]
    lead = likeness[best] - likeness[second]
    # What of the frames' own difference shows in the key.
    difference = 1 - _correlation(edges[best], edges[second])
    if abs(best) > 1 or difference < _STILL or lead < _FAINT * difference:
        return None
    is_clear = lead > _GREATER and lead > _CLOSER * (1 - likeness[second])
    return NumberingFit(file, index, best, is_clear)


def _edges(image: Image) -> NDArray[np.float32]:
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (3, 3), 0)
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """From -1 to 1; 0 where one of them is flat."""
    first, second = first - first.mean(), second - second.mean()
    energy = float(np.sqrt((first * first).sum() * (second * second).sum()))
    return float((first * second).sum()) / energy if energy else 0.0
