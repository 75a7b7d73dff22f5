"""What is done about jobs: showing one as it goes, and what the jobs panel asks for."""

from __future__ import annotations

from pathlib import Path

from fresco_client import Job
from fresco_media.writing.originals import Originals
from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QWidget

from fresco_gui.confirming import is_confirmed
from fresco_gui.controller import Controller
from fresco_gui.display import Display
from fresco_gui.export.picture import originals_of
from fresco_gui.jobs import JobFollower
from fresco_gui.window.clip_page import ClipPage
from fresco_gui.window.save_dialog import ask_where_to_save
from fresco_gui.window.views import Views


class JobActions(QObject):
    """Carries out what the jobs panel asks for, and says how the job that is shown goes."""

    def __init__(
        self,
        window: QWidget,
        controller: Controller,
        display: Display,
        views: Views,
        clip_page: ClipPage,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._controller = controller
        self._display = display
        self._views = views
        self._clip_page = clip_page
        controller.shown_job.followed.connect(self._on_followed)
        model = controller.jobs.model
        for signal in (model.dataChanged, model.modelReset, model.rowsInserted):
            signal.connect(self._on_jobs)
        self._connect_panel()

    def _connect_panel(self) -> None:
        panel, jobs = self._views.jobs, self._controller.jobs
        panel.opened.connect(self._controller.shown_job.show)
        panel.reused.connect(self.reuse)
        panel.paused.connect(jobs.pause)
        panel.resumed.connect(jobs.resume)
        panel.deleted.connect(self.delete)
        panel.saved.connect(self.save_result)

    def reuse(self, job: Job) -> None:
        """Take over a job's settings and range."""
        self._controller.project_store.reuse(job)
        self._clip_page.show_range()

    def delete(self, job: Job) -> None:
        """Delete a job, if it is really meant."""
        if is_confirmed(
            self._window,
            self.tr("Delete the job"),
            self.tr("Delete this job and what the daemon keeps of it? Fetched results stay."),
        ):
            self._controller.jobs.delete(job)

    def save_result(self, job: Job) -> None:
        """Ask where to, and put the job's result there, never in the place of a clip."""
        session = self._controller.daemon.session
        proposed = Path(job.result.file_name if job.result else "result.mp4")
        path = ask_where_to_save(
            self._window, self.tr("Save result as"), proposed.name, (proposed.suffix,)
        )
        if session is None or path is None:
            return
        services = self._controller.services
        title = self.tr("The result cannot be saved")
        originals = originals_of(self._display.source, self._display.result)
        if job.clip is not None and job.clip.path:
            originals |= Originals.of("the job's clip is", Path(job.clip.path))
        services.workers.call(
            lambda: session.fetch_result(
                job.id, path, is_overwriting=True, before_replacing=originals.check
            ),
            lambda _: self._say(self.tr("Saved {name}.").format(name=path.name), 8000),
            lambda error: services.reporter.tell(error, title),
        )

    def _on_followed(self, follower: JobFollower) -> None:
        follower.connection_changed.connect(self._on_connection)
        follower.warned.connect(self._on_warned)
        follower.restarted.connect(self._on_warned)
        follower.job_failed.connect(self._display.show_failed)
        self._views.jobs.select(follower.job_id)

    def _on_connection(self, state: str) -> None:
        if state != "connected":
            self._say(
                self.tr("The daemon is away; the job is followed again when it is back."), 8000
            )

    def _on_warned(self, message: str) -> None:
        self._say(message, 15000)

    def _on_jobs(self) -> None:
        job = self._controller.shown_job.job()
        self._views.status.show_job(job)
        self._display.show_rendering(job)

    def _say(self, sentence: str, span_ms: int) -> None:
        self._views.status.showMessage(sentence, span_ms)
