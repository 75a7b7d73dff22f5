"""The menu bar: which commands stand where."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QObject
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMainWindow, QMenu

from fresco_gui.preferences import Preferences
from fresco_gui.shortcuts import Group, apply_kept
from fresco_gui.window.commands import Commands

_Entries = Sequence[QAction | QMenu | None]
"""None for a line between entries."""


class Menus(QObject):
    """Fills the menu bar; `groups` are its actions for the shortcuts sheet."""

    def __init__(
        self,
        window: QMainWindow,
        commands: Commands,
        preferences: Preferences,
        viewing: Sequence[QAction],
        docks: Sequence[QAction | None],
    ) -> None:
        """`viewing` are the viewer's own actions, `docks` show and hide docks."""
        super().__init__(window)
        self._window = window
        self._preferences = preferences
        self.groups: list[Group] = []
        self.recent = QMenu(self.tr("Open recent"), window)
        self._add(self.tr("&File"), self._file(commands))
        self._add(self.tr("&Restyle"), self._restyle(commands))
        self._add(self.tr("&Keyframes"), self._keyframes(commands))
        shown = [one for one in docks if one is not None]
        self._add(self.tr("&View"), [*viewing, None, *shown, commands.full_screen])
        self._add(self.tr("&Daemon"), [commands.models, commands.look_for_daemon])
        self._add(self.tr("&Help"), [commands.shortcuts, commands.logs, commands.about])

    def _add(self, title: str, entries: _Entries) -> None:
        bar = self._window.menuBar()
        assert bar is not None
        menu = bar.addMenu(title)
        assert menu is not None
        menu.setToolTipsVisible(True)
        for one in entries:
            if one is None:
                menu.addSeparator()
            elif isinstance(one, QMenu):
                menu.addMenu(one)
            else:
                menu.addAction(one)
        actions = [one for one in entries if isinstance(one, QAction)]
        apply_kept(actions, self._preferences)
        self.groups.append((title.replace("&", ""), actions))

    def _file(self, commands: Commands) -> _Entries:
        return (
            commands.open,
            commands.open_folder,
            commands.open_sample,
            self.recent,
            None,
            commands.save_project,
            commands.export,
            None,
            commands.settings,
            commands.close_clip,
            commands.quit,
        )

    def _restyle(self, commands: Commands) -> _Entries:
        return (
            commands.look,
            commands.use_look,
            None,
            commands.restyle,
            commands.pause,
            commands.stop,
        )

    def _keyframes(self, commands: Commands) -> _Entries:
        return (
            commands.reroll,
            commands.edit_prompt,
            commands.replace,
            commands.lock,
            commands.reroll_unlocked,
            None,
            commands.add_key,
            commands.move_key,
            commands.remove_key,
            None,
            commands.previous_key,
            commands.next_key,
        )
