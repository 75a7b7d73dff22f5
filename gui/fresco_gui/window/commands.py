"""Every action of the window but the viewer's own: its words and its keys.

What an action does is connected by the object that does it; see the other modules here.
"""

from __future__ import annotations

from PyQt6.QtCore import QObject
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QWidget

from fresco_gui.shortcuts import action
from fresco_gui.timeline import KeyframeAction


class Commands(QObject):
    """The actions by name; `name` is also what preferences know one by."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._add_file()
        self._add_restyle()
        self._add_keyframes()
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
        self.save_project = add("save_project", self.tr("Save project as…"), "Ctrl+Shift+S")
        self.export = add("export", self.tr("Export…"), "Ctrl+E", tip=self.tr("Write the result"))
        self.settings = add("settings", self.tr("Settings…"), "Ctrl+,")
        self.close_clip = add("close_clip", self.tr("Close clip"), "Ctrl+W")
        self.quit = add("quit", self.tr("Quit"), "Ctrl+Q")

    def _add_restyle(self) -> None:
        add = self._add
        self.look = add(
            "look", self.tr("Look"), "Ctrl+L", tip=self.tr("Restyle the current frame only")
        )
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

    def _add_others(self) -> None:
        add = self._add
        self.full_screen = add("full_screen", self.tr("Full screen"), "F11")
        self.models = add("models", self.tr("Models…"), "Ctrl+M")
        self.look_for_daemon = add("look_for_daemon", self.tr("Look for the daemon"), "F5")
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
