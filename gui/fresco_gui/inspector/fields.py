"""One widget per kind of setting. Each can be left open, and then says what holds instead."""

from __future__ import annotations

import secrets
from typing import Any

from fresco_client import Parameter, Style
from fresco_media.files.numbers import whole_of
from fresco_media.files.text import printable
from fresco_settings import words_for
from PyQt6.QtCore import (
    QCoreApplication,
    QEvent,
    QMimeData,
    QObject,
    Qt,
    pyqtSignal,
)
from PyQt6.QtGui import QTextCursor
from PyQt6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QToolButton,
    QWidget,
)

from fresco_gui.numbers import DecimalBox, IntegerBox, WholeNumberValidator
from fresco_gui.plain import plain

_INT_LIMIT = 2**31 - 1
_STEPS_PER_UNIT = 20
_SEED_DIGITS = 18
FILES = frozenset({"subject_mask", "reference", "reference_model"})
"""Settings that are files, chosen in a dialog."""


def translated(text: str) -> str:
    """A word of a declaration, which the daemon tells in English."""
    return QCoreApplication.translate("Setting", text) if text else ""


def translated_title(parameter: Parameter) -> str:
    """What a setting is called; one that only a newer daemon knows is called what it says."""
    return translated(parameter.readable_title)


class Field(QWidget):
    """A setting. Its value is None while it is left open.

    Signals:
        changed(): the user has chosen another value.
    """

    changed = pyqtSignal()

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)

    def value(self) -> Any:
        """What is chosen, or None."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show a choice, or None for none."""
        raise NotImplementedError

    def _hold(self, widget: QWidget) -> None:
        """Take the widget that does the work."""
        widget.setAccessibleName(translated_title(self.parameter))
        widget.setAccessibleDescription(self.parameter.description)
        if not isinstance(widget, QPlainTextEdit | QLineEdit):
            widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            widget.installEventFilter(self)
        self._row.addWidget(widget, 1)
        self.setFocusProxy(widget)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Let the wheel scroll the form instead of changing values it passes over."""
        is_wheel = event is not None and event.type() == QEvent.Type.Wheel
        if is_wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            assert event is not None
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _default_text(self) -> str:
        """What holds while it is left open."""
        value = self.parameter.default
        if isinstance(value, bool):
            return (
                QCoreApplication.translate("Field", "default: on")
                if value
                else QCoreApplication.translate("Field", "default: off")
            )
        if value is None and not self.parameter.default_text:
            return QCoreApplication.translate("Field", "automatic")
        shown = translated(self.parameter.default_text) if value is None else words_for(value)
        return QCoreApplication.translate("Field", "default: {value}").format(value=shown)


class _PromptEdit(QPlainTextEdit):
    """A field for words only: files that are dropped here are the window's, to be opened."""

    def canInsertFromMimeData(self, source: QMimeData | None) -> bool:  # noqa: N802
        """Whether it is text."""
        return source is not None and not source.hasUrls() and super().canInsertFromMimeData(source)


class PromptField(Field):
    """Words, over several lines."""

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parameter, parent)
        self._edit = _PromptEdit()
        self._edit.setTabChangesFocus(True)
        self._edit.setPlaceholderText(parameter.description)
        self._edit.setFixedHeight(3 * self._edit.fontMetrics().lineSpacing() + 16)
        self._edit.textChanged.connect(self.changed)
        self._hold(self._edit)

    def value(self) -> str | None:
        return self._edit.toPlainText().strip() or None

    def set_value(self, value: Any) -> None:
        if (value or None) != self.value():
            self._edit.setPlainText(str(value or ""))
            self._edit.moveCursor(QTextCursor.MoveOperation.End)


class TextField(Field):
    """Words on one line."""

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parameter, parent)
        self._edit = QLineEdit()
        self._edit.setPlaceholderText(parameter.description)
        self._edit.textEdited.connect(self.changed)
        self._hold(self._edit)

    def value(self) -> str | None:
        return self._edit.text().strip() or None

    def set_value(self, value: Any) -> None:
        self._edit.setText(str(value or ""))


class FileField(TextField):
    """The name of a file: typed, or chosen in a dialog."""

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parameter, parent)
        choose = QToolButton()
        choose.setText(self.tr("Choose…"))
        choose.setToolTip(plain(parameter.description))
        choose.setAccessibleName(
            self.tr("Choose: {title}").format(title=translated_title(parameter))
        )
        choose.clicked.connect(self._on_choose)
        self._row.addWidget(choose)

    def _on_choose(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, translated_title(self.parameter), self.value() or ""
        )
        if name:
            self.set_value(name)
            self.changed.emit()


class ChoiceField(Field):
    """One of some words."""

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parameter, parent)
        self._box = QComboBox()
        self._box.addItem(self._default_text(), None)
        for choice in parameter.choices:
            self._box.addItem(choice, choice)
        self._box.activated.connect(self.changed)
        self._hold(self._box)

    def value(self) -> Any:
        return self._box.currentData()

    def set_value(self, value: Any) -> None:
        index = self._box.findData(value)
        if index < 0 and value is not None:
            # Chosen with another model or daemon: kept, and said no to by this one.
            self._box.addItem(str(value), value)
            index = self._box.count() - 1
        self._box.setCurrentIndex(max(index, 0))


class SuggestionField(Field):
    """Words, some of which are offered."""

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parameter, parent)
        self._box = QComboBox()
        self._box.setEditable(True)
        self._box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._box.addItems(["", *parameter.choices])
        line = self._box.lineEdit()
        assert line is not None
        line.setPlaceholderText(self._default_text())
        line.textEdited.connect(self.changed)
        self._box.activated.connect(self.changed)
        self._hold(self._box)

    def value(self) -> str | None:
        return self._box.currentText().strip() or None

    def set_value(self, value: Any) -> None:
        if (value or None) != self.value():
            self._box.setEditText(str(value or ""))


class SwitchField(ChoiceField):
    """On, off, or left open."""

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parameter, parent)
        self._box.addItem(self.tr("on"), True)
        self._box.addItem(self.tr("off"), False)


class StyleField(ChoiceField):
    """A look that the model knows."""

    def __init__(
        self, parameter: Parameter, styles: tuple[Style, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(parameter, parent)
        self.set_styles(styles)

    def set_styles(self, styles: tuple[Style, ...]) -> None:
        """Offer these instead."""
        chosen = self.value()
        self._box.clear()
        self._box.addItem(self.tr("none"), None)
        for style in styles:
            self._box.addItem(printable(style.name), style.name)
            self._box.setItemData(
                self._box.count() - 1,
                plain(style.prompt or style.words),
                Qt.ItemDataRole.ToolTipRole,
            )
        self.set_value(chosen)


class IntegerField(Field):
    """A whole number."""

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parameter, parent)
        low = int(max(parameter.minimum or 0, -_INT_LIMIT))
        self._box = IntegerBox()
        self._open = low - 1
        self._box.setRange(self._open, int(min(parameter.maximum or _INT_LIMIT, _INT_LIMIT)))
        self._box.setSpecialValueText(self._default_text())
        self._box.setValue(self._open)
        self._box.setKeyboardTracking(False)
        self._box.valueChanged.connect(self.changed)
        self._hold(self._box)

    def value(self) -> int | None:
        value = self._box.value()
        return None if value == self._open else value

    def set_value(self, value: Any) -> None:
        self._box.setValue(self._open if value is None else int(value))


class NumberField(Field):
    """A number with a fraction."""

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parameter, parent)
        low = parameter.minimum or 0.0
        high = 1e6 if parameter.maximum is None else parameter.maximum
        step = _step(high - low)
        self._box = DecimalBox()
        self._box.setDecimals(3 if step < 0.01 else 2)
        self._open = round(low - step, 3)
        self._box.setRange(self._open, high)
        self._box.setSingleStep(step)
        self._box.setSpecialValueText(self._default_text())
        self._box.setValue(self._open)
        self._box.setKeyboardTracking(False)
        self._box.valueChanged.connect(self.changed)
        self._hold(self._box)

    def value(self) -> float | None:
        value = self._box.value()
        low = self.parameter.minimum or 0.0
        return None if value < low else round(value, 6)

    def set_value(self, value: Any) -> None:
        self._box.setValue(self._open if value is None else float(value))


class SeedField(Field):
    """A seed: typed, drawn at random, or left open."""

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parameter, parent)
        self._edit = QLineEdit()
        self._edit.setValidator(WholeNumberValidator(_SEED_DIGITS, self._edit))
        self._edit.setPlaceholderText(self._default_text())
        self._edit.textEdited.connect(self.changed)
        self._edit.editingFinished.connect(self._on_edited)
        self._hold(self._edit)
        draw = QToolButton()
        draw.setText(self.tr("Random"))
        draw.setToolTip(self.tr("Another seed, another result"))
        draw.setAccessibleName(self.tr("Another seed"))
        draw.clicked.connect(self._on_drawn)
        self._row.addWidget(draw)

    def value(self) -> int | None:
        try:
            return whole_of(self._edit.text())
        except ValueError:
            return None

    def set_value(self, value: Any) -> None:
        self._edit.setText("" if value is None else str(int(value)))

    def _on_edited(self) -> None:
        self.set_value(self.value())  # "1 000" was read as 1000, and is now shown so

    def _on_drawn(self) -> None:
        self.set_value(secrets.randbelow(2**31))
        self.changed.emit()


def field_for(parameter: Parameter, styles: tuple[Style, ...]) -> Field:
    """The widget that suits a setting."""
    if parameter.name == "prompt":
        return PromptField(parameter)
    if parameter.name == "style":
        return StyleField(parameter, styles)
    if parameter.name == "seed":
        return SeedField(parameter)
    if parameter.name in FILES:
        return FileField(parameter)
    if parameter.kind == "text" and parameter.choices:
        return SuggestionField(parameter)
    kinds: dict[str, type[Field]] = {
        "text": TextField,
        "choice": ChoiceField,
        "switch": SwitchField,
        "integer": IntegerField,
        "number": NumberField,
    }
    return kinds[parameter.kind](parameter)


def _step(span: float) -> float:
    """One twentieth of the span, as a round number, at most 1."""
    if span <= 1:
        return 1 / _STEPS_PER_UNIT
    return 0.1 if span <= 10 else 1.0 if span <= 1000 else 10.0
