"""Which number in the names of pictures counts their frames, and which pictures belong together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fresco_media.stills.numbered import NumberedName, NumberPlace, is_version, number_places

Numbered = tuple[int, Path]
Groups = Mapping[NumberedName, Sequence[Numbered]]
_Named = Sequence[tuple[Path, Sequence[NumberPlace]]]


def grouped(files: Iterable[Path]) -> Groups:
    """The numbered among `files` by their names without the number of their frame.

    That is the number at the end (`v2_0001.png`). Where it is the same in all names but for their
    earlier numbers, or is one of a version (`0001_v2.png`), an earlier one is, if it makes more
    pictures belong together. Names that end in no number count where no others do.
    """
    alike: dict[str, list[tuple[Path, Sequence[NumberPlace]]]] = defaultdict(list)
    for file in files:
        places = number_places(file.name)
        if places:
            alike[places[0].shape].append((file, places))
    found = {shape: _divided(named) for shape, named in alike.items()}
    ending = [shape for shape, named in alike.items() if named[0][1][-1].is_last]
    are_alone = all(_largest(found[shape]) == 1 for shape in ending)
    if not are_alone or all(_largest(groups) == 1 for groups in found.values()):
        found = {shape: found[shape] for shape in ending}
    return {names: group for groups in found.values() for names, group in groups.items()}


def _divided(named: _Named) -> Groups:
    """Files whose names differ in numbers only, by the number that counts."""
    places = named[0][1]
    last = _by(named, len(places) - 1)
    earlier = [_by(named, place) for place in range(len(places) - 1)]
    # The last of equals, and only one that makes most of these files one sequence.
    best = max(reversed(earlier), key=_largest, default=last)
    if 2 * _largest(best) <= len(named):
        return last
    is_better = _largest(best) > _largest(last)
    return best if is_better and (_largest(last) == 1 or is_version(places[-1].before)) else last


def _by(named: _Named, place: int) -> Groups:
    groups: dict[NumberedName, list[Numbered]] = defaultdict(list)
    for file, places in named:
        groups[places[place].names].append((places[place].number, file))
    return groups


def _largest(groups: Groups) -> int:
    return max(map(len, groups.values()), default=0)
