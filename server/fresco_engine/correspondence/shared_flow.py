"""Flow between pairs of pictures, each pair worked out once for whoever asks for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from threading import Lock
from typing import TypeVar

import numpy as np
from fresco_media.types import Image

from fresco_engine.correspondence.flow import DisFlow, Flow, Pair, PairFinder

Item = TypeVar("Item")
_Name = tuple[bytes, bytes]
_HELD_BYTES = 512 << 20
"""Pairs of 512x896 are held 73 at a time: both ways between two keyframes, all steps once."""


class SharedFlow:
    """An estimator for all stages of a run that remembers the pairs it was asked for last.

    Both keys of a segment ask for the same steps, one there and one back; a batch's first link is
    that which closed the ring of the batch before; neighbouring keyframes are a step as well. So
    a pair is known by what its pictures show, in either order. `held_bytes` bounds what is kept.
    May be called by several threads; the finder is by one at a time.
    """

    def __init__(self, finder: PairFinder, held_bytes: int = _HELD_BYTES) -> None:
        self._finder = finder
        self._held_bytes = held_bytes
        self._bytes = 0
        self._known: OrderedDict[_Name, tuple[Flow, Flow]] = OrderedDict()
        # Held while flow is found, too: who asks for the same pair meanwhile waits for it.
        self._lock = Lock()
        self._refining = DisFlow("quick")

    def __call__(self, first: Image, second: Image) -> Flow:
        """The flow from `first` to `second`, two pictures of one size; not to be written to."""
        return self.both_ways([(first, second)])[0][0]

    def both_ways(self, pairs: Sequence[Pair]) -> list[tuple[Flow, Flow]]:
        """The flow there and back of each pair, in order; not to be written to.

        Raises:
            ValueError: the pictures differ in size.
        """
        sizes = {picture.shape for pair in pairs for picture in pair}
        if len(sizes) > 1:
            shown = " and ".join(map(str, sorted(sizes)))
            raise ValueError(f"there is no flow between pictures of {shown}")
        names = [(_digest(first), _digest(second)) for first, second in pairs]
        with self._lock:
            found = self._recalled(names)
            missing = {
                name: pair
                for name, pair in zip(names, pairs, strict=True)
                if name not in found and _turned(name) not in found
            }
            asked = _one_way_each(missing)
            flows = self._finder.both_ways(list(asked.values())) if asked else []
            for name, flow in zip(asked, flows, strict=True):
                found[name] = flow
                self._remember(name, flow)
        return [found[name] if name in found else _turned(found[_turned(name)]) for name in names]

    def at_once(self, height: int, width: int) -> int:
        """How many pairs of such pictures are worked on in one go."""
        return self._finder.at_once(height, width)

    def refine(self, first: Image, second: Image, guess: Flow) -> Flow:
        """The flow from `first` to `second` searched for around `guess`, by dense inverse search.

        Matching all with all has no use for a guess.
        """
        return self._refining.refine(first, second, guess)

    def _recalled(self, names: Sequence[_Name]) -> dict[_Name, tuple[Flow, Flow]]:
        """Those that are known, held here even if what is found now takes their place."""
        found: dict[_Name, tuple[Flow, Flow]] = {}
        for name in names:
            known = name if name in self._known else _turned(name)
            if known in self._known:
                found[known] = self._known[known]
                self._known.move_to_end(known)
        return found

    def _remember(self, name: _Name, flow: tuple[Flow, Flow]) -> None:
        self._known[name] = flow
        self._bytes += _size(flow)
        while self._bytes > self._held_bytes:
            _, oldest = self._known.popitem(last=False)
            self._bytes -= _size(oldest)


def _one_way_each(pairs: dict[_Name, Pair]) -> dict[_Name, Pair]:
    """`pairs` without those that are another one's way back."""
    kept: dict[_Name, Pair] = {}
    for name, pair in pairs.items():
        if _turned(name) not in kept:
            kept[name] = pair
    return kept


def _turned(pair: tuple[Item, Item]) -> tuple[Item, Item]:
    return pair[1], pair[0]


def _digest(picture: Image) -> bytes:
    name = blake2b(str(picture.shape).encode(), digest_size=16)
    name.update(np.ascontiguousarray(picture).data)
    return name.digest()


def _size(flow: tuple[Flow, Flow]) -> int:
    return sum(way.nbytes for way in flow)
