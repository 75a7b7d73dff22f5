"""Which parts of a run can be made when: a graph, the longest way through it first."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from fresco_engine.interpolation.keyframe_span import KeyframeSpan
from fresco_engine.parts import BatchPart, Part, SpanPart

Node = TypeVar("Node")

FRAME_COST = 0.4
"""What a frame between keyframes costs, in denoising steps of a keyframe; see `docs/cluster.md`."""
ENCODE_COST = 0.1
"""What it costs the daemon to encode a frame, which it does in the order of the clip."""


class PartGraph(Generic[Node]):
    """Nodes that wait for others, each taken once.

    `needs` names the places of those that have to be done before; they come earlier in `nodes`.
    Of those that can be taken the one comes first behind which the most work waits (critical path
    scheduling), and of equal ones the earlier. `tails` are what waits behind each node beside
    others. Whatever is asked costs no more than the logarithm of the number of nodes.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        needs: Sequence[Iterable[int]],
        costs: Sequence[float],
        done: Iterable[int] = (),
        tails: Sequence[float] | None = None,
    ) -> None:
        self.nodes = tuple(nodes)
        self._followers: list[list[int]] = [[] for _ in nodes]
        self._lacks = [0] * len(self.nodes)
        for place, needed in enumerate(needs):
            for before in set(needed):
                self._followers[before].append(place)
                self._lacks[place] += 1
        self.ranks = _ranks(costs, tails or [0.0] * len(self.nodes), self._followers)
        self._done: set[int] = set()
        self._under_way: set[int] = set()
        self._ready: list[tuple[float, int]] = []
        for place in sorted(done):
            self.finish(place)
        for place in range(len(self.nodes)):
            if not self._lacks[place] and place not in self._done:
                self._offer(place)

    @property
    def next(self) -> int | None:
        """The place of the node to take now; None if none can be taken."""
        while self._ready and self._ready[0][1] in self._done:
            heapq.heappop(self._ready)
        return self._ready[0][1] if self._ready else None

    def take(self) -> int:
        """Begin with the node at `next`, which there is."""
        place = self.next
        assert place is not None
        heapq.heappop(self._ready)
        self._under_way.add(place)
        return place

    def give_back(self, place: int) -> None:
        """A node that was begun has to be begun anew."""
        if place in self._under_way:
            self._under_way.remove(place)
            self._offer(place)

    def finish(self, place: int) -> None:
        """A node is done, and those that waited for it may be taken."""
        if place in self._done:
            return
        was_under_way = place in self._under_way
        self._done.add(place)
        self._under_way.discard(place)
        for after in self._followers[place]:
            self._lacks[after] -= 1
            if was_under_way and not self._lacks[after] and after not in self._done:
                self._offer(after)

    def is_done(self, place: int) -> bool:
        """Whether a node is done."""
        return place in self._done

    @property
    def done_count(self) -> int:
        """How many nodes are done."""
        return len(self._done)

    @property
    def are_under_way(self) -> bool:
        """Whether anything that was begun is not done."""
        return bool(self._under_way)

    def _offer(self, place: int) -> None:
        heapq.heappush(self._ready, (-self.ranks[place], place))


def _ranks(
    costs: Sequence[float], tails: Sequence[float], followers: Sequence[Sequence[int]]
) -> tuple[float, ...]:
    """The cost of each node and of the longest way behind it."""
    ranks = list(costs)
    for place in reversed(range(len(ranks))):
        behind = (ranks[after] for after in followers[place])
        ranks[place] += max(tails[place], max(behind, default=0.0))
    return tuple(ranks)


class RunGraph(PartGraph[Part]):
    """The graph of a planned run; what is stored is done.

    Behind every part waits the encoding from its first frame on: without it the spans of a long
    clip, which are all about as long, would be made in any order, and encoded only at the end.
    """

    def __init__(self, parts: Sequence[Part], is_stored: Callable[[Part], bool]) -> None:
        self._batches: dict[int, int] = {}
        self._spans: dict[KeyframeSpan, int] = {}
        batch_of: dict[int, int] = {}
        for place, part in enumerate(parts):
            if isinstance(part, BatchPart):
                self._batches[part.batch.new[0]] = place
                batch_of |= dict.fromkeys(part.batch.new, place)
            else:
                self._spans[part.span] = place
        needs = [_needs(part, batch_of) for part in parts]
        done = [place for place, part in enumerate(parts) if is_stored(part)]
        starts = list(map(_start_of, parts))
        last = max(starts, default=0)
        tails = [ENCODE_COST * (last - start) for start in starts]
        super().__init__(parts, needs, list(map(cost_of, parts)), done, tails)

    def has_batch(self, first: int) -> bool:
        """Whether the batch is done whose first new keyframe is `first`."""
        return first in self._batches and self.is_done(self._batches[first])

    def has_span(self, span: KeyframeSpan) -> bool:
        """Whether the frames of a span are done."""
        return span in self._spans and self.is_done(self._spans[span])

    @property
    def done_batches(self) -> set[int]:
        """First new keyframes of the batches that are done."""
        return {first for first, place in self._batches.items() if self.is_done(place)}


def _needs(part: Part, batch_of: Mapping[int, int]) -> set[int]:
    if isinstance(part, SpanPart):
        return {batch_of[key] for key in part.keyframes}
    return {batch_of[key] for key in part.records}


def _start_of(part: Part) -> int:
    return part.span.start if isinstance(part, SpanPart) else part.batch.new[0]


def cost_of(part: Part) -> float:
    """What a part costs, in denoising steps of one keyframe."""
    if isinstance(part, SpanPart):
        return FRAME_COST * len(part.span.frames)
    return float(part.steps * len(part.batch.frames))


def activity_of(part: Part | None) -> str:
    """What somebody who makes a part does, in words."""
    match part:
        case None:
            return "the plan"
        case BatchPart(batch=batch) if len(batch.new) == 1:
            return f"keyframe {batch.new[0]}"
        case BatchPart(batch=batch):
            return f"keyframes {batch.new[0]} to {batch.new[-1]}"
        case SpanPart(span=span) if len(span.frames) == 1:
            return f"frame {span.frames[0]}"
        case SpanPart(span=span):
            return f"frames {span.frames[0]} to {span.frames[-1]}"
