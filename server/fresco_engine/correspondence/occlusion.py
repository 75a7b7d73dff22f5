"""Which pixels of one picture cannot be seen in another."""

from __future__ import annotations

import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow, pixel_grid, sample_flow
from fresco_engine.correspondence.warp import warp_image

_RELATIVE = 0.01
_ABSOLUTE = 0.5
_PHOTOMETRIC = 0.25


def occlusion(forward: Flow, backward: Flow, first: Image, second: Image) -> NDArray[np.bool_]:
    """(height, width), True for pixels of `first` that `second` does not show.

    `forward` leads from `first` to `second`, `backward` the other way. A pixel counts as hidden
    where going there and back misses it by more than 1 % of the way plus half a pixel, where the
    pictures differ by more than a quarter of the range, or where the flow leaves the picture.
    """
    return (
        _leaves_picture(forward)
        | _returns_elsewhere(forward, backward)
        | _looks_different(forward, first, second)
    )


def _leaves_picture(forward: Flow) -> NDArray[np.bool_]:
    height, width = forward.shape[:2]
    target = pixel_grid(height, width) + forward
    # Half a pixel beyond the outermost centres is still covered by the outermost pixels.
    inside = (target >= -0.5) & (target <= np.array([width - 0.5, height - 0.5], np.float32))
    return ~(inside[..., 0] & inside[..., 1])


def _returns_elsewhere(forward: Flow, backward: Flow) -> NDArray[np.bool_]:
    back = sample_flow(backward, forward)
    miss = _length(forward + back)
    return miss > _RELATIVE * (_length(forward) + _length(back)) + _ABSOLUTE


def _length(flow: Flow) -> NDArray[np.float32]:
    return np.hypot(flow[..., 0], flow[..., 1])


def _looks_different(forward: Flow, first: Image, second: Image) -> NDArray[np.bool_]:
    difference = np.abs(warp_image(second, forward) - first)
    return difference.mean(axis=-1) > _PHOTOMETRIC * 255
