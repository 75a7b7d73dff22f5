"""Everything that was changed, to be undone and done again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt6.QtGui import QUndoCommand, QUndoStack

Fields = Mapping[str, object]
"""Fields of a project by name."""

_MERGED = 1


class ProjectChange(QUndoCommand):
    """Fields of the project have other values; `key` names what was changed, to merge by."""

    def __init__(
        self, text: str, key: str, before: Fields, after: Fields, apply: Callable[[Fields], object]
    ) -> None:
        super().__init__(text)
        self._key = key
        self._before, self._after = before, after
        self._apply = apply
        self._is_done = True
        self.is_sealed = False

    def id(self) -> int:
        """That of all changes of one thing; those of others do not merge."""
        return _MERGED

    def mergeWith(self, other: QUndoCommand | None) -> bool:  # noqa: N802
        """Letters typed one after the other are one change."""
        if not isinstance(other, ProjectChange) or self.is_sealed or other._key != self._key:
            return False
        self._after = other._after
        self.setObsolete(self._after == self._before)
        return True

    def redo(self) -> None:
        """Set the new values, unless they are there already."""
        if not self._is_done:
            self._apply(self._after)
        self._is_done = True

    def undo(self) -> None:
        """Set the old values."""
        self._is_done = False
        self.is_sealed = True
        self._apply(self._before)


class UndoableStep(QUndoCommand):
    """Something that knows by itself how it is undone and done again, whatever came after it."""

    def __init__(self, text: str, undo: Callable[[], object], redo: Callable[[], object]) -> None:
        super().__init__(text)
        self._undo, self._redo = undo, redo
        self._is_done = True

    def redo(self) -> None:
        """Do it again, unless it is done."""
        if not self._is_done:
            self._redo()
        self._is_done = True

    def undo(self) -> None:
        """Undo it."""
        self._is_done = False
        self._undo()


class History(QUndoStack):
    """The changes of the project that is open."""

    def seal(self) -> None:
        """What is changed from now on is another change, even of the same thing."""
        command = self.command(self.index() - 1) if self.index() else None
        if isinstance(command, ProjectChange):
            command.is_sealed = True
