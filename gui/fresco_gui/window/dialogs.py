"""Dialogs beside the window, and the question before it closes."""

from __future__ import annotations

from collections.abc import Sequence

from fresco_client import Job
from PyQt6.QtCore import QObject, Qt, QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QMainWindow, QMessageBox, QWidget

from fresco_gui.controller import Controller
from fresco_gui.jobs.control import JobControl
from fresco_gui.plain import plain
from fresco_gui.preferences.dialog import SettingsDialog
from fresco_gui.preferences.shortcuts import ShortcutsSheet, on
from fresco_gui.window.export_actions import ExportActions
from fresco_gui.window.manual import Manual
from fresco_gui.window.menus import Commands, Menus


class CloseConfirmation(QObject):
    """Whether the window may close, and what becomes of jobs then."""

    def __init__(self, window: QWidget, jobs: JobControl, export_actions: ExportActions) -> None:
        super().__init__(window)
        self._window = window
        self._jobs = jobs
        self._export_actions = export_actions

    def is_allowed(self) -> bool:
        """Ask if anything runs; the answer is carried out."""
        jobs = self._jobs.open_jobs()
        if not jobs and not self._export_actions.is_running:
            return True
        box = QMessageBox(self._window)
        box.setObjectName("closing")
        box.setWindowTitle(self.tr("Close Fresco"))
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(self._what_runs(jobs))
        leave = self.tr("Leave running") if jobs else self.tr("Close")
        go = box.addButton(leave, QMessageBox.ButtonRole.AcceptRole)
        cancel = self._offer_cancel(box, len(jobs)) if jobs else None
        stay = box.addButton(self.tr("Stay"), QMessageBox.ButtonRole.RejectRole)
        # Leaving jobs running loses nothing, stopping an export does.
        box.setDefaultButton(stay if self._export_actions.is_running else go)
        box.setEscapeButton(stay)
        box.exec()
        if box.clickedButton() is stay:
            return False
        if cancel is not None and box.clickedButton() is cancel:
            self._jobs.cancel_and_wait(jobs)
        return True

    def _offer_cancel(self, box: QMessageBox, count: int) -> object:
        text = self.tr("The daemon can finish it without this window; you find it here again.")
        cancel = self.tr("Cancel the job")
        if count > 1:
            text = self.tr(
                "The daemon can finish them without this window; you find them here again."
            )
            cancel = self.tr("Cancel the jobs")
        box.setInformativeText(text)
        return box.addButton(cancel, QMessageBox.ButtonRole.DestructiveRole)

    def _what_runs(self, jobs: Sequence[Job]) -> str:
        export = self.tr("An export is being written. Closing stops it.")
        if not jobs:
            return export
        text = self.tr("A job is running.")
        if len(jobs) > 1:
            text = self.tr("{count} jobs are running or waiting.").format(count=len(jobs))
        return f"{text} {export}" if self._export_actions.is_running else text


class Dialogs(QObject):
    """Opens them, and lets what was chosen in them count."""

    def __init__(
        self, window: QMainWindow, controller: Controller, commands: Commands, menus: Menus
    ) -> None:
        super().__init__(window)
        self._window = window
        self._controller = controller
        self._menus = menus
        on(commands.settings, self.show_settings)
        on(commands.manual, self.show_manual)
        on(commands.shortcuts, self.show_shortcuts)
        on(commands.logs, self.show_logs)
        on(commands.about, self.show_about)
        on(commands.full_screen, self.toggle_full_screen)

    def show_settings(self) -> None:
        """Ask for settings, and look for another daemon if one was chosen."""
        services = self._controller.services
        dialog = SettingsDialog(services.preferences, services.folders, self._window)
        if dialog.exec():
            is_other = dialog.has_other_daemon
            dialog.keep()
            if is_other:
                self._controller.start()

    def shortcuts_sheet(self) -> ShortcutsSheet:
        """All actions of the window with their keys."""
        preferences = self._controller.services.preferences
        return ShortcutsSheet(self._menus.groups, preferences, self._window)

    def show_manual(self) -> None:
        """Say what is done in which order."""
        manual = Manual(self._window)
        manual.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        manual.show()

    def show_shortcuts(self) -> None:
        """Open the sheet of all keys."""
        sheet = self.shortcuts_sheet()
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.show()

    def show_logs(self) -> None:
        """Open the folder that holds the log."""
        folder = self._controller.services.folders.state
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def show_about(self) -> None:
        """Say what this is."""
        view = self._controller.daemon.view
        version = plain(view.server.version) if view else self.tr("not there")
        QMessageBox.about(
            self._window,
            self.tr("About Fresco"),
            self.tr("Fresco restyles video by text.\n\nDaemon: {version}").format(version=version),
        )

    def toggle_full_screen(self) -> None:
        """Fill the screen, or no longer."""
        state = self._window.windowState() ^ Qt.WindowState.WindowFullScreen
        self._window.setWindowState(state)
