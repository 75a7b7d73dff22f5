"""Optical flow: the protocol any estimator obeys, and DIS flow, which needs no weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_engine.types import Image

Flow = NDArray[np.float32]
"""(height, width, 2): x and y displacement in pixels."""

FlowPreset = Literal["fast", "standard", "fine"]


class FlowEstimator(Protocol):
    """Says where every pixel of `first` went in `second`."""

    def __call__(self, first: Image, second: Image) -> Flow:
        """The flow from `first` to `second`, two pictures of one size."""
        ...


class DisFlow:
    """Dense inverse search (OpenCV), tuned for pictures 5 to 20 frames apart."""

    def __init__(self, preset: FlowPreset = "standard") -> None:
        self._preset: FlowPreset = preset

    def __call__(self, first: Image, second: Image) -> Flow:
        """The flow from `first` to `second`, two pictures of one size."""
        if first.shape != second.shape:
            raise ValueError(f"pictures of {first.shape} and {second.shape} have no flow")
        one, two = _grey(first), _grey(second)
        return _estimator(self._preset).calc(one, two, np.empty(0, np.float32))


def _grey(image: Image) -> Image:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def _estimator(preset: FlowPreset) -> cv2.DISOpticalFlow:
    """A fresh estimator: OpenCV's keep buffers and must not be shared by threads."""
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale({"fast": 2, "standard": 1, "fine": 0}[preset])
    return dis


def chain_flows(flows: Sequence[Flow]) -> Flow:
    """The flow over several steps from the flows of each: follow every pixel from step to step."""
    total = flows[0]
    for step in flows[1:]:
        total = total + sample_flow(step, total)
    return total


def sample_flow(flow: Flow, displacement: Flow) -> Flow:
    """`flow` read where `displacement` leads, the nearest pixel of the border beyond it."""
    return cv2.remap(
        flow,
        pixel_grid(*flow.shape[:2]) + displacement,
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def pixel_grid(height: int, width: int) -> Flow:
    """(height, width, 2): every pixel's own x and y."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([x, y], axis=-1)
