"""All jobs of the daemon as a list that Qt's views show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fresco_client import Job, JobState, ProgressMade, job_after
from fresco_client.words import look_of
from fresco_media.files.text import printable
from PyQt6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QImage

from fresco_gui.jobs.words import (
    difference_of,
    range_of_job,
    state_of_job,
    time_text,
    title_of_job,
)
from fresco_gui.plain import plain

JOB_ROLE = Qt.ItemDataRole.UserRole
FACTS_ROLE = Qt.ItemDataRole.UserRole + 1
"""What tells it from others: what is another than before, its clip and its frames."""
SIDE_ROLE = Qt.ItemDataRole.UserRole + 2
"""What of the screen it is: "A", "B" or nothing."""
PICTURE_ROLE = Qt.ItemDataRole.UserRole + 3
BEFORE_ROLE = Qt.ItemDataRole.UserRole + 4
"""The clip's own frame, where the picture is of what it became."""


class JobListModel(QAbstractListModel):
    """Jobs, the newest first.

    Signals:
        refreshed(): the daemon has been asked and the list is what it said.
    """

    refreshed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: list[Job] = []
        self._sides: dict[str, str] = {}
        self._pictures: dict[str, tuple[QImage, QImage | None]] = {}

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
        if role == FACTS_ROLE:
            return self.facts(job)
        if role == SIDE_ROLE:
            return self._sides.get(job.id, "")
        if role in (PICTURE_ROLE, BEFORE_ROLE):
            after, before = self._pictures.get(job.id, (None, None))
            return after if role == PICTURE_ROLE else before
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            side = self._sides.get(job.id, "")
            texts = (side, look_of(job) or title_of_job(job), self.facts(job), state_of_job(job))
            return printable(": ".join(filter(None, texts)))
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = (look_of(job), self.facts(job), time_text(job.create_time), job.id)
            return plain("\n".join(line for line in lines if line))
        return None

    def facts(self, job: Job) -> str:
        """What tells a job from the others."""
        texts = (difference_of(job, self._before(job)), range_of_job(job), title_of_job(job))
        return "  ·  ".join(filter(None, texts))

    def _before(self, job: Job) -> Job | None:
        """The job that one was made from, else the one before it of the same clip."""
        if job.parent_id:
            return self.job(job.parent_id)
        place = self._jobs.index(job)
        return next((one for one in self._jobs[place + 1 :] if one.clip == job.clip), None)

    def mark_sides(self, a: str, b: str) -> None:
        """These jobs are on the screen; empty for the clip."""
        self._sides = {job_id: letter for job_id, letter in ((a, "A"), (b, "B")) if job_id}
        self._tell_all()

    def set_picture(self, job_id: str, image: QImage, before: QImage | None) -> None:
        """What a job has made, small, and what of."""
        self._pictures[job_id] = image, before
        self._tell_all()

    def without_picture(self) -> Job | None:
        """One that has made something and is shown without a picture."""
        wanted = (one for one in self._jobs if one.ready_keyframes)
        return next((one for one in wanted if one.id not in self._pictures), None)

    def _tell_all(self) -> None:
        if self._jobs:
            roles = [SIDE_ROLE, PICTURE_ROLE, BEFORE_ROLE]
            self.dataChanged.emit(self.index(0), self.index(len(self._jobs) - 1), roles)

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
