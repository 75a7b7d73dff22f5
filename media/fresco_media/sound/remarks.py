"""What there is to say of sound tracks: one sentence for all that it is true of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import av

from fresco_media.sound.streams import title_of


@dataclass(frozen=True)
class Remark:
    """What is said of one track, and of several; both go on after the name."""

    of_one: str
    of_many: str


@dataclass
class Remarks:
    """Remarks and the tracks that they are about, in the order in which they came up."""

    _tracks: dict[Remark, dict[int, str]] = field(default_factory=dict[Remark, dict[int, str]])

    def add(self, remark: Remark, stream: av.AudioStream, number: int) -> None:
        """Say it of a track too; `number` counts from 1."""
        self._tracks.setdefault(remark, {})[number] = title_of(stream)

    def sentences(self) -> list[str]:
        """What to tell the user."""
        return [_sentence(remark, tracks) for remark, tracks in self._tracks.items()]


def _sentence(remark: Remark, tracks: dict[int, str]) -> str:
    if len(tracks) == 1:
        ((number, title),) = tracks.items()
        name = f"sound track {number} ({title})" if title else f"sound track {number}"
        return f"{name} {remark.of_one}"
    return f"sound tracks {listed(sorted(tracks))} {remark.of_many}"


def listed(numbers: Sequence[int]) -> str:
    """Ascending numbers as words: "1 to 8", or "1, 2 and 4"."""
    first, last = numbers[0], numbers[-1]
    if len(numbers) > 2 and last - first == len(numbers) - 1:
        return f"{first} to {last}"
    return f"{', '.join(map(str, numbers[:-1]))} and {last}"
