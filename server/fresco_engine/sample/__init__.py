"""The project's own clip, with the true motion and occlusion of some of its frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["FlowPair", "ground_truth", "sample_clip_path"]

_HERE = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class FlowPair:
    """Two frames of the clip at half size, and what truly became of every pixel of the first.

    `flow` at a pixel of `first` points to where its surface went in `second`, in pixels, x right,
    y down; it is defined for hidden pixels too. `occluded` marks pixels of `first` whose surface
    is covered in `second` or outside its picture.
    """

    first: NDArray[np.uint8]  # h w 3, RGB
    second: NDArray[np.uint8]  # h w 3, RGB
    flow: NDArray[np.float32]  # h w 2
    occluded: NDArray[np.bool_]  # h w
    first_index: int
    second_index: int


def sample_clip_path() -> Path:
    """The clip: 108 frames of 512x512 at 24 frames a second, with sound."""
    return _HERE / "fresco-sample.mp4"


def ground_truth() -> tuple[FlowPair, ...]:
    """Neighbouring frames, some of them both ways, then pairs of frames eight apart."""
    with np.load(_HERE / "ground_truth.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    pictures = {int(n): frame for n, frame in zip(arrays["indices"], arrays["frames"], strict=True)}
    return tuple(
        FlowPair(
            first=pictures[int(first)],
            second=pictures[int(second)],
            flow=flow.astype(np.float32),
            occluded=occluded,
            first_index=int(first),
            second_index=int(second),
        )
        for (first, second), flow, occluded in zip(
            arrays["pairs"], arrays["flow"], arrays["occluded"], strict=True
        )
    )
