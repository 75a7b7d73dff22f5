"""The list of jobs: a model of what the controller tells, and a bar for how far each is."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QTableView

from fresco_davinci.controller import PendingProgress, progress_of
from fresco_davinci.pending_jobs import PendingJob

COLUMNS = ("Clip", "Look", "State")
_STATE = 2
SHARE = Qt.ItemDataRole.UserRole
_NOWHERE = QModelIndex()


class JobsModel(QAbstractTableModel):
    """A row for every pending job of the project."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[PendingProgress] = []

    def show(self, rows: list[PendingProgress]) -> None:
        """Take these rows in the place of those before."""
        is_same = [row.pending.job_id for row in rows] == [row.pending.job_id for row in self._rows]
        if is_same:
            self._rows = rows
            if rows:
                last = self.index(len(rows) - 1, len(COLUMNS) - 1)
                self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def pending(self, row: int) -> PendingJob | None:
        """The pending job in a row."""
        return self._rows[row].pending if 0 <= row < len(self._rows) else None

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """See QAbstractItemModel."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """See QAbstractItemModel."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """See QAbstractItemModel."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """See QAbstractItemModel."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            state = progress_of(row.job) if row.job else "not known to the daemon"
            return (row.pending.name, row.pending.choices.title, state)[index.column()]
        if role == SHARE and index.column() == _STATE:
            return row.job.share if row.job else 0.0
        return None


class JobsTable(QTableView):
    """Says in words that there is no job, where there is none."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def paintEvent(self, e: QPaintEvent | None) -> None:
        """See QWidget."""
        super().paintEvent(e)
        model, room = self.model(), self.viewport()
        if model is None or room is None or model.rowCount():
            return
        painter = QPainter(room)
        painter.setPen(self.palette().placeholderText().color())
        painter.drawText(room.rect(), Qt.AlignmentFlag.AlignCenter, self._words)


class StateDelegate(QStyledItemDelegate):
    """Draws a bar below the words of the state."""

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """See QStyledItemDelegate."""
        super().paint(painter, option, index)
        share = index.data(SHARE)
        if painter is None or share is None:
            return
        around = QRectF(option.rect).adjusted(4, option.rect.height() - 5, -4, -2)
        painter.fillRect(around, QColor("#3a3a3a"))
        around.setWidth(around.width() * share)
        painter.fillRect(around, QColor("#d08b3a"))
