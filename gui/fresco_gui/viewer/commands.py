"""The viewer's actions with their keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import QWidget

from fresco_gui.preferences.shortcuts import action, on
from fresco_gui.viewer.icons import icon
from fresco_gui.viewer.panes import ViewMode

_Run = Callable[[], object]

translate = QCoreApplication.translate


@dataclass(frozen=True)
class Command:
    """One action: what preferences call it, what it says, its keys and what it does."""

    name: str
    text: str
    keys: Sequence[str]
    run: _Run | None
    icon: str = ""


def mode_commands(choose: Callable[[ViewMode], object]) -> dict[ViewMode, Command]:
    """One for each way to look at source and result."""
    listed = (
        (ViewMode.SOURCE, "source", translate("Viewer", "A alone"), ("1",)),
        (ViewMode.RESULT, "result", translate("Viewer", "B alone"), ("2",)),
        (ViewMode.WIPE_VERTICAL, "wipe_vertical", translate("Viewer", "Wipe"), ("W",)),
        (
            ViewMode.WIPE_HORIZONTAL,
            "wipe_horizontal",
            translate("Viewer", "Wipe, top and bottom"),
            ("Shift+W",),
        ),
        (ViewMode.SIDE_BY_SIDE, "side_by_side", translate("Viewer", "Side by side"), ("S",)),
        (ViewMode.DIFFERENCE, "difference", translate("Viewer", "Difference"), ("D",)),
        (ViewMode.ONION, "onion", translate("Viewer", "Onion skin"), ("N",)),
    )
    return {
        mode: Command(f"view.{name}", text, keys, lambda mode=mode: choose(mode), name)
        for mode, name, text, keys in listed
    }


def add(owner: QWidget, command: Command, *, is_checkable: bool = False) -> QAction:
    """Make the action, which works while `owner`'s window is the active one."""
    made = action(owner, command.name, command.text, command.keys)
    if command.run is not None:
        on(made, command.run)
    made.setCheckable(is_checkable)
    if command.icon:
        made.setIcon(icon(command.icon))
    owner.addAction(made)
    return made


def add_modes(owner: QWidget, choose: Callable[[ViewMode], object]) -> dict[ViewMode, QAction]:
    """The actions of all modes, one of them checked."""
    group = QActionGroup(owner)
    made: dict[ViewMode, QAction] = {}
    for mode, command in mode_commands(choose).items():
        made[mode] = add(owner, command, is_checkable=True)
        group.addAction(made[mode])
    made[ViewMode.SOURCE].setChecked(True)
    return made
