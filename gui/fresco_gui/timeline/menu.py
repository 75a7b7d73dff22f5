"""What can be done to a keyframe, as a menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import QCoreApplication, Qt
from PyQt6.QtWidgets import QMenu, QWidget

from fresco_gui.timeline.states import KeyframeAction, KeyframeState

_OF_KEYFRAMES = (
    KeyframeAction.REROLL,
    KeyframeAction.EDIT_PROMPT,
    KeyframeAction.REPLACE,
    KeyframeAction.LOCK,
    KeyframeAction.MOVE_HERE,
    KeyframeAction.REMOVE,
)
_OF_OTHERS = (KeyframeAction.ADD,)


@dataclass(frozen=True)
class Wanted:
    """What a menu is for."""

    index: int
    state: KeyframeState | None
    """None for a frame that is no keyframe."""
    frame: int
    """Where playback is."""
    offered: frozenset[KeyframeAction]


def keyframe_menu(
    parent: QWidget, wanted: Wanted, on_chosen: Callable[[KeyframeAction], object]
) -> QMenu:
    """The menu for a frame, empty if nothing is offered; it deletes itself when closed."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    listed = _OF_OTHERS if wanted.state is None else _OF_KEYFRAMES
    offered = [one for one in listed if one in wanted.offered]
    if offered and wanted.state is not None:
        title = menu.addAction(keyframe_words(wanted.index, wanted.state))
        if title is not None:
            title.setEnabled(False)
        menu.addSeparator()
    for one in offered:
        made = menu.addAction(_words(one, wanted))
        if made is not None:
            made.setObjectName(one.name)
            made.triggered.connect(lambda _=False, one=one: on_chosen(one))
    return menu


def keyframe_words(index: int, state: KeyframeState) -> str:
    """What is to be said of a keyframe."""
    tr = QCoreApplication.translate
    words = {
        KeyframeState.PLANNED: tr("Filmstrip", "planned"),
        KeyframeState.RENDERING: tr("Filmstrip", "rendering"),
        KeyframeState.DONE: tr("Filmstrip", "done"),
        KeyframeState.LOCKED: tr("Filmstrip", "locked"),
        KeyframeState.STALE: tr("Filmstrip", "stale, to be made again"),
        KeyframeState.FAILED: tr("Filmstrip", "failed"),
    }[state]
    return tr("Filmstrip", "Keyframe {index}: {state}").format(index=index, state=words)


def _words(one: KeyframeAction, wanted: Wanted) -> str:
    tr = QCoreApplication.translate
    is_locked = wanted.state is KeyframeState.LOCKED
    return {
        KeyframeAction.REROLL: tr("Filmstrip", "Reroll"),
        KeyframeAction.EDIT_PROMPT: tr("Filmstrip", "Edit its prompt…"),
        KeyframeAction.REPLACE: tr("Filmstrip", "Replace by a painted image…"),
        KeyframeAction.LOCK: tr("Filmstrip", "Unlock") if is_locked else tr("Filmstrip", "Lock"),
        KeyframeAction.MOVE_HERE: tr("Filmstrip", "Move to frame {frame}").format(
            frame=wanted.frame
        ),
        KeyframeAction.ADD: tr("Filmstrip", "Make frame {index} a keyframe").format(
            index=wanted.index
        ),
        KeyframeAction.REMOVE: tr("Filmstrip", "Remove"),
    }[one]
