"""Features of one picture at an eighth of its size."""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTHS = (64, 96, 128)
"""Channels of the three levels, at a half, a quarter and an eighth of the picture."""


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut; the first may halve the size."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        # Without weights of its own, as everything the published model normalises by picture.
        self.norm = nn.InstanceNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride)
            self.downsample = nn.Sequential(shortcut, nn.InstanceNorm2d(outputs))

    def forward(self, features: Tensor) -> Tensor:
        """(b, c, h, w) to (b, outputs, h / stride, w / stride)."""
        inner = torch.relu(self.norm(self.conv1(features)))
        inner = torch.relu(self.norm(self.conv2(inner)))
        return torch.relu(self.downsample(features) + inner)


class Backbone(nn.Module):
    """The convolutional encoder, weights shared by both pictures (section 3.2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half, quarter, eighth = WIDTHS
        self.conv1 = nn.Conv2d(3, half, 7, 2, 3, bias=False)
        self.norm1 = nn.InstanceNorm2d(half)
        self.layer1 = _level(half, half, 1)
        self.layer2 = _level(half, quarter, 2)
        self.layer3 = _level(quarter, eighth, 2)
        self.conv2 = nn.Conv2d(eighth, channels, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """(b, 3, h, w), normalised, to (b, channels, h / 8, w / 8)."""
        features = torch.relu(self.norm1(self.conv1(pictures)))
        return self.conv2(self.layer3(self.layer2(self.layer1(features))))


def _level(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(ResidualBlock(inputs, outputs, stride), ResidualBlock(outputs, outputs, 1))
