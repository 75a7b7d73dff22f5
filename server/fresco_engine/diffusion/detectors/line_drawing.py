"""Line drawings: the generator of informative drawings (arXiv:2203.12691)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch
from fresco_media.types import Image
from torch import Tensor, nn

from fresco_engine.diffusion.detectors.detector import Found, picture_tensor
from fresco_engine.diffusion.published import Published, load_published

_WIDTH = 64
_RESIDUALS = 3


def _bordered(channels_in: int, channels: int, side: int) -> tuple[nn.Module, nn.Module]:
    """A convolution that sees the picture mirrored beyond its border."""
    return nn.ReflectionPad2d(side // 2), nn.Conv2d(channels_in, channels, side)


def _evened(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(channels), nn.ReLU()


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            *_bordered(channels, channels, 3),
            *_evened(channels),
            *_bordered(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class LineNetwork(nn.Module):
    """Down to a quarter, three residual blocks, and up again.

    Names and shapes of its tensors are those of sk_model.pth.
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (_WIDTH, 2 * _WIDTH, 4 * _WIDTH)
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for narrow, wide in pairwise(widths):
            down += [nn.Conv2d(narrow, wide, 3, stride=2, padding=1), *_evened(wide)]
            back = nn.ConvTranspose2d(wide, narrow, 3, stride=2, padding=1, output_padding=1)
            up = [back, *_evened(narrow), *up]
        self.model0 = nn.Sequential(*_bordered(3, _WIDTH, 7), *_evened(_WIDTH))
        self.model1 = nn.Sequential(*down)
        self.model2 = nn.Sequential(*(_Residual(widths[-1]) for _ in range(_RESIDUALS)))
        self.model3 = nn.Sequential(*up)
        self.model4 = nn.Sequential(*_bordered(_WIDTH, 1, 7), nn.Sigmoid())

    def forward(self, pictures: Tensor) -> Tensor:
        """Dark lines on white, (f, 1, H, W) in [0, 1]; RGB in [0, 1] goes in."""
        height, width = pictures.shape[-2:]
        x = pictures
        for part in (self.model0, self.model1, self.model2, self.model3, self.model4):
            x = part(x)
        # Sides that four does not divide come back a little longer.
        return x[..., :height, :width]


class LineDetector:
    """White lines on black, as the line ControlNet knows them."""

    is_relative = False

    def __init__(self, network: LineNetwork, device: torch.device) -> None:
        self._network = network.to(device).eval().requires_grad_(False)
        self._device = device

    @classmethod
    def load(cls, path: Path, get: str, device: torch.device) -> LineDetector:
        """With the published weights in the file `path`; raises as `load_published`."""
        with torch.device("meta"):
            network = LineNetwork()
        published = Published(name="sk_model", get=get, other="another network of line drawings")
        load_published(network, path, published)
        return cls(network, device)

    def detect(self, image: Image) -> Found:
        """As the protocol says."""
        lines = self._network(picture_tensor(image, self._device))
        return 1 - lines[0, 0].cpu().numpy()
