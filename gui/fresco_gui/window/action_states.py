"""Lets commands, buttons and menus say what can be done now."""

from __future__ import annotations

from fresco_client import JobState
from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QWidget

from fresco_gui.controller import Controller
from fresco_gui.display import Display
from fresco_gui.window.export_actions import ExportActions
from fresco_gui.window.keyframe_actions import KeyframeActions
from fresco_gui.window.look_actions import LookActions
from fresco_gui.window.menus import Commands
from fresco_gui.window.views import Views


class ActionStates(QObject):
    """Looks again whenever something has changed that matters."""

    def __init__(
        self, window: QWidget, controller: Controller, display: Display, views: Views
    ) -> None:
        super().__init__(window)
        self._controller = controller
        self._display = display
        self._views = views

    def connect(
        self,
        commands: Commands,
        keyframes: KeyframeActions,
        export_actions: ExportActions,
        look_actions: LookActions,
    ) -> None:
        """Keep these up to date."""
        self._commands = commands
        self._keyframes = keyframes
        self._export_actions = export_actions
        controller, model = self._controller, self._controller.jobs.model
        for signal in (
            controller.possible_changed,
            controller.opener.opened,
            controller.opener.reached,
            controller.opener.closed,
            controller.project_store.touched,
            controller.project_store.replaced,
            controller.shown_job.followed,
            controller.shown_job.result_here,
            model.dataChanged,
            model.modelReset,
            model.rowsInserted,
            look_actions.looks_changed,
            export_actions.running_changed,
            self._display.plan_changed,
            self._display.result_opened,
        ):
            signal.connect(self.refresh)
        for one in (self._commands.look, self._commands.restyle):
            one.changed.connect(self._say_keys)
        self._say_keys()
        self.refresh()

    def _say_keys(self) -> None:
        commands = self._commands
        self._views.inspector.set_tips(commands.look.toolTip(), commands.restyle.toolTip())

    def refresh(self) -> None:
        """Look now."""
        why_not = self._controller.starter.why_not()
        inspector = self._views.inspector
        inspector.set_possible(not why_not, why_not)
        self._commands.look.setEnabled(not why_not)
        self._commands.vary_seed.setEnabled(not why_not)
        self._commands.vary_strength.setEnabled(not why_not)
        has_clip = self._controller.opener.clip is not None
        self._views.sheet.set_possible(
            can_restyle=not why_not,
            can_show=has_clip and self._controller.daemon.state.is_connected,
        )
        self._commands.show_structure.setEnabled(not why_not)
        self._commands.restyle.setEnabled(not why_not)
        self._refresh_job()
        self._refresh_clip()
        self._refresh_keyframes()

    def _refresh_job(self) -> None:
        job = self._controller.shown_job.job()
        is_open = job is not None and not job.state.is_ended
        can_resume = job is not None and bool(job.failure and job.failure.can_resume)
        self._commands.stop.setEnabled(is_open or self._controller.starter.looks.is_working)
        self._commands.pause.setEnabled(is_open or can_resume)
        chosen = self._views.sheet.chosen()
        self._commands.use_look.setEnabled(chosen is not None and not chosen.part.is_control)

    def _refresh_clip(self) -> None:
        has_clip = bool(self._controller.project_store.project.clip)
        self._commands.save.setEnabled(has_clip)
        self._commands.save_frame.setEnabled(has_clip)
        self._commands.save_project.setEnabled(has_clip)
        self._commands.close_clip.setEnabled(has_clip)
        self._commands.export.setEnabled(self._export_actions.can_export)

    def _refresh_keyframes(self) -> None:
        offered = self._keyframes.offered()
        for what, command in self._commands.keyframe_actions().items():
            command.setEnabled(what in offered)
        job = self._controller.shown_job.job()
        self._commands.reroll_unlocked.setEnabled(job is not None and job.state is JobState.DONE)
        self._views.filmstrip.set_actions(offered)
