"""Where every frame of a segment finds its pixels in a keyframe many frames away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow, FlowEstimator, pixel_grid, sample_flow
from fresco_engine.types import Image

_WINDOW = (5, 5)
_ABSOLUTE_MISS = 1.0
_RELATIVE_MISS = 0.02


@runtime_checkable
class RefiningEstimator(Protocol):
    """A flow estimator that can also start from a flow that is nearly right."""

    def __call__(self, first: Image, second: Image) -> Flow:
        """The flow from `first` to `second`."""
        ...

    def refine(self, first: Image, second: Image, guess: Flow) -> Flow:
        """The flow from `first` to `second`, searched for around `guess`."""
        ...


@dataclass(frozen=True)
class Steps:
    """Flows between neighbouring frames, in the order of the frames.

    `ahead[i]` leads from frame i to i+1, `back[i]` from frame i+1 to i.
    """

    ahead: tuple[Flow, ...]
    back: tuple[Flow, ...]

    def reversed(self) -> Steps:
        """The same steps for the frames in reverse order."""
        return Steps(self.back[::-1], self.ahead[::-1])


@dataclass(frozen=True)
class KeyFlow:
    """How a frame sees a keyframe.

    `flow` leads from the frame to the key; `visible` (h, w) float32 is 1 where the key shows the
    pixel, 0 where it is hidden there or outside the picture.
    """

    flow: Flow
    visible: NDArray[np.float32]


def find_steps(frames: Sequence[Image], estimator: FlowEstimator) -> Steps:
    """The flows between all neighbours of `frames`, both ways."""
    pairs = list(pairwise(frames))
    return Steps(
        tuple(estimator(first, second) for first, second in pairs),
        tuple(estimator(second, first) for first, second in pairs),
    )


def trace_key(frames: Sequence[Image], steps: Steps, estimator: FlowEstimator) -> Iterator[KeyFlow]:
    """For `frames[1:]` in order: how each sees `frames[0]`, the key.

    Direct flow fails over wide gaps, so every frame takes over the flow of its neighbour nearer
    to the key, led on by one step, and looks again around it; each pixel keeps whichever of the
    two explains the frame better.
    """
    key = frames[0]
    to_key = np.zeros((*key.shape[:2], 2), np.float32)
    from_key = to_key
    for frame, ahead, back in zip(frames[1:], steps.ahead, steps.back, strict=True):
        to_key = improve(frame, key, back + sample_flow(to_key, back), estimator)
        from_key = improve(key, frame, from_key + sample_flow(ahead, from_key), estimator)
        yield KeyFlow(to_key, visibility(to_key, from_key))


def improve(first: Image, second: Image, flow: Flow, estimator: FlowEstimator) -> Flow:
    """`flow`, replaced by the estimator's refinement of it where that explains `first` better."""
    if not isinstance(estimator, RefiningEstimator):
        return flow
    refined = estimator.refine(first, second, flow)
    is_better = _mismatch(first, second, refined) < _mismatch(first, second, flow)
    return np.where(is_better[..., None], refined, flow)


def _mismatch(first: Image, second: Image, flow: Flow) -> NDArray[np.float32]:
    """Colour difference of `first` and `second` seen through `flow`, summed over a small window."""
    target = pixel_grid(*flow.shape[:2]) + flow
    seen = cv2.remap(second, target, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    difference = cv2.transform(cv2.absdiff(first, seen).astype(np.float32), np.ones((1, 3)))
    return cv2.blur(difference, _WINDOW)


def visibility(flow: Flow, backward: Flow) -> NDArray[np.float32]:
    """(h, w) in 0-1: whether `flow` and back again by `backward` ends where it began.

    Flows over many frames are less exact than those between neighbours, so the miss allowed is a
    pixel and 2 % of the way; visibility falls from 1 to 0 between once and twice that.
    """
    back = sample_flow(backward, flow)
    miss = flow + back
    way = cv2.magnitude(flow[..., 0], flow[..., 1]) + cv2.magnitude(back[..., 0], back[..., 1])
    allowed = _ABSOLUTE_MISS + _RELATIVE_MISS * way
    visible = np.clip(2 - cv2.magnitude(miss[..., 0], miss[..., 1]) / allowed, 0, 1)
    return np.where(_is_inside(flow), visible, np.float32(0))


def _is_inside(flow: Flow) -> NDArray[np.bool_]:
    height, width = flow.shape[:2]
    target = pixel_grid(height, width) + flow
    x, y = target[..., 0], target[..., 1]
    return (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
