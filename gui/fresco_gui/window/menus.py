"""The window's commands, and the menus they are in."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QObject
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMainWindow, QMenu, QWidget

from fresco_gui.preferences.shortcuts import Group, action, apply_kept
from fresco_gui.preferences.stored import Preferences
from fresco_gui.timeline import KeyframeAction
from fresco_gui.viewer.actions import Actions


class Commands(QObject):
    """The actions by name; `name` is also what preferences know one by."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._add_file()
        self._add_edit()
        self._add_restyle()
        self._add_keyframes()
        self._add_comparing()
        self._add_others()

    def _add(self, name: str, text: str, *keys: str, tip: str = "") -> QAction:
        made = action(self._window, name, text, keys, tip=tip)
        self._window.addAction(made)
        return made

    def _add_file(self) -> None:
        add = self._add
        self.open = add("open", self.tr("Open…"), "Ctrl+O")
        self.open_folder = add("open_folder", self.tr("Open a folder of pictures…"), "Ctrl+Shift+O")
        self.open_sample = add("open_sample", self.tr("Open the sample clip"))
        self.save = add("save", self.tr("Save"), "Ctrl+S", tip=self.tr("Save the project"))
        self.save_project = add("save_project", self.tr("Save project as…"), "Ctrl+Shift+S")
        self.export = add("export", self.tr("Export…"), "Ctrl+E", tip=self.tr("Write the result"))
        self.save_frame = add("save_frame", self.tr("Save this frame…"), "Ctrl+Alt+E")
        self.settings = add("settings", self.tr("Settings…"), "Ctrl+,")
        self.close_clip = add("close_clip", self.tr("Close clip"), "Ctrl+W")
        self.quit = add("quit", self.tr("Quit"), "Ctrl+Q")

    def _add_edit(self) -> None:
        add = self._add
        self.undo = add("undo", self.tr("Undo"), "Ctrl+Z")
        self.redo = add("redo", self.tr("Redo"), "Ctrl+Shift+Z", "Ctrl+Y")

    def _add_restyle(self) -> None:
        add = self._add
        self.look = add(
            "look", self.tr("Look"), "Ctrl+L", tip=self.tr("Restyle the current frame only")
        )
        self.vary_seed = add(
            "vary_seed",
            self.tr("Other takes of this look"),
            "Ctrl+Alt+L",
            tip=self.tr("The current frame four times, each another one"),
        )
        self.vary_strength = add(
            "vary_strength",
            self.tr("From faint to strong"),
            "Ctrl+Alt+S",
            tip=self.tr("The current frame with five strengths"),
        )
        self.show_structure = add(
            "show_structure",
            self.tr("Show structure"),
            "Ctrl+Shift+L",
            tip=self.tr("Show what of the current frame binds the result"),
        )
        self.show_region = add(
            "show_region",
            self.tr("Show where it changes"),
            "Ctrl+Shift+R",
            tip=self.tr("Dim what of a look stays as it is in the clip"),
        )
        self.show_region.setCheckable(True)
        self.use_look = add("use_look", self.tr("Use this look"), "Ctrl+U")
        self.restyle = add(
            "restyle",
            self.tr("Restyle"),
            "Ctrl+Return",
            "Ctrl+Enter",
            tip=self.tr("Restyle the clip or its range"),
        )
        self.pause = add("pause", self.tr("Pause or go on"), "Ctrl+P")
        self.stop = add(
            "stop", self.tr("Stop"), "Esc", tip=self.tr("Stop looks, or cancel the job")
        )

    def _add_keyframes(self) -> None:
        add = self._add
        self.reroll = add("reroll", self.tr("Reroll"), "R")
        self.edit_prompt = add("edit_prompt", self.tr("Edit its prompt…"), "Shift+R")
        self.replace = add("replace", self.tr("Replace by a painted image…"))
        self.lock = add("lock", self.tr("Lock or unlock"), "Ctrl+K")
        self.reroll_unlocked = add("reroll_unlocked", self.tr("Reroll all that are not locked"))
        self.add_key = add("add_key", self.tr("Add here"), "M")
        self.move_key = add("move_key", self.tr("Move the nearest here"), "Shift+M")
        self.remove_key = add("remove_key", self.tr("Remove"), "Del")
        self.previous_key = add("previous_key", self.tr("Previous keyframe"), "[")
        self.next_key = add("next_key", self.tr("Next keyframe"), "]")

    def _add_comparing(self) -> None:
        add = self._add
        self.put_a = add(
            "put_a",
            self.tr("See the selected job as A"),
            "Ctrl+1",
            tip=self.tr("Compare the job that is selected in the list"),
        )
        self.put_b = add("put_b", self.tr("See the selected job as B"), "Ctrl+2")
        self.swap = add("swap", self.tr("Swap A and B"), "X")
        self.reset_sides = add("reset_sides", self.tr("Compare clip and result"), "0")

    def _add_others(self) -> None:
        add = self._add
        self.full_screen = add("full_screen", self.tr("Full screen"), "F11")
        self.models = add("models", self.tr("Models…"), "Ctrl+M")
        self.look_for_daemon = add("look_for_daemon", self.tr("Look for the daemon"), "F5")
        self.manual = add("manual", self.tr("How it goes"))
        self.shortcuts = add("shortcuts", self.tr("Shortcuts…"), "?", "F1")
        self.logs = add("logs", self.tr("Show the logs"))
        self.about = add("about", self.tr("About Fresco"))

    def keyframe_actions(self) -> dict[KeyframeAction, QAction]:
        """Those that do something to the keyframe at playback."""
        return {
            KeyframeAction.REROLL: self.reroll,
            KeyframeAction.EDIT_PROMPT: self.edit_prompt,
            KeyframeAction.REPLACE: self.replace,
            KeyframeAction.LOCK: self.lock,
            KeyframeAction.ADD: self.add_key,
            KeyframeAction.MOVE_HERE: self.move_key,
            KeyframeAction.REMOVE: self.remove_key,
        }


_Entries = Sequence[QAction | QMenu | None]
"""None for a line between entries."""


class Menus(QObject):
    """Fills the menu bar; `groups` are its actions for the shortcuts sheet."""

    def __init__(
        self,
        window: QMainWindow,
        commands: Commands,
        preferences: Preferences,
        viewing: Actions,
        docks: Sequence[QAction | None],
    ) -> None:
        """`viewing` are the viewer's own actions, `docks` show and hide docks."""
        super().__init__(window)
        self._window = window
        self._preferences = preferences
        self.groups: list[Group] = []
        self.recent = QMenu(self.tr("Open recent"), window)
        self._add(self.tr("&File"), self._file(commands))
        self._add(self.tr("&Edit"), (commands.undo, commands.redo, None, *viewing.range))
        self._add(self.tr("&Restyle"), self._restyle(commands))
        self._add(self.tr("&Keyframes"), self._keyframes(commands))
        shown = [one for one in docks if one is not None]
        comparing = (commands.put_a, commands.put_b, commands.swap, commands.reset_sides)
        self._add(self.tr("Play&back"), viewing.playing)
        seen = [*viewing.seeing, None, *comparing, None, *shown, commands.full_screen]
        self._add(self.tr("&View"), seen)
        self._add(self.tr("&Help"), self._help(commands))

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
            commands.save,
            commands.save_project,
            commands.export,
            commands.save_frame,
            None,
            commands.settings,
            commands.close_clip,
            commands.quit,
        )

    def _help(self, commands: Commands) -> _Entries:
        return (
            commands.manual,
            commands.shortcuts,
            None,
            commands.look_for_daemon,
            commands.logs,
            commands.about,
        )

    def _restyle(self, commands: Commands) -> _Entries:
        return (
            commands.look,
            commands.vary_seed,
            commands.vary_strength,
            commands.show_structure,
            commands.show_region,
            commands.use_look,
            None,
            commands.restyle,
            commands.pause,
            commands.stop,
            None,
            commands.models,
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
