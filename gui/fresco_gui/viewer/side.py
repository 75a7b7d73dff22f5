"""What A or B is: the clip itself, or frames that are compared with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtGui import QImage

from fresco_gui.media.source import FrameSource

translate = QCoreApplication.translate


@dataclass(frozen=True, kw_only=True)
class SideNote:
    """What is to be known of one side at a frame."""

    name: str = ""
    """What it is, if not what the whole side is called."""
    badge: str = ""
    """Said over its picture; empty for nothing."""
    is_faded: bool = False
    """Whether the picture will soon be another."""


@dataclass(frozen=True)
class Seen:
    """A side at a frame."""

    image: QImage | None
    """None where the clip has to stand in."""
    note: SideNote
    stand_in: int | None = None
    """The frame whose picture stands in."""
    is_clip: bool = False
    """Whether the clip is what this side is, rather than standing in."""


def _says_nothing(_: int) -> SideNote:
    return SideNote()


def _has_none(_: int) -> int | None:
    return None


def _is_inside(_: int) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class ViewedSide:
    """One of the two that are compared."""

    frames: FrameSource | None = None
    """None for the clip. They are not closed here."""
    name: str = ""
    """As its label says it, after the letter."""
    notes_of: Callable[[int], SideNote] = _says_nothing
    stand_in_of: Callable[[int], int | None] = _has_none
    """Which of its frames stands in for one that is not there; where none does, the clip does."""
    is_outside: Callable[[int], bool] = _is_inside
    """Whether a frame is none that it will ever have."""

    def at(self, index: int, letter: str, *, is_mixed: bool) -> Seen:
        """What is seen of it; of two pictures mixed into one none stands in for another frame."""
        note = self.notes_of(index)
        note = replace(note, name=f"{letter} {note.name or self.name}")
        if self.frames is None:
            return Seen(None, note, is_clip=True)
        if self.frames.can_have(index):
            return Seen(self.frames.peek(index), note)
        if self.is_outside(index):
            return Seen(None, replace(note, badge=translate("Viewer", "Not in this result")))
        key = None if is_mixed else self.stand_in_of(index)
        if key is not None:
            badge = translate("Viewer", "Not restyled yet: keyframe {index} stands in")
            return Seen(
                self.frames.frame(key), replace(note, badge=badge.format(index=key)), stand_in=key
            )
        return Seen(None, replace(note, badge=note.badge or self._why_missing()))

    def _why_missing(self) -> str:
        if self.frames is not None and self.frames.info is None:
            return translate("Viewer", "Opening…")
        return translate("Viewer", "Not restyled yet")
