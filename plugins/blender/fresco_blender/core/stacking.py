"""Room in a stack of strips: which have to go up so that one fits in without covering any."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from .timing import Span

CHANNELS = 128
"""Of a sequencer; they are counted from 1."""


@dataclass(frozen=True, kw_only=True)
class StackItem:
    """A strip as far as its place matters; whoever asks knows which one it is by `number`."""

    number: int
    channel: int
    span: Span
    is_fixed: bool = False
    """Whether it may not be moved."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """A channel, and what has to be moved before it is free: numbers and channels, topmost first.

    To move them in this order never puts one where another still is.
    """

    channel: int
    moves: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Strips of one timeline, or of one meta strip, and its channels that nothing is put into."""

    items: Sequence[StackItem]
    muted: Collection[int] = field(default_factory=frozenset[int])
    locked: Collection[int] = field(default_factory=frozenset[int])

    def room(self, wanted: Span, above: int) -> Room | None:
        """Room for a strip over `wanted`, directly above a channel: what is over it stays so.

        None if something that is seen may not be moved, or no channel is left.
        """
        channel, moving = above, [StackItem(number=-1, channel=above, span=wanted)]
        moves: list[tuple[int, int]] = []
        place = 0
        while moving:
            following = self._next_open(channel)
            if following is None or self._is_barred(moving, channel, following):
                return None
            moves += [(item.number, following) for item in moving]
            place = place or following
            moving = self._touched(moving, following)
            if any(item.is_fixed for item in moving):
                return None
            channel = following
        return Room(channel=place, moves=tuple(reversed(moves[1:])))

    def is_free(self, wanted: Span, channel: int) -> bool:
        """Whether a strip could be put there as it is."""
        is_open = channel not in self.muted and channel not in self.locked
        probe = StackItem(number=-1, channel=channel, span=wanted)
        return is_open and not self._touched([probe], channel)

    def lowest(self, span: Span, channel: int, bottom: int) -> int:
        """How far down a strip gets from a channel, at most to `bottom`, past none it lies over."""
        probe = StackItem(number=-1, channel=channel, span=span)
        lowest = channel
        for number in range(channel - 1, bottom - 1, -1):
            if self.is_free(span, number):
                lowest = number
            elif number not in self.muted and self._touched([probe], number):
                break
        return lowest

    def _next_open(self, channel: int) -> int | None:
        closed = {*self.muted, *self.locked}
        numbers = range(channel + 1, CHANNELS + 1)
        return next((number for number in numbers if number not in closed), None)

    def _is_barred(self, moving: list[StackItem], low: int, high: int) -> bool:
        """Whether these would jump over what is seen, in locked channels in between."""
        seen = [number for number in range(low + 1, high) if number not in self.muted]
        return any(self._touched(moving, number) for number in seen)

    def _touched(self, moving: list[StackItem], channel: int) -> list[StackItem]:
        """What lies in a channel and is over or under one of these."""
        return [
            item
            for item in self.items
            if item.channel == channel
            and any(item.span.cut_to(other.span).length for other in moving)
        ]
