"""Looks and restyles: starting them, using a look, stopping and pausing."""

from __future__ import annotations

from fresco_client import Job, JobState
from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QWidget

from fresco_gui.confirming import is_confirmed
from fresco_gui.controller import Controller
from fresco_gui.display import Display
from fresco_gui.preferences.shortcuts import on
from fresco_gui.values import Values
from fresco_gui.window.menus import Commands
from fresco_gui.window.views import Views, WindowLayout

_VARIANTS = 4
_STRENGTHS = (0.35, 0.5, 0.65, 0.8, 0.95)


class RestyleActions(QObject):
    """Carries out what inspector, contact sheet and the Restyle menu ask for."""

    def __init__(
        self,
        window: QWidget,
        controller: Controller,
        display: Display,
        views: Views,
        window_layout: WindowLayout,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._controller = controller
        self._display = display
        self._views = views
        self._layout = window_layout
        views.inspector.look_wanted.connect(self.look)
        views.inspector.restyle_wanted.connect(self.restyle)
        views.sheet.restyle_wanted.connect(self.restyle)
        views.jobs.cancelled.connect(self.cancel)

    def connect(self, commands: Commands) -> None:
        """Do what these commands are for."""
        self._views.inspector.offer_variants([commands.vary_seed, commands.vary_strength])
        on(commands.look, self._views.inspector.look_button.click)
        on(commands.vary_seed, self.vary_seed)
        on(commands.vary_strength, self.vary_strength)
        on(commands.show_structure, self.show_structure)
        commands.show_region.toggled.connect(self._display.mark_regions)
        on(commands.use_look, self._views.sheet.use_chosen)
        on(commands.restyle, self._views.inspector.restyle_button.click)
        on(commands.pause, self.pause_or_go_on)
        on(commands.stop, self.stop)

    def look(self) -> None:
        """Restyle the frame in view as it is chosen."""
        self._layout.show_looks()
        self._controller.starter.look(self._views.viewer.frame)

    def vary_seed(self) -> None:
        """The frame in view with several seeds."""
        first = int(self._views.inspector.values().get("seed") or 0)
        self._vary([{"seed": first + offset} for offset in range(_VARIANTS)])

    def vary_strength(self) -> None:
        """The frame in view with several strengths."""
        self._vary([{"strength": strength} for strength in _STRENGTHS])

    def _vary(self, variants: list[Values]) -> None:
        self._layout.show_looks()
        self._controller.starter.look(self._views.viewer.frame, variants)

    def show_structure(self) -> None:
        """Show what of the frame in view binds the result."""
        self._layout.show_looks()
        self._controller.starter.look(self._views.viewer.frame, shows_control=True)

    def restyle(self) -> None:
        """Restyle the clip, or its range."""
        self._layout.show_jobs()
        self._controller.starter.restyle()

    def stop(self) -> None:
        """Stop looks that are being made, else offer to cancel the job."""
        looks = self._controller.starter.looks
        if looks.is_working:
            looks.cancel()
            return
        job = self._controller.shown_job.job()
        if job is not None and not job.state.is_ended:
            self.cancel(job)

    def cancel(self, job: Job) -> None:
        """End a job for good, if it is really meant."""
        if is_confirmed(
            self._window,
            self.tr("Cancel the job"),
            self.tr("Cancel this job for good? To go on later, pause it instead."),
        ):
            self._controller.jobs.cancel(job)

    def pause_or_go_on(self) -> None:
        """Pause the job that is shown; one that is paused or broken off goes on."""
        job = self._controller.shown_job.job()
        if job is None:
            return
        if job.state in (JobState.PAUSED, JobState.FAILED):
            self._controller.jobs.resume(job)
        elif not job.state.is_ended:
            self._controller.jobs.pause(job)
