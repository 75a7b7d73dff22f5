"""Where in a batch each pixel was first seen: flows composed into one, instead of hop by hop.

What is read through the composed flow is resampled once, however many frames lie between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fresco_engine.correspondence.warp import bilinear_taps, targets

_GRID = 16
"""Places are kept to a sixteenth of a pixel."""
_MOST_FRAMES = 16
"""Frames that one frame's pixels may come from; what is left of further ones counts as new."""
_SPREAD = 2.0
"""Pixels between neighbouring places beyond which they belong to different things."""


@dataclass(frozen=True)
class Origins:
    """Where the pixels of one frame were first seen."""

    frame: Tensor
    """(h, w) int64: the number of the frame; that of the frame itself for what is new in it."""
    place: Tensor
    """(2, h, w) float32: x and y there, in pixels, to a sixteenth."""

    @staticmethod
    def of_itself(number: int, height: int, width: int, device: torch.device | str) -> Origins:
        """A frame in which everything is new."""
        frame = torch.full((height, width), number, device=device)
        return Origins(frame, targets(torch.zeros(2, height, width, device=device)))


def trace_origins(
    backward: Tensor,
    continues: Tensor,
    numbers: Sequence[int],
    before: Origins | None = None,
) -> list[Origins]:
    """The origins of f frames, of which the first is all new unless `before` are its own.

    `backward` (f - 1, 2, h, w) leads from each frame to the one before it; `continues`
    (f - 1, h, w) bool says which pixels the frame before shows. `numbers` are the f frames'.
    """
    height, width = backward.shape[-2:]
    first = before or Origins.of_itself(numbers[0], height, width, backward.device)
    traced = [first]
    for flow, known, number in zip(backward.float(), continues, numbers[1:], strict=True):
        traced.append(_next(traced[-1], flow, known, number))
    return traced


def _next(before: Origins, flow: Tensor, known: Tensor, number: int) -> Origins:
    height, width = before.frame.shape
    new = Origins.of_itself(number, height, width, flow.device)
    frame, place = _read(before, flow)
    known = known & _is_frequent(frame, known)
    return Origins(torch.where(known, frame, new.frame), torch.where(known, place, new.place))


def _read(before: Origins, flow: Tensor) -> tuple[Tensor, Tensor]:
    """`before` read where `flow` leads: between pixels of one thing evenly, else the nearest."""
    taps, weights = (x[0] for x in bilinear_taps(flow[None]))  # n 4 each
    frames, places = before.frame.flatten()[taps], before.place.flatten(1)[:, taps]
    nearest = weights.argmax(1, keepdim=True)
    frame = frames.gather(1, nearest)[:, 0]
    is_one = (frames == frame[:, None]).all(1)
    is_one &= ((places.amax(2) - places.amin(2)) < _SPREAD).all(0)
    even = (places * weights).sum(2)
    stepped = _of_nearest(places, taps, nearest, flow)
    place = torch.where(is_one, even, stepped)
    place = (place * _GRID).round() / _GRID
    return frame.view_as(before.frame), place.view_as(before.place)


def _of_nearest(places: Tensor, taps: Tensor, nearest: Tensor, flow: Tensor) -> Tensor:
    """(2, n): the nearest pixel's place, and the rest of the way as it is in this frame."""
    height, width = flow.shape[-2:]
    tap = taps.gather(1, nearest)[:, 0]
    reached = torch.stack([tap % width, tap // width]).to(flow)
    limit = flow.new_tensor([width - 1, height - 1])[:, None]
    rest = targets(flow).flatten(1).clamp(torch.zeros_like(limit), limit) - reached
    return places.gather(2, nearest.expand(2, -1, -1))[..., 0] + rest


def _is_frequent(frame: Tensor, known: Tensor) -> Tensor:
    """(h, w) bool: the pixel comes from one of the few frames that most pixels come from."""
    numbers, counts = torch.unique(frame[known], return_counts=True)
    if len(numbers) <= _MOST_FRAMES:
        return torch.ones_like(known)
    most = numbers[counts.argsort(descending=True, stable=True)[:_MOST_FRAMES]]
    return torch.isin(frame, most)
