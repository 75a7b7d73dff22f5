"""Owns everything of the app but its window."""

from __future__ import annotations

import logging

from PyQt6.QtCore import QObject, pyqtSignal

from fresco_gui.clips import ClipOpener
from fresco_gui.daemon.connection import DaemonConnection
from fresco_gui.estimates.estimator import CostEstimator
from fresco_gui.estimates.foresight import Foreseer
from fresco_gui.jobs.control import JobControl
from fresco_gui.jobs.shown import ShownJob
from fresco_gui.jobs.starter import JobStarter
from fresco_gui.jobs.versions import Versions
from fresco_gui.preferences.stored import DaemonChoice, Folders, Preferences
from fresco_gui.problems.reporter import Reporter
from fresco_gui.project.store import ProjectStore
from fresco_gui.services import Services
from fresco_gui.stream import Workers

_log = logging.getLogger(__name__)
_LONGEST_GOODBYE_MS = 5000


class Controller(QObject):
    """The app without its window: makes the parts, joins them, ends them.

    Signals:
        possible_changed(): whether something can be started may have changed.
    """

    possible_changed = pyqtSignal()

    def __init__(
        self, preferences: Preferences, folders: Folders, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.services = services = Services(
            preferences=preferences,
            folders=folders,
            workers=Workers(self),
            reporter=Reporter(self),
        )
        self.daemon = daemon = DaemonConnection(services, self)
        self.project_store = project_store = ProjectStore(services, self)
        self.opener = opener = ClipOpener(services, daemon, project_store, self)
        self.jobs = jobs = JobControl(services, daemon, self)
        self.starter = starter = JobStarter(services, daemon, opener, project_store, self)
        self.shown_job = ShownJob(services, daemon, opener, project_store, jobs, self)
        self.versions = Versions(project_store, jobs, starter, self.shown_job, self)
        self.estimator = CostEstimator(daemon, opener, project_store, jobs, starter.looks, self)
        self.foreseer = Foreseer(services, daemon, project_store, self)
        daemon.opened.connect(self._on_daemon_opened)
        for signal in (
            daemon.changed,
            daemon.seen,
            opener.reached,
            opener.closed,
            opener.presence_changed,
            starter.submitting_changed,
            self.shown_job.moved,
        ):
            signal.connect(self.possible_changed)

    def start(self, choice: DaemonChoice | None = None) -> None:
        """Look for the daemon, and start it if none runs."""
        self.daemon.start(choice)
        self.jobs.start()
        self.opener.start()

    def close(self) -> None:
        """End all work here; jobs of the daemon go on."""
        services = self.services
        services.reporter.silence()
        self.jobs.stop()
        self.opener.stop()
        self.estimator.stop()
        self.foreseer.stop()
        self.project_store.close()
        self.shown_job.stop()
        self.starter.looks.cancel()
        self.starter.styles.stop()
        services.workers.stop_all()
        self.daemon.close()
        if not services.workers.wait_all(_LONGEST_GOODBYE_MS):
            _log.warning("some threads have not ended in time")
        services.preferences.save()

    def _on_daemon_opened(self) -> None:
        self.jobs.refresh()
        self.opener.reach()
        self.shown_job.resume()
