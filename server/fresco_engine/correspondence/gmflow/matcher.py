"""Pictures in, flow out: GMFlow on a device, for pictures of any size and any number of pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from fresco_media.types import Image
from torch import Tensor

from fresco_engine.correspondence.flow import Flow, Pair
from fresco_engine.correspondence.gmflow.network import MULTIPLE, GmFlowNetwork

Item = TypeVar("Item")
_LEAST_SIDE = 2 * MULTIPLE
"""Below it, windows have no half to be shifted by."""
_PIXELS_ON_CUDA = 1 << 22
_PIXELS_ELSEWHERE = 1 << 19
"""Pixels of the pairs that are matched together: nine pairs of 512x896, or one.

A pixel of a pair takes about 600 bytes (measured on a processor) besides the scores that
`matching.attend` holds: 2.5 GB on CUDA. One pair is enough to keep all cores of a processor busy.
"""


class GmFlowMatcher:
    """Finds the flow of pairs with a network, which moves to `device` when it is first used.

    Weights of any precision are worked with in float32: positions of pixels need as much.
    """

    def __init__(self, network: GmFlowNetwork, device: Callable[[], str] = lambda: "cpu") -> None:
        self._network = network.float().eval().requires_grad_(False)
        self._choose_device = device
        self._device: torch.device | None = None

    def both_ways(self, pairs: Sequence[Pair]) -> list[tuple[Flow, Flow]]:
        """The flow there and back of each pair, all pictures of one size.

        Every picture is encoded once, in however many pairs it is.
        """
        if not pairs:
            return []
        pictures = {id(picture): picture for pair in pairs for picture in pair}
        places = {name: place for place, name in enumerate(pictures)}
        height, width = pairs[0][0].shape[:2]
        count = self.at_once(height, width)
        with torch.no_grad():
            features = torch.cat(
                [self._encoded(part) for part in _parts(pictures.values(), 2 * count)]
            )
            flows: list[tuple[Flow, Flow]] = []
            for part in _parts(pairs, count):
                first, second = (
                    features[[places[id(pair[way])] for pair in part]] for way in (0, 1)
                )
                there, back = (_flows(way, height, width) for way in self._network(first, second))
                flows += zip(there, back, strict=True)
        return flows

    def at_once(self, height: int, width: int) -> int:
        """How many pairs of such pictures are matched together."""
        is_cuda = self._on_device().type == "cuda"
        most = _PIXELS_ON_CUDA if is_cuda else _PIXELS_ELSEWHERE
        return max(1, most // (height * width))

    def _on_device(self) -> torch.device:
        if self._device is None:
            self._device = torch.device(self._choose_device())
            self._network.to(self._device)
        return self._device

    def _encoded(self, pictures: Sequence[Image]) -> Tensor:
        stacked = torch.from_numpy(np.stack(pictures)).to(self._on_device())
        return self._network.encode(_padded(stacked.permute(0, 3, 1, 2).float()))


def _padded(pictures: Tensor) -> Tensor:
    """(b, 3, h, w) with as much of the border repeated on each side as the network needs."""
    height, width = pictures.shape[-2:]
    top, left = _margins(height), _margins(width)
    return F.pad(pictures, (*left, *top), mode="replicate")


def _margins(length: int) -> tuple[int, int]:
    """What is added before and behind a side of this length."""
    missing = max(_LEAST_SIDE, -(-length // MULTIPLE) * MULTIPLE) - length
    return missing // 2, missing - missing // 2


def _flows(maps: Tensor, height: int, width: int) -> list[Flow]:
    """(b, 2, H, W) without what was padded, as (h, w, 2) arrays of their own."""
    top, left = _margins(height)[0], _margins(width)[0]
    inner = maps[..., top : top + height, left : left + width].permute(0, 2, 3, 1)
    return [np.ascontiguousarray(flow.cpu().numpy(), np.float32) for flow in inner]


def _parts(items: Iterable[Item], count: int) -> Iterator[list[Item]]:
    """`items` in lists of `count`, the last of which may be shorter."""
    held = list(items)
    for begin in range(0, len(held), count):
        yield held[begin : begin + count]
