"""Soft edges: holistically-nested edge detection (arXiv:1504.06375)."""

from __future__ import annotations

from pathlib import Path

import torch
from fresco_media.types import Image
from torch import Tensor, nn
from torch.nn import functional

from fresco_engine.diffusion.detectors.detector import Found, picture_tensor
from fresco_engine.diffusion.published import Published, load_published

_BLOCKS = ((3, 64, 2), (64, 128, 2), (128, 256, 3), (256, 512, 3), (512, 512, 3))
"""Channels in, channels out and convolutions of each block, as in VGG-16."""


class _Block(nn.Module):
    """Convolutions of one resolution, and the edges seen in what they make."""

    def __init__(self, channels_in: int, channels: int, count: int) -> None:
        super().__init__()
        widths = (channels_in, *(channels,) * (count - 1))
        self.convs = nn.Sequential(*(nn.Conv2d(width, channels, 3, padding=1) for width in widths))
        self.projection = nn.Conv2d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.convs:
            x = conv(x).relu()
        return x


class SoftEdgeNetwork(nn.Module):
    """Five blocks, each half the resolution of the one before, each with edges of its own.

    Names and shapes of its tensors are those of ControlNetHED.pth.
    """

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.Parameter(torch.zeros(1, 3, 1, 1))
        for number, shape in enumerate(_BLOCKS, 1):
            self.add_module(f"block{number}", _Block(*shape))

    def forward(self, pictures: Tensor) -> Tensor:
        """The share in [0, 1] that each pixel is an edge, (f, 1, H, W); RGB in 0 to 255 goes in."""
        size = pictures.shape[-2:]
        x = pictures - self.norm
        sides: list[Tensor] = []
        for number in range(1, len(_BLOCKS) + 1):
            block = self.get_submodule(f"block{number}")
            x = block(x if number == 1 else functional.max_pool2d(x, 2))
            side = block.get_submodule("projection")(x)
            sides.append(functional.interpolate(side, size, mode="bilinear", align_corners=False))
        return torch.stack(sides).mean(dim=0).sigmoid()


class SoftEdgeDetector:
    """White soft edges on black."""

    is_relative = False

    def __init__(self, network: SoftEdgeNetwork, device: torch.device) -> None:
        self._network = network.to(device).eval().requires_grad_(False)
        self._device = device

    @classmethod
    def load(cls, path: Path, get: str, device: torch.device) -> SoftEdgeDetector:
        """With the published weights in the file `path`; raises as `load_published`."""
        with torch.device("meta"):
            network = SoftEdgeNetwork()
        published = Published(name="ControlNetHED", get=get, other="another network of edges")
        load_published(network, path, published)
        return cls(network, device)

    def detect(self, image: Image) -> Found:
        """As the protocol says."""
        edges = self._network(picture_tensor(image, self._device) * 255)
        return edges[0, 0].cpu().numpy()
