"""All jobs of the daemon as a list that Qt's views show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fresco_client import Job, JobState, ProgressMade, job_after
from fresco_client.words import look_of
from fresco_media.files.text import printable
from PyQt6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, pyqtSignal

from fresco_gui.jobs.words import state_of_job, time_text, title_of_job
from fresco_gui.plain import plain

JOB_ROLE = Qt.ItemDataRole.UserRole


class JobListModel(QAbstractListModel):
    """Jobs, the newest first.

    Signals:
        refreshed(): the daemon has been asked and the list is what it said.
    """

    refreshed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: list[Job] = []

    @property
    def jobs(self) -> list[Job]:
        """All that are known."""
        return self._jobs

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        return 0 if parent.isValid() else len(self._jobs)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._jobs):
            return None
        job = self._jobs[index.row()]
        if role == JOB_ROLE:
            return job
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return printable(f"{title_of_job(job)}: {state_of_job(job)}")
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = (look_of(job), time_text(job.create_time), job.id)
            return plain("\n".join(line for line in lines if line))
        return None

    def job(self, job_id: str) -> Job | None:
        """One of them."""
        return next((job for job in self._jobs if job.id == job_id), None)

    def show(self, jobs: Sequence[Job]) -> None:
        """Take what the daemon says; rows stay where they are if they are the same jobs."""
        if [job.id for job in jobs] == [job.id for job in self._jobs]:
            for row, job in enumerate(jobs):
                self._change(row, job)
        else:
            self.beginResetModel()
            self._jobs = list(jobs)
            self.endResetModel()
        self.refreshed.emit()

    def put(self, job: Job) -> None:
        """Take a newer word on one job, or a new job."""
        for row, known in enumerate(self._jobs):
            if known.id == job.id:
                self._change(row, job)
                return
        self.beginInsertRows(QModelIndex(), 0, 0)
        self._jobs.insert(0, job)
        self.endInsertRows()

    def remove(self, job_id: str) -> None:
        """A job was deleted."""
        for row, known in enumerate(self._jobs):
            if known.id == job_id:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._jobs[row]
                self.endRemoveRows()
                return

    def move_on(self, job_id: str, event: ProgressMade) -> None:
        """A stage of a job has moved on."""
        job = self.job(job_id)
        if job is not None:
            self.put(job_after(job, event))

    def move_to(self, job_id: str, state: JobState) -> None:
        """A job has another state."""
        job = self.job(job_id)
        if job is not None:
            self.put(replace(job, state=state))

    def _change(self, row: int, job: Job) -> None:
        if self._jobs[row] != job:
            self._jobs[row] = job
            index = self.index(row)
            self.dataChanged.emit(index, index)
