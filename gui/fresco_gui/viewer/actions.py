"""All that can be done in the viewer by keys: words, keys and what they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QWidget

from fresco_gui.plain import plain
from fresco_gui.preferences.shortcuts import refresh_tip
from fresco_gui.viewer import commands
from fresco_gui.viewer.canvas import Canvas
from fresco_gui.viewer.commands import Command
from fresco_gui.viewer.panes import ViewMode
from fresco_gui.viewer.playback import Playback

translate = QCoreApplication.translate
_FAR_STEP = 10
_WIPE_STEP = 0.05
_ZOOM_STEP = 1.25
_ICONS = {
    "start": "to_start",
    "back": "step_back",
    "play": "play",
    "on": "step_on",
    "end": "to_end",
    "loop": "loop",
    "sound": "sound",
}

_Run = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class PlaybackCommands:
    """What the viewer itself does for its actions."""

    set_mode: Callable[[ViewMode], object]
    toggle_original: Callable[[], object]
    set_in: Callable[[], object]
    set_out: Callable[[], object]
    clear_range: Callable[[], object]


class Actions:
    """The viewer's actions, in the groups that menus and the transport bar show."""

    def __init__(
        self, owner: QWidget, canvas: Canvas, playback: Playback, deeds: PlaybackCommands
    ) -> None:
        self._owner = owner
        self._canvas = canvas
        self._playback = playback
        self.play = self._add(
            "play", translate("Viewer", "Play or pause"), "Space", playback.toggle
        )
        self.modes = commands.add_modes(owner, deeds.set_mode)
        self.transport = self._transport()
        self._shuttles = self._shuttle()
        self.range = self._range(deeds)
        self._views = self._view(deeds)
        self.options = self._options()

    def all(self) -> list[QAction]:
        """All of them, in the order of the menus."""
        return [*self.range, *self.playing, *self.seeing]

    @property
    def playing(self) -> list[QAction]:
        """How one gets through the clip."""
        return [*self.transport, *self._shuttles, *self.options]

    @property
    def seeing(self) -> list[QAction]:
        """How it is seen."""
        return [*self._views, *self.modes.values()]

    def name_sides(self, a: str, b: str) -> None:
        """Say what A and B are."""
        for mode, letter, name in ((ViewMode.SOURCE, "A", a), (ViewMode.RESULT, "B", b)):
            self.modes[mode].setProperty("tip", plain(f"{letter}: {name}"))
            refresh_tip(self.modes[mode])

    def _add(
        self,
        name: str,
        text: str,
        keys: str,
        run: Callable[[], object] | None,
        *,
        is_option: bool = False,
    ) -> QAction:
        """`keys` are separated by blanks."""
        command = Command(f"view.{name}", text, keys.split(), run, _ICONS.get(name, ""))
        return commands.add(self._owner, command, is_checkable=is_option)

    def _transport(self) -> list[QAction]:
        add, playback = self._add, self._playback
        return [
            add("start", translate("Viewer", "To the start"), "Home", playback.to_start),
            add("back", translate("Viewer", "One frame back"), "Left", lambda: playback.step(-1)),
            self.play,
            add("on", translate("Viewer", "One frame on"), "Right", lambda: playback.step(1)),
            add("end", translate("Viewer", "To the end"), "End", playback.to_end),
        ]

    def _shuttle(self) -> list[QAction]:
        add, playback = self._add, self._playback
        far = _FAR_STEP
        return [
            add(
                "reverse", translate("Viewer", "Play backwards"), "J", lambda: playback.shuttle(-1)
            ),
            add("pause", translate("Viewer", "Pause"), "K", playback.pause),
            add("forward", translate("Viewer", "Play, faster"), "L", lambda: playback.shuttle(1)),
            add(
                "far_back",
                translate("Viewer", "Ten frames back"),
                "Shift+Left",
                lambda: playback.step(-far),
            ),
            add(
                "far_on",
                translate("Viewer", "Ten frames on"),
                "Shift+Right",
                lambda: playback.step(far),
            ),
        ]

    def _range(self, deeds: PlaybackCommands) -> list[QAction]:
        add = self._add
        return [
            add("in", translate("Viewer", "Set the in point"), "I", deeds.set_in),
            add("out", translate("Viewer", "Set the out point"), "O", deeds.set_out),
            add("whole", translate("Viewer", "Whole clip"), "Alt+X", deeds.clear_range),
        ]

    def _view(self, deeds: PlaybackCommands) -> list[QAction]:
        add, canvas = self._add, self._canvas
        return [
            add("original", translate("Viewer", "Show the original"), "\\", deeds.toggle_original),
            add("fit", translate("Viewer", "Fit"), "F", lambda: canvas.zoom_to(None)),
            add("actual", translate("Viewer", "100 %"), "Ctrl+0", lambda: canvas.zoom_to(1.0)),
            add(
                "nearer", translate("Viewer", "Zoom in"), "+ =", lambda: canvas.zoom_by(_ZOOM_STEP)
            ),
            add(
                "farther",
                translate("Viewer", "Zoom out"),
                "-",
                lambda: canvas.zoom_by(1 / _ZOOM_STEP),
            ),
            add(
                "wipe_back",
                translate("Viewer", "Wipe line back"),
                "Alt+Left",
                lambda: canvas.set_wipe(canvas.wipe - _WIPE_STEP),
            ),
            add(
                "wipe_on",
                translate("Viewer", "Wipe line on"),
                "Alt+Right",
                lambda: canvas.set_wipe(canvas.wipe + _WIPE_STEP),
            ),
        ]

    def _options(self) -> list[QAction]:
        loop = self._add("loop", translate("Viewer", "Loop"), "Shift+L", None, is_option=True)
        sound = self._add("sound", translate("Viewer", "Sound"), "Shift+S", None, is_option=True)
        for option in (loop, sound):
            option.setChecked(True)
        loop.toggled.connect(self._playback.set_looping)
        sound.toggled.connect(self._playback.set_sounding)
        return [loop, sound]
