"""What the filmstrip shows, apart from pictures: shots, keyframes and what can be done to them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from PyQt6.QtGui import QImage


class KeyframeState(Enum):
    """States of a keyframe; values are words a person reads."""

    PLANNED = "planned"
    RENDERING = "rendering"
    DONE = "done"
    LOCKED = "locked"
    FAILED = "failed"


class KeyframeAction(Enum):
    """What can be asked for a keyframe, or for a frame that is to become one."""

    REROLL = "reroll"
    """Make it again with another seed, and only what depends on it."""
    EDIT_PROMPT = "edit prompt"
    REPLACE = "replace"
    """By a painted image."""
    LOCK = "lock"
    """Or unlock."""
    MOVE_HERE = "move here"
    """Move it to the frame that is looked at."""
    ADD = "add"
    REMOVE = "remove"


def _no_keyframes() -> dict[int, KeyframeState]:
    return {}


def _no_images() -> dict[int, QImage]:
    return {}


@dataclass
class FilmstripContent:
    """Shots, keyframes and frames that are done, by source index."""

    shots: tuple[tuple[int, int], ...] = ()
    """First frame and one past the last."""
    keyframes: dict[int, KeyframeState] = field(default_factory=_no_keyframes)
    images: dict[int, QImage] = field(default_factory=_no_images)
    """Small pictures of translated keyframes."""
    done: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Stretches of frames that are done, ascending, first and one past the last."""
    pending: frozenset[int] = frozenset()
    """Frames that are made anew."""

    def set_plan(
        self, shots: Iterable[tuple[int, int]], keyframes: Iterable[int], *, keeps: bool = False
    ) -> None:
        """Begin anew with these; nothing is done yet, unless it `keeps` what there is."""
        self.shots = tuple(shots)
        self.keyframes = dict.fromkeys(sorted(keyframes), KeyframeState.PLANNED)
        kept = {index: one for index, one in self.images.items() if index in self.keyframes}
        self.images = kept if keeps else {}
        if not keeps:
            self.done.clear()

    def add_done(self, index: int) -> None:
        """Take one frame into the stretches that are done."""
        place = bisect_left(self.done, (index, index))
        before = self.done[place - 1] if place else None
        after = self.done[place] if place < len(self.done) else None
        if (before and before[1] > index) or (after and after[0] == index):
            return
        start, stop = index, index + 1
        if before and before[1] == index:
            start = before[0]
            place -= 1
            del self.done[place]
        if after and after[0] == stop:
            stop = after[1]
            del self.done[place]
        self.done.insert(place, (start, stop))
