"""Gradient fusion on any device that torch knows."""

from __future__ import annotations

import math

import torch
from numpy.typing import NDArray
from torch import Tensor

from fresco_engine.interpolation.blend import GRADIENT_WEIGHTS
from fresco_engine.interpolation.colour import Lab


class TorchFusion:
    """`blend.fuse_gradients` on `device`, equal to it but for rounding."""

    def __init__(self, device: str | torch.device) -> None:
        self._device = torch.device(device)

    def __call__(
        self, base: Lab, across: Lab, down: Lab, weights: tuple[float, ...] = GRADIENT_WEIGHTS
    ) -> Lab:
        """The x that minimises Σ w‖∇x - g‖² + ‖x - base‖² in every channel, exactly."""
        wanted, dx, dy = (self._planes(x) for x in (base, across, down))  # c h w
        scale = torch.tensor(weights, dtype=wanted.dtype, device=self._device)[:, None, None]
        divergence = torch.zeros_like(wanted)
        divergence[..., 1:] += dx
        divergence[..., :-1] -= dx
        divergence[:, 1:] += dy
        divergence[:, :-1] -= dy
        height, width = wanted.shape[1:]
        stiffness = self._eigenvalues(height)[:, None] + self._eigenvalues(width)
        spectrum = _cosines(_cosines(wanted + scale * divergence).mT).mT
        spectrum = spectrum / (1 + scale * stiffness)
        solved = _from_cosines(_from_cosines(spectrum).mT).mT
        return solved.permute(1, 2, 0).contiguous().cpu().numpy()

    def _planes(self, x: NDArray) -> Tensor:
        return torch.from_numpy(x).to(self._device).permute(2, 0, 1)

    def _eigenvalues(self, length: int) -> Tensor:
        """Of the second difference with free ends, in the order of the DCT's frequencies."""
        steps = torch.arange(length, device=self._device, dtype=torch.float32)
        return 2 - 2 * torch.cos(math.pi * steps / length)


def _cosines(x: Tensor) -> Tensor:
    """The DCT-II of the last axis (twice its usual scale): the FFT of a row and its mirror."""
    length = x.shape[-1]
    spectrum = torch.fft.rfft(torch.cat([x, x.flip(-1)], dim=-1))[..., :length]
    return (spectrum * _half_steps(length, -1, x)).real


def _from_cosines(x: Tensor) -> Tensor:
    """The inverse of `_cosines`."""
    length = x.shape[-1]
    spectrum = torch.cat([x * _half_steps(length, 1, x), torch.zeros_like(x[..., :1])], dim=-1)
    return torch.fft.irfft(spectrum, n=2 * length)[..., :length]


def _half_steps(length: int, sign: int, like: Tensor) -> Tensor:
    """The phases that move a row's origin by half a sample, between it and its mirror."""
    angles = sign * math.pi / (2 * length) * torch.arange(length, device=like.device)
    return torch.polar(torch.ones_like(angles), angles)
