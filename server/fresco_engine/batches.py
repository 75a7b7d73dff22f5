"""Batches: which keyframes of a shot are translated together, and in which order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import zip_longest

_OPENING = 2
"""Anchors that a batch begins with: the shot's first keyframe, and the one that it follows."""
_LEAST_ROOM = 3
"""New keyframes beside these from which on it pays to translate some ahead of the others."""


@dataclass(frozen=True)
class Batch:
    """Keyframes translated together: `anchors` are known from earlier batches, `new` are not.

    Anchors are none, or the shot's first keyframe and the one that the new ones follow, or these
    and the one that follows the new ones. Where the batch `is_ahead`, each new keyframe is an
    anchor of others.
    """

    anchors: tuple[int, ...]
    new: tuple[int, ...]
    is_ahead: bool = False

    @property
    def frames(self) -> tuple[int, ...]:
        """All frames of the batch in ascending order."""
        return tuple(sorted((*self.anchors, *self.new)))

    @property
    def opening(self) -> tuple[int, ...]:
        """The anchors that it begins with; the second is no neighbour of the first."""
        return self.anchors[:_OPENING]


@dataclass(frozen=True)
class Chain:
    """Keyframes of a shot whose batches follow each other.

    `first` is the shot's first keyframe. `before` is the keyframe that the first batch follows,
    None where the shot begins; `after` is the one that follows the last batch, where that is known
    by then. Where the chain `is_ahead` its batches are.
    """

    first: int
    keyframes: tuple[int, ...]
    before: int | None = None
    after: int | None = None
    is_ahead: bool = False

    def batches(self, batch_size: int, done: int = 0) -> tuple[Batch, ...]:
        """Those of at most `batch_size` frames after the first `done` keyframes.

        Every keyframe is new exactly once. Batches begin with two anchors, the shot's first
        keyframe and the last of the batch before (section 3.5 of FRESCO). The last two batches are
        evened out, so that the last is never left with a frame or two. Batches of one have no room
        for anchors. What is left to do after any batch is split as it would have been from the
        beginning.
        """
        closing = () if self.after is None or batch_size == 1 else (self.after,)
        is_begun = done > 0 or self.before is not None
        left = len(self.keyframes) - done
        counts = _new_counts(left + len(closing), batch_size, is_begun=is_begun) if left else []
        batches: list[Batch] = []
        for place, count in enumerate(counts):
            is_last = place == len(counts) - 1
            new = self.keyframes[done : done + count]
            if new:
                known = self._opening(done) if batch_size > 1 else ()
                has_room = is_last and known and len(new) < count
                batches.append(Batch((*known, *closing) if has_room else known, new, self.is_ahead))
            done += count
        return tuple(batches)

    def _opening(self, done: int) -> tuple[int, ...]:
        before = self.keyframes[done - 1] if done else self.before
        return () if before is None or before == self.first else (self.first, before)


def _new_counts(total: int, batch_size: int, *, is_begun: bool) -> list[int]:
    """How many new keyframes each batch holds."""
    if batch_size == 1:
        return [1] * total
    room = batch_size - _OPENING
    first = [] if is_begun else [min(total, batch_size)]
    rest = total - sum(first)
    counts = [n for n in (*first, *[room] * (rest // room), rest % room) if n]
    if len(counts) < 2:
        return counts
    known_before = 0 if len(counts) == 2 and not is_begun else _OPENING
    surplus = (counts[-2] + known_before) - (counts[-1] + _OPENING)
    counts[-2] -= surplus // 2
    counts[-1] += surplus // 2
    return counts


def keyframes_ahead(keyframes: Sequence[int], batch_size: int, every: int) -> tuple[int, ...]:
    """Keyframes of a shot to translate ahead of those between them, one of `every` few batches.

    The first of them is the last keyframe of the shot's first batch, the last one is the shot's
    last. What lies between two of them then fills `every` batches, and needs these two alone; none
    where that leaves as much to do one after the other as there is without.
    """
    room, rest = batch_size - _OPENING, len(keyframes) - batch_size
    if not every or room < _LEAST_ROOM or rest <= 0:
        return ()
    sections = -(-rest // (every * room))
    if -(-sections // room) + every >= -(-rest // room):
        return ()
    places = (batch_size - 1 + round(rest * n / sections) for n in range(sections + 1))
    return tuple(keyframes[place] for place in places)


class BatchOrder:
    """The order in which a shot's keyframes are translated, and how far that is.

    Those `ahead` are translated before what lies between them, but not before it is their turn in
    time, so that whoever works alone can tell of keyframes in order.
    """

    def __init__(self, keyframes: tuple[int, ...], ahead: Set[int]) -> None:
        chosen = tuple(key for key in keyframes if key in ahead)
        self._chains = deque(_sections(keyframes, chosen))
        self._ahead = Chain(
            keyframes[0], chosen[1:], before=min(chosen, default=None), is_ahead=True
        )
        self._done = self._done_ahead = 0

    @property
    def next(self) -> tuple[Chain, int] | None:
        """The chain to go on with, and how many of its keyframes are done; None at the end."""
        chain = self._chains[0] if self._chains else None
        waiting = self._ahead.keyframes[self._done_ahead :][:1]
        if waiting and (chain is None or _latest_anchor(chain) >= waiting[0]):
            return self._ahead, self._done_ahead
        return None if chain is None else (chain, self._done)

    def advance(self, batch: Batch) -> None:
        """A batch of the chain at `next` is done."""
        if batch.is_ahead:
            self._done_ahead += len(batch.new)
            return
        self._done += len(batch.new)
        if self._done == len(self._chains[0].keyframes):
            self._chains.popleft()
            self._done = 0


def _latest_anchor(chain: Chain) -> int:
    return max(key for key in (chain.first, chain.before, chain.after) if key is not None)


def _sections(keyframes: tuple[int, ...], ahead: tuple[int, ...]) -> Iterator[Chain]:
    """The shot's beginning, up to the first of those `ahead`, and what each leaves to the next."""
    first, places = keyframes[0], {key: place for place, key in enumerate(keyframes)}
    if not ahead:
        yield Chain(first, keyframes)
        return
    yield Chain(first, keyframes[: places[ahead[0]] + 1])
    for before, after in zip_longest(ahead, ahead[1:]):
        between = keyframes[places[before] + 1 : None if after is None else places[after]]
        if between:
            yield Chain(first, between, before, after)


def in_order(
    keyframes: tuple[int, ...], ahead: Set[int], batch_of: Callable[[Chain, int], Batch]
) -> Iterator[Batch]:
    """The batches of a shot; `batch_of` says which follows so many keyframes of a chain."""
    order = BatchOrder(keyframes, ahead)
    while (place := order.next) is not None:
        batch = batch_of(*place)
        yield batch
        order.advance(batch)


def plan_batches(
    keyframes: Sequence[int], batch_size: int, ahead: Iterable[int] = ()
) -> tuple[Batch, ...]:
    """The batches of a shot in their order, see `Chain.batches`."""
    if not keyframes:
        return ()
    return tuple(
        in_order(tuple(keyframes), frozenset(ahead), lambda part, n: part.batches(batch_size, n)[0])
    )
