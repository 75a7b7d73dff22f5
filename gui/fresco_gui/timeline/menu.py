"""What can be done to a keyframe, as a menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import QCoreApplication, Qt
from PyQt6.QtWidgets import QMenu, QWidget

from fresco_gui.timeline.content import KeyframeAction, KeyframeState

_OF_KEYFRAMES = (
    KeyframeAction.REROLL,
    KeyframeAction.EDIT_PROMPT,
    KeyframeAction.REPLACE,
    KeyframeAction.LOCK,
    KeyframeAction.MOVE_HERE,
    KeyframeAction.REMOVE,
)
_OF_OTHERS = (KeyframeAction.ADD,)

translate = QCoreApplication.translate


@dataclass(frozen=True)
class MenuRequest:
    """What a menu is for."""

    index: int
    state: KeyframeState | None
    """None for a frame that is no keyframe."""
    frame: int
    """Where playback is."""
    offered: frozenset[KeyframeAction]


def keyframe_menu(
    parent: QWidget, wanted: MenuRequest, on_chosen: Callable[[KeyframeAction], object]
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
    words = {
        KeyframeState.PLANNED: translate("Filmstrip", "planned"),
        KeyframeState.RENDERING: translate("Filmstrip", "rendering"),
        KeyframeState.DONE: translate("Filmstrip", "done"),
        KeyframeState.LOCKED: translate("Filmstrip", "locked"),
        KeyframeState.FAILED: translate("Filmstrip", "failed"),
    }[state]
    return translate("Filmstrip", "Keyframe {index}: {state}").format(index=index, state=words)


def _words(one: KeyframeAction, wanted: MenuRequest) -> str:
    lock = translate("Filmstrip", "Lock")
    if wanted.state is KeyframeState.LOCKED:
        lock = translate("Filmstrip", "Unlock")
    return {
        KeyframeAction.REROLL: translate("Filmstrip", "Reroll"),
        KeyframeAction.EDIT_PROMPT: translate("Filmstrip", "Edit its prompt…"),
        KeyframeAction.REPLACE: translate("Filmstrip", "Replace by a painted image…"),
        KeyframeAction.LOCK: lock,
        KeyframeAction.MOVE_HERE: translate("Filmstrip", "Move to frame {frame}").format(
            frame=wanted.frame
        ),
        KeyframeAction.ADD: translate("Filmstrip", "Make frame {index} a keyframe").format(
            index=wanted.index
        ),
        KeyframeAction.REMOVE: translate("Filmstrip", "Remove"),
    }[one]
