"""One widget per kind of setting. Each can be left open, and then says what holds instead."""

from __future__ import annotations

import secrets
from typing import Any

from fresco_client import Parameter
from fresco_media.files.numbers import whole_of
from fresco_settings import words_for
from PyQt6.QtCore import (
    QCoreApplication,
    QEvent,
    QMimeData,
    QObject,
    Qt,
    pyqtSignal,
)
from PyQt6.QtGui import QPainter, QPaintEvent, QPen, QTextCursor
from PyQt6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fresco_gui.numbers import DecimalBox, IntegerBox, WholeNumberValidator
from fresco_gui.plain import plain

_INT_LIMIT = 2**31 - 1
_STEPS_PER_UNIT = 20
_SEED_DIGITS = 18
_SLIDER_UNIT = 100
"""Steps of a slider from 0 to 1."""
_BOX_PX = 66
"""What two digits behind the point take."""
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
        self._in_force: Any = None
        self._held: QWidget | None = None
        self._lines = QVBoxLayout(self)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(4)
        self._row = QHBoxLayout()
        self._row.setSpacing(4)
        self._lines.addLayout(self._row)

    @property
    def input(self) -> QWidget:
        """What the keyboard is for."""
        return self._held or self.findChild(QWidget) or self

    @property
    def first_line_px(self) -> int:
        """How high the first line is, which its label stands beside."""
        return self._row.sizeHint().height()

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
        # No focus proxy: Tab would come here wherever this container lies in its order.
        self._held = widget

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Let the wheel scroll the form instead of changing values it passes over."""
        is_wheel = event is not None and event.type() == QEvent.Type.Wheel
        if is_wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            assert event is not None
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def set_in_force(self, value: Any) -> None:
        """What holds while it is left open, as style, preset and model have it; None: unknown."""
        if value != self._in_force:
            self._in_force = value
            self._show_in_force()

    @property
    def in_force(self) -> Any:
        """What holds now: what is chosen, else what is known to hold instead; or None."""
        value = self.value()
        if value is not None:
            return value
        return self.parameter.default if self._in_force is None else self._in_force

    def _show_in_force(self) -> None:
        """Say anew what holds while it is left open."""

    def _default_text(self) -> str:
        """What holds while it is left open."""
        value = self.parameter.default if self._in_force is None else self._in_force
        if isinstance(value, bool):
            return (
                QCoreApplication.translate("Field", "default: on")
                if value
                else QCoreApplication.translate("Field", "default: off")
            )
        if value in (None, "") and not self.parameter.default_text:
            return QCoreApplication.translate("Field", "automatic")
        is_said = value in (None, "")
        shown = translated(self.parameter.default_text) if is_said else words_for(value)
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

    def _show_in_force(self) -> None:
        self._box.setItemText(0, self._default_text())

    def value(self) -> Any:
        return self._box.currentData()

    def set_value(self, value: Any) -> None:
        index = self._box.findData(value)
        if index < 0 and value is not None:
            # Chosen with another model or daemon: kept, and said no to by this one.
            self._box.addItem(str(value), value)
            index = self._box.count() - 1
        self._box.setCurrentIndex(max(index, 0))


class ModeField(Field):
    """Restyle or edit, as two buttons of which one is down."""

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parameter, parent)
        self._group = QButtonGroup(self)
        self._row.setSpacing(0)
        for choice in parameter.choices:
            button = QToolButton()
            button.setText(translated(choice).capitalize())
            button.setObjectName("segment")
            button.setProperty("choice", choice)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            self._group.addButton(button)
            self._row.addWidget(button, 1)
        self.set_value(None)
        self._group.buttonClicked.connect(self.changed)

    @property
    def mode(self) -> str:
        """The mode that holds."""
        button = self._group.checkedButton()
        return str(button.property("choice")) if button is not None else ""

    def value(self) -> Any:
        return self.mode if self.mode != self.parameter.default else None

    def set_value(self, value: Any) -> None:
        for button in self._group.buttons():
            if button.property("choice") == (value or self.parameter.default):
                button.setChecked(True)


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
        self._line = line
        self._box.activated.connect(self.changed)
        self._hold(self._box)

    def _show_in_force(self) -> None:
        self._line.setPlaceholderText(self._default_text())

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

    def _show_in_force(self) -> None:
        self._box.setSpecialValueText(self._default_text())
        self._box.step_from = None if self._in_force is None else float(self._in_force)

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
        if parameter.default is not None:
            self._box.step_from = float(parameter.default)
        self._hold(self._box)

    def _show_in_force(self) -> None:
        self._box.setSpecialValueText(self._default_text())
        self._box.step_from = None if self._in_force is None else float(self._in_force)

    def value(self) -> float | None:
        value = self._box.value()
        low = self.parameter.minimum or 0.0
        return None if value < low else round(value, 6)

    def set_value(self, value: Any) -> None:
        self._box.setValue(self._open if value is None else float(value))


class SliderField(Field):
    """A share, at a slider that stands where what holds is; a mark shows the default.

    While it is left open the slider stands at the default itself, so that the first step leads to
    its neighbour.
    """

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parameter, parent)
        self._value: float | None = None
        low, high = parameter.minimum or 0.0, parameter.maximum or 1.0
        self.slider = MarkedSlider()
        self.slider.setRange(round(low * _SLIDER_UNIT), round(high * _SLIDER_UNIT))
        self.slider.setSingleStep(1)
        self.slider.setPageStep(_SLIDER_UNIT // 10)
        self._box = DecimalBox()
        self._box.setRange(low, high)
        self._box.setSingleStep(1 / _STEPS_PER_UNIT)
        self._box.setDecimals(2)
        self._box.setFixedWidth(_BOX_PX)
        self._box.setKeyboardTracking(False)
        self._box.setAccessibleName(translated_title(parameter))
        self._box.installEventFilter(self)
        self._box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._reset = QToolButton()
        self._reset.setText("↺")
        self._reset.setToolTip(self.tr("Back to the default"))
        self._reset.setAccessibleName(
            self.tr("Back to the default: {title}").format(title=translated_title(parameter))
        )
        self._hold(self.slider)
        self._row.addWidget(self._box)
        self._row.addWidget(self._reset)
        self.slider.valueChanged.connect(self._on_slid)
        self._box.valueChanged.connect(self._on_typed)
        self._reset.clicked.connect(self._on_reset)
        self._show()

    def value(self) -> float | None:
        return self._value

    def set_value(self, value: Any) -> None:
        self._value = None if value is None else float(value)
        self._show()

    def _show_in_force(self) -> None:
        self._show()

    def _show(self) -> None:
        """Let the slider stand at what holds; where nobody knows it, at the middle."""
        default = self.parameter.default if self._in_force is None else self._in_force
        held = self._value if self._value is not None else default
        middle = (self.slider.minimum() + self.slider.maximum()) / 2 / _SLIDER_UNIT
        shown = middle if held is None else held
        for widget in (self.slider, self._box):
            widget.blockSignals(True)
        self.slider.setValue(round(shown * _SLIDER_UNIT))
        self._box.setValue(shown)
        for widget in (self.slider, self._box):
            widget.blockSignals(False)
        self.slider.mark = None if default is None else round(default * _SLIDER_UNIT)
        self.slider.update()
        self._reset.setEnabled(self._value is not None)

    def _on_slid(self, value: int) -> None:
        self._choose(value / _SLIDER_UNIT)

    def _on_typed(self, value: float) -> None:
        self._choose(round(value, 6))

    def _on_reset(self) -> None:
        self._choose(None)

    def _choose(self, value: float | None) -> None:
        self._value = value
        self._show()
        self.changed.emit()


class MarkedSlider(QSlider):
    """A slider with a mark at a value of its own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.mark: int | None = None
        self.setMinimumWidth(48)

    def paintEvent(self, ev: QPaintEvent | None) -> None:  # noqa: N802
        """The slider, with the mark below its groove."""
        super().paintEvent(ev)
        if self.mark is None:
            return
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        option.sliderPosition = self.mark
        style = self.style()
        assert style is not None
        handle = style.subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self
        )
        painter = QPainter(self)
        painter.setPen(QPen(self.palette().color(self.foregroundRole()), 2))
        x = handle.center().x()
        painter.drawLine(x, self.height() - 4, x, self.height() - 1)


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


def _step(span: float) -> float:
    """One twentieth of the span, as a round number, at most 1."""
    if span <= 1:
        return 1 / _STEPS_PER_UNIT
    return 0.1 if span <= 10 else 1.0 if span <= 1000 else 10.0
