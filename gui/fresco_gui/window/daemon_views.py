"""Shows what the daemon is, has, and asks for a restyle."""

from __future__ import annotations

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QWidget

from fresco_gui.controller import Controller
from fresco_gui.daemon.watcher import DaemonView
from fresco_gui.estimates.foresight import Foresight
from fresco_gui.models import ModelManager
from fresco_gui.preferences.shortcuts import on
from fresco_gui.window.menus import Commands
from fresco_gui.window.views import Views


class DaemonViews(QObject):
    """Brings what the daemon says to status line, inspector and the model manager."""

    def __init__(self, window: QWidget, controller: Controller, views: Views) -> None:
        super().__init__(window)
        self._controller = controller
        self._views = views
        self.models = ModelManager(controller.services.workers, window)
        controller.daemon.changed.connect(views.status.show_daemon)
        controller.daemon.seen.connect(self._on_seen)
        controller.estimator.estimated.connect(views.inspector.show_estimate)
        controller.foreseer.foreseen.connect(self._on_foreseen)
        self.models.problem.connect(self._on_model_problem)
        self.models.changed.connect(controller.daemon.look_now)

    def connect(self, commands: Commands) -> None:
        """Do what these commands are for."""
        on(commands.models, self.show_models)
        on(commands.look_for_daemon, self._controller.daemon.look_now)

    def show_models(self) -> None:
        """Open the model manager."""
        self._controller.daemon.look_now()
        self.models.show()
        self.models.raise_()

    def _on_seen(self, view: DaemonView) -> None:
        if view.server.capabilities is not None:
            self._views.inspector.show_capabilities(view.server.capabilities, view.models)
        self.models.show_models(self._controller.daemon.session, view.models)
        self._views.status.show_server(view)

    def _on_foreseen(self, found: Foresight) -> None:
        self._views.inspector.form.show_resolved(found.values)
        self._views.inspector.form.show_words(found.words)

    def _on_model_problem(self, error: Exception) -> None:
        self._controller.services.reporter.tell(error, self.tr("Model"))
