"""Looks and restyles: starting them, using a look, stopping and pausing."""

from __future__ import annotations

from fractions import Fraction

from fresco_client import JobState, values_of
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QMessageBox, QWidget

from fresco_gui.controller import Controller
from fresco_gui.display import Display
from fresco_gui.looks import LookPicture, LookRequest
from fresco_gui.preferences.shortcuts import on
from fresco_gui.values import OF_ONE_CLIP
from fresco_gui.window.menus import Commands
from fresco_gui.window.views import Views, WindowLayout


class RestyleActions(QObject):
    """Carries out what inspector, contact sheet and the Restyle menu ask for.

    Signals:
        looks_changed(): looks began or ended, or another one is chosen.
    """

    looks_changed = pyqtSignal()

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
        self._connect_looks(display)

    def _connect_looks(self, display: Display) -> None:
        looks, sheet = self._controller.starter.looks, self._views.sheet
        looks.began.connect(self._on_looks_began)
        looks.moved.connect(sheet.move)
        looks.arrived.connect(sheet.add)
        looks.ended.connect(self._on_looks_ended)
        sheet.shown.connect(display.show_look)
        sheet.shown.connect(self.looks_changed)
        sheet.used.connect(self.use)
        sheet.cancel_wanted.connect(looks.cancel)

    def connect(self, commands: Commands) -> None:
        """Do what these commands are for."""
        on(commands.look, self._views.inspector.look_button.click)
        on(commands.show_structure, self.show_structure)
        on(commands.use_look, self._views.sheet.use_chosen)
        on(commands.restyle, self._views.inspector.restyle_button.click)
        on(commands.pause, self.pause_or_go_on)
        on(commands.stop, self.stop)

    def look(self, count: int) -> None:
        """Restyle the frame in view with so many seeds."""
        self._layout.show_looks()
        self._controller.starter.look(self._views.viewer.frame, count)

    def show_structure(self) -> None:
        """Show what of the frame in view binds the result."""
        self._layout.show_looks()
        self._controller.starter.look(self._views.viewer.frame, 1, shows_control=True)

    def use(self, look: LookPicture) -> None:
        """Take a look's seed and settings, whatever was chosen since it was made."""
        inspector = self._views.inspector
        of_clip = {name: one for name, one in inspector.values().items() if name in OF_ONE_CLIP}
        inspector.set_values({**values_of(look.settings), **of_clip, "seed": look.seed})
        inspector.changed.emit()
        text = self.tr("Seed {seed} is used.").format(seed=look.seed)
        self._views.status.showMessage(text, 5000)

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
            asked = QMessageBox.question(
                self._window,
                self.tr("Cancel the job"),
                self.tr("Cancel this job for good? To go on later, pause it instead."),
            )
            if asked is QMessageBox.StandardButton.Yes:
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

    def _on_looks_began(self, order: LookRequest) -> None:
        info = self._display.source.info if self._display.source else None
        self._views.sheet.begin(order, info.pixel_aspect if info else Fraction(1))
        self.looks_changed.emit()

    def _on_looks_ended(self) -> None:
        self._views.sheet.end()
        self.looks_changed.emit()
