"""Choosing few combinations of values in which every pair that matters occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import product

Axis = tuple[str, tuple[str, ...]]
"""A name and the values it can have."""
Pair = tuple[str, str]
"""Names of two axes."""
Value = tuple[str, str]
"""An axis and one of its values."""
Fits = Callable[[Value, Value], bool]


def combinations(
    axes: Sequence[Axis], covered: Sequence[Pair], fits: Fits
) -> Iterator[dict[str, str]]:
    """Combinations, one value of each axis, in which all values fit each other.

    Of every pair of axes in `covered` every two values that can be had together occur together.
    Greedy: each combination begins with the first pair that is still missing, and takes on the
    values that bring the most other missing pairs. The same input gives the same combinations.
    """
    chooser = _Chooser(axes, covered, fits)
    for wanted in tuple(chooser.missing):
        if wanted not in chooser.missing:
            continue
        found = chooser.completed(dict(wanted))
        if found is None:
            continue
        chooser.take(found)
        yield found


def possible(axes: Sequence[Axis], fits: Fits) -> Callable[[Value, Value], bool]:
    """Tells of two values whether any combination holds both."""
    chooser = _Chooser(axes, (), fits)
    return lambda one, other: chooser.completed(dict((one, other))) is not None


class _Chooser:
    """What still has to occur, and how often each value was used."""

    def __init__(self, axes: Sequence[Axis], covered: Sequence[Pair], fits: Fits) -> None:
        values = dict(axes)
        everything = [(axis, value) for axis, held in axes for value in held]
        # An insertion-ordered set, so that nothing depends on hashes.
        self.missing: dict[tuple[Value, Value], None] = {
            ((one, a), (other, b)): None
            for one, other in covered
            for a, b in product(values[one], values[other])
            if fits((one, a), (other, b))
        }
        self._axes = axes
        self._covered = set(covered)
        self._used: Counter[Value] = Counter()
        self._fitting = {
            one: frozenset(other for other in everything if fits(one, other)) for one in everything
        }

    def completed(self, chosen: dict[str, str]) -> dict[str, str] | None:
        """`chosen` with a value of every other axis, or None if there is none that fits."""
        fitting = {
            name: [value for value in values if self._all_fit((name, value), chosen)]
            for name, values in self._axes
            if name not in chosen
        }
        return self._completed(chosen, fitting)

    def _completed(
        self, chosen: dict[str, str], fitting: dict[str, list[str]]
    ) -> dict[str, str] | None:
        """`fitting` are the values of every axis that is open, as far as they fit the chosen."""
        if not fitting:
            return {name: chosen[name] for name, _ in self._axes}
        # The axis with the fewest values left is decided first, so that dead ends show early.
        name = min(fitting, key=lambda axis: len(fitting[axis]))
        for value in sorted(fitting[name], key=lambda value: self._rank((name, value), chosen)):
            fits = self._fitting[name, value]
            left = {
                axis: [one for one in values if (axis, one) in fits]
                for axis, values in fitting.items()
                if axis != name
            }
            found = self._completed({**chosen, name: value}, left)
            if found is not None:
                return found
        return None

    def take(self, combination: dict[str, str]) -> None:
        """Count what occurs in `combination`."""
        values = list(combination.items())
        self._used.update(values)
        for one in values:
            for other in values:
                self.missing.pop((one, other), None)

    def _all_fit(self, value: Value, chosen: dict[str, str]) -> bool:
        return self._fitting[value].issuperset(chosen.items())

    def _rank(self, value: Value, chosen: dict[str, str]) -> tuple[int, int]:
        brought = sum(
            (value, other) in self.missing or (other, value) in self.missing
            for other in chosen.items()
        )
        return (-brought, self._used[value])
