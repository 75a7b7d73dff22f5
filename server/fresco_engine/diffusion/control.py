"""The pictures a ControlNet is shown beside the noise: the frames themselves, or their edges."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from fresco_media.types import Image
from torch import Tensor

from fresco_engine.errors import ControlUnavailable
from fresco_engine.settings import ControlKind

CANNY_THRESHOLDS = (50.0, 100.0)
"""As the published code has them: 100 and 200 find less than half as many edges."""


def condition_images(
    kind: ControlKind,
    frames: Sequence[Image],
    *,
    thresholds: tuple[float, float] = CANNY_THRESHOLDS,
) -> Tensor:
    """Control images for `frames`: (f, 3, H, W), float32 in [0, 1], RGB, on the CPU.

    `tile` shows the frames as they are, `canny` white edges on black found with the lower and
    upper gradient `thresholds`, `none` black.

    Raises:
        ControlUnavailable: the kind needs a network that this version does not have.
    """
    require_supported(kind)
    if kind == "none":
        frames = [np.zeros_like(frame) for frame in frames]
    if kind == "canny":
        frames = [_edges(frame, thresholds) for frame in frames]
    stacked = torch.from_numpy(np.stack(frames))  # f h w c
    return stacked.permute(0, 3, 1, 2).contiguous().float().div_(255)


def require_supported(kind: ControlKind) -> None:
    """Raises `ControlUnavailable` for kinds whose control images cannot be made."""
    if kind in ("hed", "depth"):
        raise ControlUnavailable(
            kind,
            "this version makes no control images of that kind, which take a network of their "
            "own; use tile (the frames themselves) or canny (their edges)",
        )


def _edges(frame: Image, thresholds: tuple[float, float]) -> Image:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    edges = cv2.Canny(grey, *thresholds).astype(np.uint8, copy=False)
    return np.repeat(edges[:, :, None], 3, axis=2)
