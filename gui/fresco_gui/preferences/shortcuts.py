"""Actions with their keys: made in one place, listed in a sheet, changed by the user."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QAction, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QTabBar,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from fresco_gui.plain import PlainLabel
from fresco_gui.preferences.stored import Preferences

_KEYS_PX = 150
Group = tuple[str, Sequence[QAction]]
"""A title of the sheet and the actions below it."""


def action(parent: QObject, name: str, text: str, keys: Sequence[str], *, tip: str = "") -> QAction:
    """An action whose tooltip says its keys; `name` is what preferences know it by."""
    made = QAction(text, parent)
    made.setObjectName(name)
    made.setIconText(text.replace("&", ""))  # It stays where the text says more for a while.
    made.setShortcuts([QKeySequence(key) for key in keys])
    made.setProperty("tip", tip or text.replace("…", "").replace("&", ""))
    refresh_tip(made)
    return made


def on(made: QAction, run: Callable[[], object]) -> None:
    """Do this when the action is wanted."""
    made.triggered.connect(lambda _=False: run())


def refresh_tip(made: QAction) -> None:
    """Let the tooltip say the keys of now."""
    tip = str(made.property("tip") or made.text().replace("&", ""))
    keys = made.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    made.setToolTip(f"{tip} ({keys})" if keys else tip)


def apply_kept(actions: Sequence[QAction], preferences: Preferences) -> None:
    """Give actions the keys that the user has chosen."""
    for one in actions:
        keys = preferences.shortcut(one.objectName()) if one.objectName() else None
        if keys is not None:
            one.setShortcuts([QKeySequence(keys)] if keys else [])
            refresh_tip(one)


class ShortcutsSheet(QDialog):
    """All keys, by group; they can be searched and changed."""

    def __init__(
        self,
        groups: Sequence[Group],
        preferences: Preferences,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Shortcuts"))
        self.resize(560, 640)
        self._preferences = preferences
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setClearButtonEnabled(True)
        self.table = QTableWidget(0, 2)
        self.note = PlainLabel(self.tr("Select keys and press others to change them."))
        self.note.setObjectName("faint")
        self.note.setWordWrap(True)
        self._actions: list[QAction | None] = []
        self._build()
        for title, members in groups:
            self._add_group(title, members)
        self.search.textChanged.connect(self._on_search)

    def _build(self) -> None:
        self.table.setHorizontalHeaderLabels([self.tr("Action"), self.tr("Keys")])
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        rows, columns = self.table.verticalHeader(), self.table.horizontalHeader()
        assert rows is not None
        assert columns is not None
        rows.setVisible(False)
        columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        columns.setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        columns.resizeSection(1, _KEYS_PX)
        columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (self.search, self.table, self.note, buttons):
            column.addWidget(widget)

    def _add_group(self, title: str, members: Sequence[QAction]) -> None:
        named = [one for one in members if one.text() and not one.isSeparator()]
        if not named:
            return
        row = self.table.rowCount()
        self.table.insertRow(row)
        head = QTableWidgetItem(title)
        font = head.font()
        font.setBold(True)
        head.setFont(font)
        self.table.setItem(row, 0, head)
        self._actions.append(None)
        for one in named:
            self._add_action(one)

    def _add_action(self, one: QAction) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        self.table.setItem(row, 0, QTableWidgetItem(one.iconText()))
        self._actions.append(one)
        edit = QKeySequenceEdit(one.shortcut())
        edit.setMaximumSequenceLength(1)
        edit.setAccessibleName(one.iconText())
        others = [keys.toString() for keys in one.shortcuts()[1:]]
        if others:
            edit.setToolTip(self.tr("also {keys}").format(keys=", ".join(others)))
        edit.setEnabled(bool(one.objectName()))
        edit.editingFinished.connect(lambda: self.rebind(one, edit.keySequence()))
        self.table.setCellWidget(row, 1, edit)

    def rebind(self, one: QAction, keys: QKeySequence) -> bool:
        """Give an action other keys, unless another has them; whether it was done."""
        if keys == one.shortcut():
            return True
        holder = self._holder(keys, one)
        if holder is not None:
            self.note.setText(
                self.tr("{keys} is taken by “{action}”.").format(
                    keys=keys.toString(), action=holder.iconText()
                )
            )
            return False
        one.setShortcuts([keys] if not keys.isEmpty() else [])
        refresh_tip(one)
        self._preferences.keep_shortcut(one.objectName(), keys.toString())
        return True

    def _holder(self, keys: QKeySequence, asking: QAction) -> QAction | None:
        """Who has these keys already."""
        others = (one for one in self._actions if one is not None and one is not asking)
        return next((one for one in others if not keys.isEmpty() and keys in one.shortcuts()), None)

    def _on_search(self, text: str) -> None:
        wanted = text.casefold()
        for row, one in enumerate(self._actions):
            item = self.table.item(row, 0)
            title = item.text().casefold() if item else ""
            keys = one.shortcut().toString().casefold() if one else ""
            is_match = one is not None and (wanted in title or wanted in keys)
            self.table.setRowHidden(row, bool(wanted) and not is_match)


_NAVIGATION = frozenset(
    {
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
        Qt.Key.Key_Space,
    }
)
_DIGITS = frozenset(range(Qt.Key.Key_0, Qt.Key.Key_9 + 1))


class FocusFirst(QObject):
    """Lets a control that has the focus have its own keys before they are shortcuts.

    Without this, space would play the clip instead of pressing the button that was tabbed to.
    """

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Claim keys for the control."""
        if _is_undoing(event) and isinstance(watched, QWidget) and not _is_in_dialog(watched):
            # Fields keep no changes of their own: there is one history of all that was chosen.
            assert event is not None
            event.ignore()
            return True
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.modifiers() in (_NO_MODIFIER, Qt.KeyboardModifier.KeypadModifier)
            and _belongs_to(watched, event.key())
        ):
            event.accept()
            return True
        return super().eventFilter(watched, event)


def _is_undoing(event: QEvent | None) -> bool:
    if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
        return False
    undo, redo = QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo
    return event.matches(undo) or event.matches(redo)


def _is_in_dialog(widget: QWidget) -> bool:
    return isinstance(widget.window(), QDialog)


_NO_MODIFIER = Qt.KeyboardModifier.NoModifier


def _belongs_to(control: QObject | None, key: int) -> bool:
    if isinstance(control, QAbstractButton):
        return key == Qt.Key.Key_Space
    if isinstance(control, QComboBox | QAbstractSpinBox | QAbstractSlider):
        return key in _NAVIGATION or key in _DIGITS
    return isinstance(control, QAbstractItemView | QTabBar) and key in _NAVIGATION


def leave_focus_to_tab(window: QWidget) -> None:
    """Clicking a button does not give it the focus, so that space still plays the clip."""
    for button in window.findChildren(QAbstractButton):
        if button.focusPolicy() != Qt.FocusPolicy.NoFocus:
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
