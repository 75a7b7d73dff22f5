"""What went wrong, as the window shows it, and the hook that catches what nobody expected."""

from __future__ import annotations

import logging
import platform
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from fresco_client import CallFailed, ClientError, DaemonFailedToStart, Failure, FileFailed
from fresco_client.remedies import in_window
from fresco_media.errors import FrescoError
from PyQt6.QtCore import PYQT_VERSION_STR, QT_VERSION_STR, QCoreApplication, QObject, pyqtSignal

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something the user is to know; `details` are for whoever is asked for help."""

    title: str
    message: str
    details: str = ""
    reason: str = ""
    """Kind of problem for programs, such as CLIP_NOT_FOUND."""
    job_id: str = ""
    can_resume: bool = False
    field: str = ""
    """The declared name of the setting to look at, such as "size"; or empty."""

    @property
    def report(self) -> str:
        """All there is to say, for the clipboard."""
        lines = [self.title, self.message]
        if self.reason:
            lines.append(f"reason: {self.reason}")
        if self.job_id:
            lines.append(f"job: {self.job_id}")
        system = f"Qt {QT_VERSION_STR}, PyQt {PYQT_VERSION_STR}, {platform.platform()}"
        return "\n".join([*lines, f"system: {system}", self.details]).strip()


def problem_of(error: Exception, title: str) -> Problem:
    """An error of a call as a problem."""
    if isinstance(error, DaemonFailedToStart):
        return Problem(title=title, message=error.summary, details=error.details)
    if isinstance(error, CallFailed):
        message = in_window(error.message)
        return Problem(title=title, message=message, reason=error.reason, field=error.field)
    if isinstance(error, ClientError):
        return Problem(title=title, message=in_window(error.message), reason=type(error).__name__)
    if isinstance(error, OSError):
        message = f"{error.strerror or error}. Check the path, its rights and free space."
        if isinstance(error.filename, str):
            message = FileFailed.from_os(Path(error.filename), error).message
        return Problem(title=title, message=message, reason=type(error).__name__)
    if isinstance(error, FrescoError):
        return Problem(title=title, message=in_window(str(error)), reason=type(error).__name__)
    return Problem(title=title, message=str(error) or type(error).__name__, details=_trace(error))


def problem_of_failure(failure: Failure, job_id: str, title: str) -> Problem:
    """Why a job failed, as a problem."""
    return Problem(
        title=title,
        message=in_window(failure.message),
        details=failure.log_tail,
        reason=failure.reason,
        job_id=job_id,
        can_resume=failure.can_resume,
        field=failure.field,
    )


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


class ErrorBoundary(QObject):
    """Catches exceptions of slots, which would end the process otherwise.

    Signals:
        caught(Problem): to be shown; what led to it is in the log already.
    """

    caught = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._before = sys.excepthook

    def install(self) -> None:
        """Catch from now on."""
        sys.excepthook = self._catch

    def remove(self) -> None:
        """Leave exceptions to whoever had them before."""
        sys.excepthook = self._before

    def _catch(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QCoreApplication.quit()
            return
        _log.error("an unexpected fault", exc_info=(kind, error, trace))
        details = "".join(traceback.format_exception(kind, error, trace))
        message = self.tr(
            "Something in the window went wrong ({kind}). Your work is kept and the window goes "
            "on; copy the report for the people who make Fresco."
        ).format(kind=kind.__name__)
        self.caught.emit(
            Problem(
                title=self.tr("Unexpected fault"),
                message=message,
                details=details,
                reason=kind.__name__,
            )
        )


@dataclass
class ProblemLog:
    """The last problems, the newest last."""

    limit: int = 50
    problems: list[Problem] = field(default_factory=list[Problem])

    def add(self, problem: Problem) -> None:
        """Keep one more, and forget the oldest beyond the limit."""
        self.problems.append(problem)
        del self.problems[: -self.limit]
