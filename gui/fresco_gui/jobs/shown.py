"""Shows one job: follows it, brings its result here, and finds it again the next time."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

from fresco_client import Failure, Job, JobState, PictureOptions, Plan
from fresco_media.files.disk import short_stem
from PyQt6.QtCore import QObject, pyqtSignal

from fresco_gui.clips import ClipOpener
from fresco_gui.daemon.connection import DaemonConnection
from fresco_gui.jobs.control import JobControl
from fresco_gui.jobs.follower import JobFollower
from fresco_gui.problems.problem import Problem, problem_of, problem_of_failure
from fresco_gui.problems.reporter import FETCH_FAILED
from fresco_gui.project import ProjectJob
from fresco_gui.project.store import ProjectStore
from fresco_gui.services import Services

_log = logging.getLogger(__name__)


class ShownJob(QObject):
    """The job that is shown, one at a time.

    Signals:
        followed(JobFollower): this job is shown from now on.
        moved(): it has another state.
        result_here(Made): its result can be shown.
        cancelled(str): the job of this id, which was shown, will not come.
    """

    followed = pyqtSignal(object)
    moved = pyqtSignal()
    result_here = pyqtSignal(object)
    cancelled = pyqtSignal(str)

    def __init__(
        self,
        services: Services,
        daemon: DaemonConnection,
        opener: ClipOpener,
        project_store: ProjectStore,
        jobs: JobControl,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._daemon = daemon
        self._opener = opener
        self._project_store = project_store
        self._jobs = jobs
        self.follower: JobFollower | None = None
        jobs.resumed.connect(self._on_resumed)
        opener.leaving.connect(self.stop)
        opener.settled.connect(self.resume)

    @property
    def job_id(self) -> str:
        """Of the job that is shown; empty for none."""
        return self.follower.job_id if self.follower else ""

    def job(self) -> Job | None:
        """The job that is shown."""
        return self._jobs.model.job(self.job_id)

    # Which job

    def take(self, job: Job, made: ProjectJob) -> None:
        """Show a job that was just handed to the daemon, and keep it with the project."""
        self._jobs.put(job)
        self._project_store.keep_made(made)
        self.follow(job.id)

    def show_version(self, job_id: str) -> None:
        """Show a job of the project instead; what is made elsewhere goes on."""
        made = self._project_store.made(job_id)
        if made is None:
            return
        self._project_store.put_first(made)
        self.stop()
        if _is_here(made):
            self.result_here.emit(made)
        self.follow(made.job_id)
        self.moved.emit()

    def show(self, job: Job) -> None:
        """Show a job of the history, with its clip."""
        path = job.clip.path if job.clip else None
        if path and path != self._project_store.project.clip and Path(path).exists():
            self._opener.open_known(Path(path))
        if not path or path != self._project_store.project.clip:
            message = self.tr("The clip of this job is not on this machine, or is gone.")
            title = self.tr("The job cannot be shown")
            self._services.reporter.report(Problem(title=title, message=message))
            return
        start = job.plan.start if job.plan else 0
        known = self._project_store.made(job.id)
        self._project_store.put_first(
            known or ProjectJob(job_id=job.id, title=job.title, start=start, parent=job.parent_id)
        )
        self.show_version(job.id)

    def resume(self) -> None:
        """Show the newest job of the project, from its result or from the daemon.

        While its clip is still looked for there is nothing to show it with: it comes with the clip.
        """
        project = self._project_store.project
        is_visible = self._opener.is_shown and not self._opener.is_gone
        if not project.made or not is_visible or self.follower:
            return
        made = project.made[0]
        parent = self._project_store.made(made.parent)
        shown = made if _is_here(made) else parent
        if shown is not None and _is_here(shown):
            # Of a version that is still to come, the one before is to be seen.
            self.result_here.emit(shown)
        if self._daemon.session is not None:
            self.follow(made.job_id)

    def stop(self) -> None:
        """Show none; the job itself goes on."""
        if self.follower is not None:
            self.follower.stop()
            self.follower.deleteLater()
            self.follower = None

    def follow(self, job_id: str) -> None:
        """Show a job from now on."""
        session = self._daemon.session
        if session is None:
            return
        self.stop()
        side = self._services.preferences.preview_side
        is_here = _is_here(self._project_store.made(job_id))
        pictures = None if is_here else PictureOptions(encoding="jpeg", long_side=side)
        follower = JobFollower(session, job_id, self._services.workers, pictures, self)
        self.follower = follower
        self._connect(follower)
        self.followed.emit(follower)
        follower.start()

    def _connect(self, follower: JobFollower) -> None:
        follower.progressed.connect(partial(self._jobs.model.move_on, follower.job_id))
        follower.state_changed.connect(self._on_state)
        follower.planned.connect(self._on_planned)
        follower.finished.connect(self.fetch)
        follower.fetched.connect(self._on_fetched)
        follower.fetch_failed.connect(self._on_fetch_failed)
        follower.job_failed.connect(self._on_job_failed)
        follower.failed.connect(self._on_failed)

    def _on_resumed(self, job: Job) -> None:
        if job.id == self.job_id:
            self.follow(job.id)

    def _on_planned(self, plan: Plan) -> None:
        """Keep what is shown of the plan, for times without the daemon."""
        made = self._project_store.made(self.job_id)
        if made is not None:
            shots = tuple((shot.start, shot.stop) for shot in plan.shots)
            planned = replace(made, keyframes=plan.keyframes, shots=shots, start=plan.start)
            self._project_store.change(made=self._project_store.project.with_made(planned).made)

    def _on_state(self, state: JobState) -> None:
        if state is JobState.CANCELLED:
            self._jobs.end(self.job_id, state)
            self.cancelled.emit(self.job_id)
        elif state.is_ended:
            self._jobs.end(self.job_id, state)
        else:
            # It may be one of long ago: a job that is shown again tells its whole story.
            self._jobs.refresh()
        self.moved.emit()

    # Its result

    def fetch(self) -> None:
        """Put the result here, unless it is."""
        follower = self.follower
        if follower is None:
            return
        made = self._project_store.made(follower.job_id)
        if made is not None and _is_here(made):
            self.result_here.emit(made)
        else:
            follower.fetch(self.result_path(follower.job_id))

    def result_path(self, job_id: str) -> Path:
        """Where the result of a job is put."""
        folder = self._services.preferences.results or self._services.folders.results
        stem = short_stem(Path(self._project_store.project.clip)) or "result"
        return folder / f"{stem}-{job_id[:8]}.mp4"

    def _on_fetched(self, path: object) -> None:
        if self.follower is None:
            return
        job = self.job()
        made = self._project_store.made(self.job_id) or ProjectJob(job_id=self.job_id)
        start = job.plan.start if job and job.plan else made.start
        whole = replace(made, result=str(path), start=start)
        self._project_store.keep_made(whole)
        self._services.reporter.over.emit(FETCH_FAILED)
        self.result_here.emit(whole)

    # What goes wrong

    def _on_fetch_failed(self, error: object) -> None:
        assert isinstance(error, Exception)
        problem = problem_of(error, self.tr("The result could not be put here"))
        text = self.tr("{message} The daemon keeps the result; nothing is lost.").format(
            message=problem.message
        )
        self._services.reporter.report(
            replace(problem, message=text, reason=FETCH_FAILED), self.tr("Fetch again")
        )

    def _on_job_failed(self, failure: object) -> None:
        assert isinstance(failure, Failure)
        problem = problem_of_failure(failure, self.job_id, self.tr("The job has failed"))
        self._services.reporter.report(problem, self.tr("Go on") if problem.can_resume else "")

    def _on_failed(self, error: object) -> None:
        assert isinstance(error, Exception)
        job_id = self.job_id
        self.stop()
        made = self._project_store.made(job_id)
        if made is not None and made.result:
            # Deleted at the daemon, which takes nothing from what is here.
            _log.info("job %s cannot be followed: %s", job_id, error)
            return
        self._services.reporter.tell(error, self.tr("The job cannot be followed"))


def _is_here(made: ProjectJob | None) -> bool:
    """Whether its result lies on this machine."""
    return made is not None and bool(made.result) and Path(made.result).exists()
