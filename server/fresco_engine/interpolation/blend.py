"""Two views of one frame become one: whose pixel to take, the mix, and gradient fusion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from fresco_engine.compiled import compiled
from fresco_engine.interpolation.colour import Lab

Map = NDArray[np.float32]
"""(height, width), usually a weight in 0-1."""

GRADIENT_WEIGHTS = (2.5**2, 0.5**2, 0.5**2)
"""How much gradients count against values in L, a and b; see docs/method.md."""

_STATISTICS_SIGMA = 12.0
_MAX_GAIN = 1.4
_MIN_DEVIATION = 0.5


Fuse = Callable[[Lab, Lab, Lab], Lab]
"""`fuse_gradients`, wherever it is carried out."""


@dataclass(frozen=True)
class View:
    """One keyframe as seen from a frame between.

    `lab` is the warped stylised key; `error` (h, w) in 0-1 how far the warped source key is from
    the frame's own source; `visible` (h, w) in 0-1 whether the key shows the pixel at all.
    """

    lab: Lab
    error: Map
    visible: Map


def trust(view: View, error_scale: float, hidden_cost: float = 4.0) -> Map:
    """Log of how far to believe a view, 0 at best.

    Guide error pulls it down by 4 at most, being hidden in the key by `hidden_cost`.
    """
    doubt = np.minimum((view.error / error_scale) ** 2, 4)
    return -doubt - hidden_cost * (1 - view.visible)


def choose(position: float, preference: Map, sharpness: float = 1.0) -> Map:
    """The first view's weight (h, w) at `position`, 0 at the first key and 1 at the last.

    `preference` is the first view's log trust less the last view's. With none, the weight falls
    linearly for a `sharpness` of 1; a higher one hands over within fewer frames.
    """
    near, far = 1 - position, position
    odds = sharpness * (np.log(max(near, 1e-4)) - np.log(max(far, 1e-4))) + preference
    return (1 / (1 + np.exp(-odds))).astype(np.float32)


def blend(first: Lab, last: Lab, weight: Map) -> Lab:
    """The weighted mean of two pictures with the local contrast that mixing takes away restored.

    Means of unlike textures are flat. Each neighbourhood's lightness is stretched about its mean
    until its deviation is the weighted mean of the two pictures' own.
    """
    share = weight[..., None]
    mixed = np.asarray(last + share * (first - last), np.float32)
    light = np.asarray(mixed[..., 0], np.float32)
    mean, deviation = _local_statistics(light)
    wanted = weight * _local_statistics(first[..., 0])[1]
    wanted += (1 - weight) * _local_statistics(last[..., 0])[1]
    gain = np.clip((wanted + _MIN_DEVIATION) / (deviation + _MIN_DEVIATION), 1, _MAX_GAIN)
    mixed[..., 0] = mean + gain * (light - mean)
    return mixed


def _local_statistics(plane: Map) -> tuple[Map, Map]:
    """Mean and standard deviation around every pixel, from a quarter-size copy of the squares."""
    mean = _wide_blur(plane)
    spread = _wide_blur(plane * plane) - mean * mean
    return mean, np.sqrt(np.maximum(spread, 0))


def _wide_blur(plane: Map) -> Map:
    height, width = plane.shape
    small = cv2.resize(
        plane, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA
    )
    blurred = cv2.GaussianBlur(small, (0, 0), _STATISTICS_SIGMA / 4)
    return np.asarray(cv2.resize(blurred, (width, height)), np.float32)


def mixed_gradients(first: Lab, last: Lab, weight: Map) -> tuple[Lab, Lab]:
    """Forward differences (h, w-1, 3) across and (h-1, w, 3) down of the chosen view.

    A difference is taken inside one view, so handing over between views leaves no edge.
    """
    height, width = weight.shape
    across = np.empty((height, width - 1, 3), np.float32)
    down = np.empty((height - 1, width, 3), np.float32)
    _mix_gradients(first, last, weight, across, down)
    return across, down


@compiled
def _mix_gradients(first: Lab, last: Lab, weight: Map, across: Lab, down: Lab) -> None:
    height, width = weight.shape
    half = np.float32(0.5)
    for y in range(height):
        for x in range(width):
            for c in range(3):
                if x + 1 < width:
                    share = half * (weight[y, x] + weight[y, x + 1])
                    one, two = (
                        first[y, x + 1, c] - first[y, x, c],
                        last[y, x + 1, c] - last[y, x, c],
                    )
                    across[y, x, c] = two + share * (one - two)
                if y + 1 < height:
                    share = half * (weight[y, x] + weight[y + 1, x])
                    one, two = (
                        first[y + 1, x, c] - first[y, x, c],
                        last[y + 1, x, c] - last[y, x, c],
                    )
                    down[y, x, c] = two + share * (one - two)


def fuse_gradients(
    base: NDArray[np.float32],
    across: NDArray[np.float32],
    down: NDArray[np.float32],
    weights: tuple[float, ...] = GRADIENT_WEIGHTS,
) -> NDArray[np.float32]:
    """The x that minimises Σ w‖∇x - g‖² + ‖x - base‖² in every channel, exactly.

    `base` is (h, w, c), `across` (h, w-1, c) and `down` (h-1, w, c) are the wanted forward
    differences, `weights` one w per channel. With free borders the normal equations are diagonal
    in the cosine basis, so a DCT, a division and its inverse solve them.
    """
    height, width, channels = base.shape
    scale = np.asarray(weights, np.float32)
    planes = np.empty((channels, height, width), np.float32)
    _collect(base, across, down, scale, planes)
    stiffness = _eigenvalues(height)[:, None] + _eigenvalues(width)
    spectrum = fft.dctn(planes, axes=(1, 2), norm="ortho", overwrite_x=True)
    spectrum = np.asarray(spectrum, np.float32)
    spectrum /= 1 + scale[:, None, None] * stiffness
    solved = np.asarray(fft.idctn(spectrum, axes=(1, 2), norm="ortho", overwrite_x=True))
    return np.moveaxis(solved, 0, -1)


@compiled
def _collect(
    base: NDArray[np.float32],
    across: NDArray[np.float32],
    down: NDArray[np.float32],
    scale: NDArray[np.float32],
    planes: NDArray[np.float32],
) -> None:
    """`base` and the transpose of forward differences, channel by channel."""
    height, width, channels = base.shape
    for c in range(channels):
        for y in range(height):
            for x in range(width):
                pull = np.float32(0)
                if x > 0:
                    pull += across[y, x - 1, c]
                if x + 1 < width:
                    pull -= across[y, x, c]
                if y > 0:
                    pull += down[y - 1, x, c]
                if y + 1 < height:
                    pull -= down[y, x, c]
                planes[c, y, x] = base[y, x, c] + scale[c] * pull


def _eigenvalues(length: int) -> NDArray[np.float32]:
    """Of the second difference with free ends, in the order of the DCT's frequencies."""
    return (2 - 2 * np.cos(np.pi * np.arange(length) / length)).astype(np.float32)
