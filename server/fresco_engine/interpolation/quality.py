"""How good interpolated frames are, and where one more keyframe would help most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.interpolation.colour import to_lab
from fresco_engine.types import FrameQuality


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Where one more keyframe would help most: `gain` is the share of all guide error it saves."""

    index: int
    gain: float


def mean_colour(image: Image) -> NDArray[np.float32]:
    """(3,): of a picture, in Lab; of a small copy, which has the same mean."""
    height, width = image.shape[:2]
    size = max(1, width // 4), max(1, height // 4)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return to_lab(np.asarray(small, np.uint8)).mean(axis=(0, 1))


def frame_quality(
    error: NDArray[np.float32], moved: NDArray[np.float32], expected: NDArray[np.float32]
) -> FrameQuality:
    """The figures of a frame with the error map `error` (h, w).

    `moved` is how far its mean colour lies from the keys', `expected` how far that of its source
    does, both as `mean_colour` says.
    """
    return FrameQuality(
        error=float(error.mean()),
        worst_error=float(np.percentile(error[::2, ::2], 95)),
        drift=float(np.linalg.norm(moved - expected)),
    )


class FrameJudge:
    """Judges the frames of one segment: its sources, and the keys it has at its ends."""

    def __init__(self, sources: Sequence[Image], first: Image | None, last: Image | None) -> None:
        self._sources = sources
        self._ends = [
            (mean_colour(key), mean_colour(source))
            for key, source in ((first, sources[0]), (last, sources[-1]))
            if key is not None
        ]

    def __call__(self, offset: int, image: Image, error: NDArray[np.float32]) -> FrameQuality:
        """The figures of the frame `offset` with the error map `error` (h, w)."""
        share = offset / (len(self._sources) - 1)
        weights = np.array([1.0] if len(self._ends) == 1 else [1 - share, share], np.float32)
        key, source = (
            np.asarray(weights @ np.stack([end[i] for end in self._ends]), np.float32)
            for i in (0, 1)
        )
        expected = mean_colour(self._sources[offset]) - source
        return frame_quality(error, mean_colour(image) - key, expected)


def summary(frames: Mapping[int, FrameQuality]) -> dict[str, float]:
    """Means and the largest drift over the interpolated frames; nothing where there are none."""
    if not frames:
        return {}
    count = len(frames)
    return {
        "guide_error": sum(quality.error for quality in frames.values()) / count,
        "drift": sum(quality.drift for quality in frames.values()) / count,
        "largest_drift": max(quality.drift for quality in frames.values()),
    }


def details(
    frames: Mapping[int, FrameQuality], keys: Sequence[int], shots: Sequence[tuple[int, int]]
) -> dict[str, Any]:
    """Every interpolated frame's figures, and where one more key would help most."""
    errors = {index: quality.error for index, quality in frames.items()}
    suggestion = suggest_keyframe(errors, keys, shots)
    return {
        "frames": {
            str(index): {name: round(value, 5) for name, value in asdict(quality).items()}
            for index, quality in frames.items()
        },
        "suggested_keyframe": None if suggestion is None else asdict(suggestion),
    }


def suggest_keyframe(
    errors: Mapping[int, float], keys: Sequence[int], shots: Sequence[tuple[int, int]]
) -> Suggestion | None:
    """The frame that, painted as well, takes most of the guide error away.

    Error grows with the way to the nearest key: a frame whose way is halved keeps half of its own.
    A key counts within its shot only. None where there is no error to take away.
    """
    total = sum(errors.values())
    best: Suggestion | None = None
    for start, stop in shots:
        inside = np.array([key for key in keys if start <= key < stop])
        frames = np.array([index for index in range(start, stop) if index in errors])
        if not len(frames) or total <= 0:
            continue
        error = np.array([errors[int(index)] for index in frames])
        far = np.abs(frames[:, None] - inside).min(axis=1, initial=stop - start)
        for index in frames:
            saved = float((error * (1 - np.minimum(1, np.abs(frames - index) / far))).sum())
            if saved > (best.gain * total if best else 0):
                best = Suggestion(index=int(index), gain=saved / total)
    return best


def error_picture(error: NDArray[np.float32]) -> Image:
    """An error map as a picture: black where there is none, over red to yellow at a quarter."""
    level = np.clip(error * 4 * 255, 0, 255).astype(np.uint8)
    heat = cv2.applyColorMap(level, cv2.COLORMAP_INFERNO)
    return np.asarray(heat[..., ::-1], np.uint8).copy()
