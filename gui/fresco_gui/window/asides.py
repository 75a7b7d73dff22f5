"""Dialogs beside the window: settings, shortcuts, logs, about."""

from __future__ import annotations

from PyQt6.QtCore import QObject, Qt, QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QMainWindow, QMessageBox

from fresco_gui.controller import Controller
from fresco_gui.plain import plain
from fresco_gui.settings_dialog import SettingsDialog
from fresco_gui.shortcuts import ShortcutsSheet, on
from fresco_gui.window.commands import Commands
from fresco_gui.window.menus import Menus


class Asides(QObject):
    """Opens them, and lets what was chosen in them count."""

    def __init__(
        self, window: QMainWindow, controller: Controller, commands: Commands, menus: Menus
    ) -> None:
        super().__init__(window)
        self._window = window
        self._controller = controller
        self._menus = menus
        on(commands.settings, self.show_settings)
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
