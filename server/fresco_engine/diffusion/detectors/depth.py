"""Depth from one picture: Depth Anything V2 (arXiv:2406.09414)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from fresco_media.types import Image
from torch.nn import functional
from transformers import DepthAnythingForDepthEstimation

from fresco_engine.diffusion.detectors.detector import Found, normalised, picture_tensor
from fresco_engine.diffusion.folders import load_part

_SMALLEST_DEPTH = 1e-3


class DepthDetector:
    """How near each pixel is: larger is nearer, in a unit that one shot shares."""

    is_relative = True

    def __init__(self, network: DepthAnythingForDepthEstimation, device: torch.device) -> None:
        self._network = network.to(device).eval().requires_grad_(False)  # pyright: ignore[reportArgumentType]
        self._device = device

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> DepthDetector:
        """The network in a folder with its config.json and weights; raises as `load_part`."""
        return cls(load_part(DepthAnythingForDepthEstimation, folder), device)

    def detect(self, image: Image) -> Found:
        """As the protocol says."""
        seen = self._working_size(*image.shape[:2])
        pictures = functional.interpolate(
            normalised(picture_tensor(image, self._device)), seen, mode="bicubic", antialias=True
        )
        depth = self._network(pixel_values=pictures).predicted_depth
        if self._network.config.depth_estimation_type == "metric":
            depth = 1 / depth.clamp(min=_SMALLEST_DEPTH)
        size = image.shape[:2]
        whole = functional.interpolate(depth[None], size, mode="bilinear", align_corners=False)
        return whole[0, 0].float().cpu().numpy()

    def _working_size(self, height: int, width: int) -> tuple[int, int]:
        """The size at which the network was trained, whole patches, in the picture's proportion."""
        backbone: Any = self._network.config.backbone_config
        patch = int(backbone.patch_size)
        scale = int(backbone.image_size) / min(height, width)
        return tuple(max(1, round(side * scale / patch)) * patch for side in (height, width))  # pyright: ignore[reportReturnType]
