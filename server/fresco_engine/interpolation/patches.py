"""Searching for the patches of a key that fit a frame best, and painting with them.

A *field* says for every pixel of the frame which place of the source its patch comes from. The
source is two pictures side by side (h, 2w): the key as it is, and the key as flow carries it to
the frame. All arithmetic is in whole numbers, so every implementation gives the same field.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.interpolation import patch_kernels
from fresco_engine.interpolation.patch_kernels import RADIUS, SIDE, Costs, Field


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchProblem:
    """What a search is about, on one level of the pyramid.

    Channels are scaled so that a difference counts as its guide's weight says. `position` is the
    place in the key that a place of the source shows, `wanted` the one that flow predicts for a
    pixel of the frame; `position_weight` is what a whole pixel squared costs. `crowding` is what
    a patch costs per surplus use of its pixels.
    """

    target: NDArray[np.uint8]  # h w 8
    source: NDArray[np.uint8]  # h 2w 8
    style: Image  # h 2w 3
    position: NDArray[np.int16]  # h 2w 2, (y, x) in quarters of a pixel
    wanted: NDArray[np.int16]  # h w 2
    position_weight: int
    crowding: int
    style_levels: NDArray[np.uint8]  # 256: a style value as its channel holds it
    temporal: Image | None  # h w 3, the frame before as it is expected here
    temporal_share: int  # of 256
    pixels: NDArray[np.int32]  # whose patches are searched, y * w + x, none near the border
    painted: NDArray[np.int32]  # whose colours these patches decide

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the frame."""
        return self.target.shape[0], self.target.shape[1]


class Search(Protocol):
    """A search under way."""

    def consider(self, field: Field) -> None:
        """Take over from `field` what fits better than what is held."""
        ...

    def improve(self, stride: int, radii: tuple[int, ...], seed: int) -> None:
        """Let every pixel try its four neighbours' patches and random places around its own."""
        ...

    def paint(self) -> None:
        """Average the patches into the picture, which the costs then refer to."""
        ...

    def result(self) -> tuple[Field, Costs, Image]:
        """The field, what it costs, and the picture."""
        ...


class Patches(Protocol):
    """Where searches are carried out."""

    def begin(self, problem: PatchProblem, field: Field, picture: Image) -> Search:
        """A search that starts from `field` and from `picture` (h, w, 3)."""
        ...


class CpuPatches:
    """Searches on the processor; `threads` share the pixels of every search."""

    def __init__(self, threads: Executor | None = None, shares: int = 1) -> None:
        self._threads = threads
        self._shares = shares if threads is not None else 1

    def begin(self, problem: PatchProblem, field: Field, picture: Image) -> Search:
        """A search that starts from `field` and from `picture` (h, w, 3)."""
        return _CpuSearch(problem, field, picture, self)

    def spread(self, kernel: Callable[..., None], count: int, *arguments: object) -> None:
        """Run `kernel(*arguments, begin, end)` over `count` pixels."""
        edges = np.linspace(0, count, self._shares + 1).astype(int)
        if self._threads is None or count < 4096:
            kernel(*arguments, 0, count)
            return
        jobs = [
            self._threads.submit(kernel, *arguments, int(begin), int(end))
            for begin, end in pairwise(edges)
        ]
        for job in jobs:
            job.result()


class _CpuSearch:
    def __init__(
        self, problem: PatchProblem, field: Field, picture: Image, owner: CpuPatches
    ) -> None:
        height, width = problem.size
        self._problem, self._owner = problem, owner
        self._field = field.copy()
        self._picture = picture.copy()
        self._target = problem.target.copy()
        self._costs = np.zeros((height, width), np.int32)
        self._valid = valid_centres(height, width)
        self._temporal = picture if problem.temporal is None else problem.temporal
        self._share = 0 if problem.temporal is None else problem.temporal_share
        patch_kernels.mix(self._target, picture, self._temporal, self._share, problem.style_levels)
        self._measure(self._field, self._costs)

    def consider(self, field: Field) -> None:
        """Take over from `field` what fits better than what is held."""
        costs = self._costs.copy()
        self._measure(field, costs)
        is_better = costs < self._costs
        np.copyto(self._field, field, where=is_better)
        np.copyto(self._costs, costs, where=is_better)

    def improve(self, stride: int, radii: tuple[int, ...], seed: int) -> None:
        """Let every pixel try its four neighbours' patches and random places around its own."""
        p = self._problem
        field, costs = self._field.copy(), self._costs.copy()
        self._owner.spread(
            patch_kernels.improve,
            len(p.pixels),
            self._target.ravel(),
            p.source.ravel(),
            p.position.reshape(-1, 2),
            p.wanted.reshape(-1, 2),
            p.position_weight,
            crowds(self._field, p).ravel(),
            self._valid,
            self._field,
            self._costs,
            field,
            costs,
            p.pixels,
            stride,
            np.array(radii, np.int32),
            seed,
        )
        self._field, self._costs = field, costs

    def paint(self) -> None:
        """Average the patches into the picture, which the costs then refer to."""
        p = self._problem
        self._owner.spread(
            patch_kernels.paint,
            len(p.painted),
            p.style.reshape(-1, 3),
            self._field,
            self._picture,
            self._target,
            self._temporal,
            self._share,
            p.style_levels,
            p.painted,
        )
        self._measure(self._field, self._costs)

    def result(self) -> tuple[Field, Costs, Image]:
        """The field, what it costs, and the picture."""
        return self._field, self._costs, self._picture

    def _measure(self, field: Field, costs: Costs) -> None:
        p = self._problem
        self._owner.spread(
            patch_kernels.measure,
            len(p.pixels),
            self._target.ravel(),
            p.source.ravel(),
            p.position.reshape(-1, 2),
            p.wanted.reshape(-1, 2),
            p.position_weight,
            field,
            costs,
            p.pixels,
        )


def valid_centres(height: int, width: int) -> NDArray[np.uint8]:
    """(h * 2w,): 1 where a whole patch of one of the two source pictures can be centred."""
    valid = np.zeros((height, 2, width), np.uint8)
    valid[RADIUS : height - RADIUS, :, RADIUS : width - RADIUS] = 1
    return valid.ravel()


def crowds(field: Field, problem: PatchProblem) -> NDArray[np.int32]:
    """(h, 2w): what a patch centred there costs for being used more often than once a pixel.

    Source: the uniformity term of *Fast Example-Based Stylization with Local Guidance*.
    """
    height, width = problem.size
    inner = np.ascontiguousarray(field[RADIUS : height - RADIUS, RADIUS : width - RADIUS])
    counts = np.bincount(inner.ravel(), minlength=2 * height * width)
    counts = counts.reshape(height, 2 * width).astype(np.float32)
    sums = cv2.boxFilter(counts, -1, (SIDE, SIDE), normalize=False, borderType=cv2.BORDER_CONSTANT)
    surplus = np.maximum(np.rint(sums).astype(np.int32) - SIDE * SIDE, 0)
    return np.minimum(surplus, 100 * SIDE * SIDE) * np.int32(problem.crowding) // (SIDE * SIDE)
