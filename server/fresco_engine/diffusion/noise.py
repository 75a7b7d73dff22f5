"""The noise of a batch's frames: carried along the flow, the same for all, or each its own.

Noise is drawn on the CPU: a seed means the same on every device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from fresco_engine.correspondence.origins import Origins
from fresco_engine.settings import NoiseKind

_SEED_STRIDE = 7919
_SPLIT_SEED = 0x5EED
"""Keeps the noise that splits what is read twice apart from the noise of the frames."""
_LARGEST_SEED = 2**63


class Noise(Protocol):
    """Draws white noise of unit variance for all frames of a batch, again and again."""

    def draw(self) -> Tensor:
        """(f, c, h, w) float32 on the CPU; each call draws anew."""
        ...


def make_noise(
    kind: NoiseKind,
    *,
    seeds: Sequence[int],
    numbers: Sequence[int],
    shape: Sequence[int],
    origins: Sequence[Origins],
) -> Noise:
    """The noise of frames `numbers` with a seed each, for latents of `shape` (c, h, w).

    `origins` at the size of the pictures, whole multiples of the latents', are used by "flow".
    """
    if kind == "flow":
        return _CarriedNoise(seeds, origins, shape)
    return _FrameNoise(seeds if kind == "shared" else _own(seeds, numbers), shape)


def _own(seeds: Sequence[int], numbers: Sequence[int]) -> list[int]:
    """Seeds by the number of the frame, so that its noise does not depend on its batch."""
    return [_seed_of(seed, number) for seed, number in zip(seeds, numbers, strict=True)]


def _seed_of(seed: int, number: int) -> int:
    return seed + (1 + number) * _SEED_STRIDE


class _FrameNoise:
    """Noise from one source per frame; sources seeded alike give alike noise."""

    def __init__(self, seeds: Sequence[int], shape: Sequence[int]) -> None:
        self._sources = [_generator(seed) for seed in seeds]
        self._shape = (1, *shape)

    def draw(self) -> Tensor:
        rows = [torch.randn(self._shape, generator=source) for source in self._sources]
        return torch.cat(rows)


class _CarriedNoise:
    """Noise that belongs to what the frames show, and moves with it.

    Each frame has a field of white noise at the resolution of its pictures, of which a cell of
    the latents is the normalised sum. A frame reads the field of the frame that saw a pixel
    first. Read once, a pixel brings its noise; read m times, it is split into m independent
    pixels that together keep its sum, so that every frame's noise stays exactly white. After
    "How I Warped Your Noise" (ICLR 2024): the integral noise of Eq. 5 at a finite resolution.
    """

    def __init__(
        self, seeds: Sequence[int], origins: Sequence[Origins], shape: Sequence[int]
    ) -> None:
        self._shape = (shape[0], *origins[0].frame.shape)
        self._size = (shape[1], shape[2])
        self._seeds = tuple(seeds)
        self._readings = [_Reading.of(origin) for origin in origins]
        self._splits = [_generator(seed ^ _SPLIT_SEED) for seed in seeds]
        self._sources = {
            (seed, number): _generator(_seed_of(seed, number))
            for seed, reading in zip(seeds, self._readings, strict=True)
            for number in reading.numbers
        }

    def draw(self) -> Tensor:
        fields = {
            key: torch.randn(self._shape, generator=source).flatten(1)
            for key, source in self._sources.items()
        }
        frames = zip(self._seeds, self._readings, self._splits, strict=True)
        return torch.stack([self._frame(fields, *frame) for frame in frames])

    def _frame(
        self,
        fields: dict[tuple[int, int], Tensor],
        seed: int,
        reading: _Reading,
        split: torch.Generator,
    ) -> Tensor:
        noise = torch.empty(self._shape).flatten(1)
        for number, (here, there) in reading.numbers.items():
            noise[:, here] = fields[seed, number][:, there]
        return self._in_cells(reading.split(noise, split))

    def _in_cells(self, noise: Tensor) -> Tensor:
        """(c, H * W) → (c, h, w): sums over cells, of unit variance."""
        height, width = self._shape[1] // self._size[0], self._shape[2] // self._size[1]
        cells = noise.view(-1, self._size[0], height, self._size[1], width)
        return cells.sum((2, 4)) / (height * width) ** 0.5


@dataclass(frozen=True)
class _Reading:
    """Which pixels of a frame read which of other frames' fields; pixels counted row by row."""

    numbers: dict[int, tuple[Tensor, Tensor]]
    """By frame: pixels of this one, and the pixels of that one that they read."""
    repeated: Tensor
    """(r,) pixels that read what others read as well."""
    group: Tensor
    """(r,) which of them read the same."""
    share: Tensor
    """(r,) how many do."""

    @staticmethod
    def of(origins: Origins) -> _Reading:
        height, width = origins.frame.shape
        frame = origins.frame.flatten().cpu()
        # Rounding halves to even numbers would read every other pixel three times as often.
        x, y = (origins.place.flatten(1).cpu() + 0.5).floor().long()
        read = y.clamp(0, height - 1) * width + x.clamp(0, width - 1)
        numbers: dict[int, tuple[Tensor, Tensor]] = {}
        for number in frame.unique().tolist():
            here = (frame == number).nonzero()[:, 0]
            numbers[number] = here, read[here]
        _, group, counts = torch.unique(
            frame * (height * width) + read, return_inverse=True, return_counts=True
        )
        repeated = (counts[group] > 1).nonzero()[:, 0]
        _, group = torch.unique(group[repeated], return_inverse=True)
        return _Reading(numbers, repeated, group, torch.bincount(group)[group])

    def split(self, noise: Tensor, source: torch.Generator) -> Tensor:
        """`noise` (c, n) with what is read m times split into m independent parts of it."""
        if not len(self.repeated):
            return noise
        own = torch.randn((len(noise), len(self.repeated)), generator=source)
        share = self.share.to(own)
        sums = torch.zeros(len(noise), int(self.group.max()) + 1).index_add_(1, self.group, own)
        rest = own - sums[:, self.group] / share
        noise[:, self.repeated] = noise[:, self.repeated] / share.sqrt() + rest
        return noise


def _generator(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed % _LARGEST_SEED)
