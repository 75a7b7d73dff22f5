"""Closing the window: what still runs is asked about once."""

from __future__ import annotations

from collections.abc import Sequence

from fresco_client import Job
from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QMessageBox, QWidget

from fresco_gui.jobs.control import JobControl
from fresco_gui.window.exporting import Exporting


class Closing(QObject):
    """Whether the window may close, and what becomes of jobs then."""

    def __init__(self, window: QWidget, jobs: JobControl, exporting: Exporting) -> None:
        super().__init__(window)
        self._window = window
        self._jobs = jobs
        self._exporting = exporting

    def is_allowed(self) -> bool:
        """Ask if anything runs; the answer is carried out."""
        jobs = self._jobs.open_jobs()
        if not jobs and not self._exporting.is_running:
            return True
        box = QMessageBox(self._window)
        box.setObjectName("closing")
        box.setWindowTitle(self.tr("Close Fresco"))
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(self._what_runs(jobs))
        leave = self.tr("Leave running") if jobs else self.tr("Close")
        go = box.addButton(leave, QMessageBox.ButtonRole.AcceptRole)
        cancel = self._offer_cancel(box) if jobs else None
        stay = box.addButton(self.tr("Stay"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(go)
        box.setEscapeButton(stay)
        box.exec()
        if box.clickedButton() is stay:
            return False
        if cancel is not None and box.clickedButton() is cancel:
            self._jobs.cancel_and_wait(jobs)
        return True

    def _offer_cancel(self, box: QMessageBox) -> object:
        box.setInformativeText(
            self.tr("The daemon can finish it without this window; you find it here again.")
        )
        return box.addButton(self.tr("Cancel jobs"), QMessageBox.ButtonRole.DestructiveRole)

    def _what_runs(self, jobs: Sequence[Job]) -> str:
        export = self.tr("An export is being written. Closing stops it.")
        if not jobs:
            return export
        text = self.tr("A job is running.")
        if len(jobs) > 1:
            text = self.tr("{count} jobs are running or waiting.").format(count=len(jobs))
        return f"{text} {export}" if self._exporting.is_running else text
