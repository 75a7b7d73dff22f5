"""Lets commands, buttons and menus say what can be done now."""

from __future__ import annotations

from fresco_client import JobState
from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QWidget

from fresco_gui.controller import Controller
from fresco_gui.stage import Stage
from fresco_gui.window.commands import Commands
from fresco_gui.window.exporting import Exporting
from fresco_gui.window.keyframes import Keyframes
from fresco_gui.window.restyling import Restyling
from fresco_gui.window.views import Views


class Possible(QObject):
    """Looks again whenever something has changed that matters."""

    def __init__(self, window: QWidget, controller: Controller, stage: Stage, views: Views) -> None:
        super().__init__(window)
        self._controller = controller
        self._stage = stage
        self._views = views

    def connect(
        self, commands: Commands, keyframes: Keyframes, exporting: Exporting, restyling: Restyling
    ) -> None:
        """Keep these up to date."""
        self._commands = commands
        self._keyframes = keyframes
        self._exporting = exporting
        controller, model = self._controller, self._controller.jobs.model
        for signal in (
            controller.possible_changed,
            controller.opener.opened,
            controller.keeper.touched,
            controller.keeper.replaced,
            controller.following.followed,
            controller.following.result_here,
            model.dataChanged,
            model.modelReset,
            model.rowsInserted,
            restyling.looks_changed,
            exporting.running_changed,
            self._stage.plan_changed,
            self._stage.result_opened,
        ):
            signal.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Look now."""
        why_not = self._controller.making.why_not()
        self._views.inspector.set_possible(not why_not, why_not)
        self._commands.look.setEnabled(not why_not)
        self._commands.restyle.setEnabled(not why_not)
        self._refresh_job()
        self._refresh_clip()
        self._refresh_keyframes()

    def _refresh_job(self) -> None:
        job = self._controller.following.job()
        is_open = job is not None and not job.state.is_ended
        can_resume = job is not None and bool(job.failure and job.failure.can_resume)
        self._commands.stop.setEnabled(is_open or self._controller.making.looks.is_working)
        self._commands.pause.setEnabled(is_open or can_resume)
        self._commands.use_look.setEnabled(self._views.sheet.chosen() is not None)

    def _refresh_clip(self) -> None:
        has_clip = bool(self._controller.keeper.project.clip)
        self._commands.save_project.setEnabled(has_clip)
        self._commands.close_clip.setEnabled(has_clip)
        can_export = self._stage.has_whole_result and not self._exporting.is_running
        self._commands.export.setEnabled(can_export)

    def _refresh_keyframes(self) -> None:
        offered = self._keyframes.offered()
        for what, command in self._commands.keyframe_actions().items():
            command.setEnabled(what in offered)
        job = self._controller.following.job()
        self._commands.reroll_unlocked.setEnabled(job is not None and job.state is JobState.DONE)
        self._views.filmstrip.set_actions(offered)
