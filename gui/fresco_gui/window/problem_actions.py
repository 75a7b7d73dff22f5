"""What the button of a problem does about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QFileDialog, QWidget

from fresco_gui.controller import Controller
from fresco_gui.problems.problem import ErrorBoundary, Problem
from fresco_gui.problems.reporter import (
    AUTOSAVE_FAILED,
    CLIP_GONE,
    CLIP_REPLACED,
    DAEMON_AWAY,
    FETCH_FAILED,
    PROJECT_CHANGED,
)
from fresco_gui.window.views import Views


class ProblemActions(QObject):
    """Shows problems wherever they come from, and does what may put them right."""

    def __init__(
        self, window: QWidget, controller: Controller, views: Views, hook: ErrorBoundary
    ) -> None:
        super().__init__(window)
        self._window = window
        self._controller = controller
        self._by_reason: dict[str, Callable[[], object]] = {
            CLIP_GONE: self.locate_clip,
            CLIP_REPLACED: controller.opener.reload,
            DAEMON_AWAY: controller.daemon.look_now,
            FETCH_FAILED: controller.shown_job.fetch,
            AUTOSAVE_FAILED: controller.project_store.save_again,
            PROJECT_CHANGED: self.open_other,
        }
        reporter = controller.services.reporter
        reporter.problem.connect(views.problems.add)
        reporter.over.connect(views.problems.clear)
        hook.caught.connect(views.problems.add)
        views.inspector.problem.connect(self._on_preset_problem)
        views.problems.acted.connect(self.act)
        views.problems.setting_wanted.connect(views.inspector.show_setting)

    def act(self, problem: Problem) -> None:
        """Do what may put this problem right."""
        if problem.reason in self._by_reason:
            self._by_reason[problem.reason]()
        elif problem.can_resume:
            job = self._controller.jobs.model.job(problem.job_id)
            if job is not None:
                self._controller.jobs.resume(job)

    def locate_clip(self) -> None:
        """Ask where the clip is now."""
        name, _ = QFileDialog.getOpenFileName(self._window, self.tr("Where is the clip?"))
        if name:
            self._controller.opener.relink(Path(name))

    def open_other(self) -> None:
        """Open the state of the project that another window or program has written."""
        other = self._controller.project_store.other
        if other is not None:
            self._controller.opener.open_project(other)

    def _on_preset_problem(self, error: Exception) -> None:
        title = self.tr("The preset cannot be kept")
        self._controller.services.reporter.tell(error, title)
