"""Tells the user what went wrong, and when it is over."""

from __future__ import annotations

import logging

from fresco_client import ClientError
from fresco_media.errors import FrescoError
from PyQt6.QtCore import QObject, pyqtSignal

from fresco_gui.problems.problem import Problem, problem_of
from fresco_gui.project import ProjectUnreadable

_log = logging.getLogger(__name__)

CLIP_GONE = "CLIP_GONE"
CLIP_REPLACED = "CLIP_REPLACED"
CLIP_UNREADABLE = "CLIP_UNREADABLE"
CLIP_WAITS = "CLIP_WAITS"
DAEMON_AWAY = "DAEMON_AWAY"
FETCH_FAILED = "FETCH_FAILED"
AUTOSAVE_FAILED = "AUTOSAVE_FAILED"
PROJECT_CHANGED = "PROJECT_CHANGED"
PROJECT_SHARED = "PROJECT_SHARED"
"""Reasons of problems that the window has a remedy for, or sees the end of."""


class Reporter(QObject):
    """Where every part of the app says what went wrong.

    Signals:
        problem(Problem, str): something went wrong; the text of a button that may help, or "".
        over(str): problems of this reason are over.
    """

    problem = pyqtSignal(object, str)
    over = pyqtSignal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_silent = False

    def silence(self) -> None:
        """Errors are what closing the app brings about; nobody is to read them."""
        self._is_silent = True

    def tell(self, error: Exception, title: str) -> None:
        """An error becomes something the user sees."""
        if self._is_silent:
            return
        if not isinstance(error, ClientError | FrescoError | OSError | ProjectUnreadable):
            _log.error("an unexpected fault", exc_info=error)
        self.report(problem_of(error, title))

    def report(self, problem: Problem, action: str = "") -> None:
        """Show a problem; `action` is the text of a button that may put it right."""
        _log.warning("%s: %s", problem.title, problem.message)
        self.problem.emit(problem, action)
