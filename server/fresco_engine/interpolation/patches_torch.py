"""The search for patches on any device that torch knows: all pixels at once, the same fields."""

from __future__ import annotations

import numpy as np
import torch
from fresco_media.types import Image
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from fresco_engine.interpolation.patch_kernels import (
    CHANNELS,
    ENOUGH,
    FAR,
    RADIUS,
    SIDE,
    STYLE,
    Costs,
    Field,
)
from fresco_engine.interpolation.patches import PatchProblem, Search, valid_centres

_BITS = 0xFFFFFFFF
_ROW = SIDE * CHANNELS


class TorchPatches:
    """Searches on `device`; equal to those of `CpuPatches`, number for number."""

    def __init__(self, device: str | torch.device) -> None:
        self._device = torch.device(device)

    def begin(self, problem: PatchProblem, field: Field, picture: Image) -> Search:
        """A search that starts from `field` and from `picture` (h, w, 3)."""
        return _TorchSearch(problem, field, picture, self._device)


class _TorchSearch:
    """Everything is flat: pixels are y * w + x, places of the source y * 2w + x."""

    def __init__(
        self, problem: PatchProblem, field: Field, picture: Image, device: torch.device
    ) -> None:
        self._height, self._width = problem.size
        self._problem, self._device = problem, device
        self._target = self._moved(problem.target).reshape(-1, CHANNELS).clone()
        self._source = self._moved(problem.source).reshape(-1)
        self._style = self._moved(problem.style).reshape(-1, 3)
        self._position = self._moved(problem.position).reshape(-1, 2).long()
        self._wanted = self._moved(problem.wanted).reshape(-1, 2).long()
        self._levels = self._moved(problem.style_levels)
        self._pixels = self._moved(problem.pixels).long()
        self._painted = self._moved(problem.painted).long()
        self._valid = self._moved(valid_centres(*problem.size)).bool()
        self._field = self._moved(field).reshape(-1).long()
        self._picture = self._moved(picture).reshape(-1, 3).clone()
        temporal = picture if problem.temporal is None else problem.temporal
        self._temporal = self._moved(temporal).reshape(-1, 3)
        self._share = 0 if problem.temporal is None else problem.temporal_share
        self._costs = torch.zeros(self._height * self._width, dtype=torch.long, device=device)
        self._show(torch.arange(self._height * self._width, device=device))
        self._measure_held()

    def consider(self, field: Field) -> None:
        """Take over from `field` what fits better than what is held."""
        offered = self._moved(field).reshape(-1).long()[self._pixels]
        costs = self._cost(self._pixels, offered)
        is_better = costs < self._costs[self._pixels]
        chosen = self._pixels[is_better]
        self._field[chosen] = offered[is_better]
        self._costs[chosen] = costs[is_better]

    def improve(self, stride: int, radii: tuple[int, ...], seed: int) -> None:
        """Let every pixel try its four neighbours' patches and random places around its own."""
        crowd = self._crowds()
        held, costs = self._field[self._pixels], self._costs[self._pixels]
        best = costs + crowd[held]
        is_searched = best > ENOUGH
        for number in range(4 + len(radii)):
            if number < 4:
                places, is_tried = self._of_neighbours(number, stride)
            else:
                places, is_tried = self._at_random(held, number, radii[number - 4], seed)
            is_tried &= is_searched & (places >= 0) & (places < len(self._valid))
            is_tried &= places != held
            places = places.clamp(0, len(self._valid) - 1)
            tried = torch.nonzero(is_tried & self._valid[places]).squeeze(1)
            found = self._cost(self._pixels[tried], places[tried])
            whole = found + crowd[places[tried]]
            is_better = whole < best[tried]
            chosen = tried[is_better]
            held[chosen], costs[chosen] = places[chosen], found[is_better]
            best[chosen] = whole[is_better]
        self._field[self._pixels] = held
        self._costs[self._pixels] = costs

    def paint(self) -> None:
        """Average the patches into the picture, which the costs then refer to."""
        y, x = self._painted // self._width, self._painted % self._width
        sums = torch.zeros((len(self._painted), 3), dtype=torch.long, device=self._device)
        count = torch.zeros_like(self._painted)
        for down in range(-RADIUS, RADIUS + 1):
            for right in range(-RADIUS, RADIUS + 1):
                is_there = self._is_centre(y + down, x + right)
                neighbour = (self._painted + down * self._width + right).clamp(
                    0, len(self._field) - 1
                )
                place = self._field[neighbour] - down * 2 * self._width - right
                seen = self._style[place.clamp(0, len(self._style) - 1)].long()
                sums += torch.where(is_there[:, None], seen, 0)
                count += is_there
        mean = (sums + count[:, None] // 2) // count[:, None]
        self._picture[self._painted] = mean.to(torch.uint8)
        self._show(self._painted)
        self._measure_held()

    def result(self) -> tuple[Field, Costs, Image]:
        """The field, what it costs, and the picture."""
        shape = self._height, self._width
        return (
            self._field.cpu().numpy().astype(np.int32).reshape(shape),
            self._costs.cpu().numpy().astype(np.int32).reshape(shape),
            self._picture.cpu().numpy().reshape(*shape, 3),
        )

    def _moved(self, array: NDArray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)

    def _is_centre(self, y: Tensor, x: Tensor) -> Tensor:
        """Whether a whole patch of the frame is centred there."""
        inside = (y >= RADIUS) & (y < self._height - RADIUS)
        return inside & (x >= RADIUS) & (x < self._width - RADIUS)

    def _show(self, pixels: Tensor) -> None:
        """Put what is painted, and what is expected there, into the target's style channels."""
        own, expected = self._picture[pixels].long(), self._temporal[pixels].long()
        mixed = ((256 - self._share) * own + self._share * expected + 128) >> 8
        self._target[pixels, STYLE : STYLE + 3] = self._levels[mixed]

    def _measure_held(self) -> None:
        self._costs[self._pixels] = self._cost(self._pixels, self._field[self._pixels])

    def _cost(self, pixels: Tensor, places: Tensor) -> Tensor:
        """Of the patches at `places` for `pixels`, crowding left out."""
        total = torch.zeros_like(pixels)
        here, there = _rows(self._target.reshape(-1)), _rows(self._source)
        for down in range(-RADIUS, RADIUS + 1):
            one = here[pixels + down * self._width - RADIUS].int()
            two = there[places + down * 2 * self._width - RADIUS].int()
            total += (one - two).square().sum(dim=1)
        offset = self._position[places] - self._wanted[pixels]
        misplaced = self._problem.position_weight * offset.square().sum(dim=1) >> 8
        return total.clamp(max=int(FAR)) + misplaced.clamp(max=1 << 28)

    def _crowds(self) -> Tensor:
        """What a patch costs for being used more often than once a pixel, by its place."""
        inner = self._field.reshape(self._height, self._width)
        inner = inner[RADIUS : self._height - RADIUS, RADIUS : self._width - RADIUS]
        counts = torch.bincount(inner.reshape(-1), minlength=len(self._valid))
        wide = counts.reshape(1, 1, self._height, 2 * self._width).float()
        box = torch.ones((1, 1, SIDE, SIDE), device=self._device)
        sums = F.conv2d(wide, box, padding=RADIUS).round().long().reshape(-1)
        surplus = (sums - SIDE * SIDE).clamp(0, 100 * SIDE * SIDE)
        return surplus * self._problem.crowding // (SIDE * SIDE)

    def _of_neighbours(self, number: int, stride: int) -> tuple[Tensor, Tensor]:
        down = (stride, -stride, 0, 0)[number]
        right = (0, 0, stride, -stride)[number]
        y, x = self._pixels // self._width + down, self._pixels % self._width + right
        neighbour = (y * self._width + x).clamp(0, len(self._field) - 1)
        return self._field[neighbour] - down * 2 * self._width - right, self._is_centre(y, x)

    def _at_random(self, held: Tensor, number: int, reach: int, seed: int) -> tuple[Tensor, Tensor]:
        span = 2 * reach + 1
        first = _scrambled((self._pixels * 64 + number + seed * 7919) & _BITS)
        down = first % span - reach
        right = _scrambled(first) % span - reach
        y, x = held // (2 * self._width) + down, held % self._width + right
        is_inside = (y >= 0) & (y < self._height) & (x >= 0) & (x < self._width)
        return held + down * 2 * self._width + right, is_inside


def _rows(flat: Tensor) -> Tensor:
    """(pixels, 40): the bytes of five pixels from each one on, without copying."""
    return flat.as_strided((flat.numel() // CHANNELS - SIDE + 1, _ROW), (CHANNELS, 1))


def _scrambled(x: Tensor) -> Tensor:
    """`patch_kernels.scrambled` of 32 bits held in 64; products wrap around above them."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & _BITS
    x = ((x ^ (x >> 15)) * 0x846CA68B) & _BITS
    return x ^ (x >> 16)
