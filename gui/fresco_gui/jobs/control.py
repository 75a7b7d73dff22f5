"""Lists the daemon's jobs, and does to them what is asked for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import cast

from fresco_client import Job, JobState, NotPossibleNow, Picture, PictureOptions, Session
from PyQt6.QtCore import QObject, QTimer, pyqtSignal
from PyQt6.QtGui import QImage

from fresco_gui.daemon.connection import DaemonConnection
from fresco_gui.jobs.model import JobListModel
from fresco_gui.media import MediaError
from fresco_gui.media.reader import open_reader
from fresco_gui.services import Services

_log = logging.getLogger(__name__)
_LIST_EVERY_MS = 1500
_SHOWN = 200
_PICTURE_PX = 160
_LONGEST_GOODBYE_MS = 3000

_Verb = Callable[[Session, str], Job]


class JobControl(QObject):
    """Keeps `model` up to date and tells the daemon what to do with its jobs.

    Signals:
        resumed(Job): it goes on, and can be followed again.
    """

    resumed = pyqtSignal(object)

    def __init__(
        self, services: Services, daemon: DaemonConnection, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._daemon = daemon
        self.model = JobListModel(self)
        self._is_listing = False
        self._is_list_outdated = False
        self._timer = QTimer(self)
        self._timer.setInterval(_LIST_EVERY_MS)
        self._timer.timeout.connect(self.refresh)
        self._is_fetching = False
        self.model.refreshed.connect(self._fetch_picture)

    def start(self) -> None:
        """List them again and again from now on."""
        self._timer.start()

    def stop(self) -> None:
        """List them no more."""
        self._timer.stop()

    def refresh(self) -> None:
        """List them now."""
        session = self._daemon.session
        if session is None or self._is_listing or not self._daemon.state.is_connected:
            return
        self._is_listing = True
        self._services.workers.call(
            lambda: list(islice(session.jobs(), _SHOWN)), self._on_listed, self._on_not_listed
        )

    def put(self, job: Job) -> None:
        """Take a newer word on one job, or a new job."""
        self.model.put(job)
        self._outdate_list()

    def end(self, job_id: str, state: JobState) -> None:
        """A job is known to have ended."""
        self.model.move_to(job_id, state)
        self._outdate_list()
        self.refresh()

    def open_jobs(self) -> list[Job]:
        """Jobs that run or wait to."""
        return [
            job
            for job in self.model.jobs
            if not job.state.is_ended and job.state is not JobState.PAUSED
        ]

    def pause(self, job: Job) -> None:
        """Let a job stop for now."""
        self._act(job, Session.pause, self.tr("The job cannot be paused"), self.put)

    def resume(self, job: Job) -> None:
        """Let a job go on."""
        self._act(job, Session.resume, self.tr("The job cannot go on"), self._on_resumed)

    def cancel(self, job: Job) -> None:
        """End a job for good; one that has ended meanwhile is as it was wanted."""
        session = self._daemon.session
        if session is None:
            return
        title = self.tr("The job cannot be cancelled")

        def failed(error: Exception) -> None:
            if isinstance(error, NotPossibleNow):
                self.refresh()
            else:
                self._services.reporter.tell(error, title)

        self._services.workers.call(
            lambda: session.cancel(job.id), lambda ended: self.put(cast(Job, ended)), failed
        )

    def cancel_and_wait(self, jobs: Sequence[Job]) -> None:
        """End jobs for good before the app goes, which does not wait for ever."""
        session = self._daemon.session
        if session is None:
            return
        for job in jobs:
            worker = self._services.workers.call(
                lambda job=job: session.cancel(job.id), lambda _: None
            )
            worker.wait(_LONGEST_GOODBYE_MS)

    def delete(self, job: Job) -> None:
        """Forget a job and what the daemon has of it."""
        session = self._daemon.session
        if session is None:
            return
        title = self.tr("The job cannot be deleted")
        self._services.workers.call(
            lambda: session.delete(job.id),
            lambda _: self._forget(job.id),
            lambda error: self._services.reporter.tell(error, title),
        )

    def _act(self, job: Job, verb: _Verb, title: str, done: Callable[[Job], None]) -> None:
        session = self._daemon.session
        if session is None:
            return
        self._services.workers.call(
            lambda: verb(session, job.id),
            lambda changed: done(cast(Job, changed)),
            lambda error: self._services.reporter.tell(error, title),
        )

    def _forget(self, job_id: str) -> None:
        self.model.remove(job_id)
        self._outdate_list()

    def _outdate_list(self) -> None:
        """A list that is on its way may not know what was just put, moved or removed."""
        self._is_list_outdated = self._is_listing

    def _on_resumed(self, job: Job) -> None:
        self.put(job)
        self.resumed.emit(job)

    def _on_listed(self, jobs: object) -> None:
        self._is_listing = False
        if self._is_list_outdated:
            self._is_list_outdated = False
            self.refresh()
            return
        self.model.show(cast(list[Job], jobs))

    def _fetch_picture(self) -> None:
        """Have small pictures of a job that has none yet, one job after the other."""
        session, job = self._daemon.session, self.model.without_picture()
        if session is None or job is None or self._is_fetching:
            return
        self._is_fetching = True
        key = job.ready_keyframes[len(job.ready_keyframes) // 2]
        options = PictureOptions(encoding="jpeg", long_side=_PICTURE_PX)

        def fetch() -> tuple[Picture, QImage | None]:
            return session.frame(job.id, "keyframe", key, options), _before(job, key)

        def done(found: object) -> None:
            self._is_fetching = False
            picture, before = cast(tuple[Picture, QImage | None], found)
            self.model.set_picture(job.id, QImage.fromData(picture.data), before)
            self._fetch_picture()

        def failed(error: Exception) -> None:
            self._is_fetching = False
            _log.info("job %s has no picture: %s", job.id, error)

        self._services.workers.call(fetch, done, failed)

    def _on_not_listed(self, error: Exception) -> None:
        self._is_listing = False
        _log.info("jobs cannot be listed: %s", error)


def _before(job: Job, index: int) -> QImage | None:
    """The clip's own frame, small, if the clip is on this machine."""
    path = Path(job.clip.path) if job.clip is not None and job.clip.path else None
    if path is None or job.clip is None:
        return None
    try:
        reader = open_reader(path, frame_rate=job.clip.frame_rate)
        if reader is None:
            return None
        try:
            info = reader.info
            share = _PICTURE_PX / max(info.width, info.height)
            size = max(round(info.width * share), 1), max(round(info.height * share), 1)
            return reader.image(index, size, is_exact=False)
        finally:
            reader.close()
    except MediaError as error:
        _log.info("job %s has no picture of before: %s", job.id, error)
        return None
