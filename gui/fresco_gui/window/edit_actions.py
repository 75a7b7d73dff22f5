"""Undoing and doing again."""

from __future__ import annotations

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QWidget

from fresco_gui.preferences.shortcuts import on, refresh_tip
from fresco_gui.project.history import History
from fresco_gui.window.menus import Commands


class EditActions(QObject):
    """Lets the Edit menu say what would be undone, and undoes it."""

    def __init__(self, window: QWidget, history: History) -> None:
        super().__init__(window)
        self._history = history

    def connect(self, commands: Commands) -> None:
        """Do what these commands are for."""
        self._commands = commands
        on(commands.undo, self._history.undo)
        on(commands.redo, self._history.redo)
        self._history.indexChanged.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say what can be undone now."""
        history, commands = self._history, self._commands
        commands.undo.setEnabled(history.canUndo())
        commands.redo.setEnabled(history.canRedo())
        for command, verb, what in (
            (commands.undo, self.tr("Undo"), history.undoText()),
            (commands.redo, self.tr("Redo"), history.redoText()),
        ):
            command.setText(f"{verb}: {what}" if what else verb)
            command.setProperty("tip", command.text())
            refresh_tip(command)
