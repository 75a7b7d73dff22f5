"""Fields for numbers, read and shown alike in every language (see `fresco_media.files.numbers`).

Qt's own boxes follow the system's language: in German they drop the point of `0.75` and hold 75.
"""

from __future__ import annotations

from fresco_media.files.numbers import decimal_of, may_become_number, whole_of
from PyQt6.QtCore import QLocale
from PyQt6.QtGui import QValidator
from PyQt6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QSpinBox, QWidget

State = QValidator.State


class DecimalBox(QDoubleSpinBox):
    """A number with a fraction; what is finer than its steps is rounded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _prepare(self)
        self.step_from: float | None = None
        """What the special value stands for: steps begin there."""

    def stepBy(self, steps: int) -> None:  # noqa: N802
        """Go up or down, from what holds where nothing is chosen."""
        if self.step_from is not None and self.value() == self.minimum():
            lowest = self.minimum() + self.singleStep()
            self.setValue(max(self.step_from + steps * self.singleStep(), lowest))
        else:
            super().stepBy(steps)

    def textFromValue(self, value: float) -> str:  # noqa: N802
        """With a full stop, without groups."""
        return f"{value:.{self.decimals()}f}"

    def valueFromText(self, text: str | None) -> float:  # noqa: N802
        """What is read; the value before where it is no number."""
        if text == self.specialValueText():
            return self.minimum()
        try:
            return decimal_of(text or "")
        except ValueError:
            return self.value()

    def fixup(self, text: str | None) -> str:
        """The value before: Qt would drop the mark that keeps it from being a number."""
        return _shown(self, self.textFromValue(self.value()), self.value() == self.minimum())

    def validate(self, text: str | None, pos: int) -> tuple[State, str, int]:
        """What is no number yet may go on; what is too large may not be typed."""
        return _judged(self, text or "", pos, self.minimum(), self.maximum())


class IntegerBox(QSpinBox):
    """A whole number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _prepare(self)
        self.step_from: float | None = None
        """What the special value stands for: steps begin there."""

    def stepBy(self, steps: int) -> None:  # noqa: N802
        """Go up or down, from what holds where nothing is chosen."""
        if self.step_from is not None and self.value() == self.minimum():
            self.setValue(max(round(self.step_from) + steps, self.minimum() + 1))
        else:
            super().stepBy(steps)

    def textFromValue(self, value: int) -> str:  # noqa: N802
        """Without groups."""
        return str(value)

    def valueFromText(self, text: str | None) -> int:  # noqa: N802
        """What is read; the value before where it is no whole number."""
        if text == self.specialValueText():
            return self.minimum()
        try:
            return whole_of(text or "")
        except ValueError:
            return self.value()

    def fixup(self, text: str | None) -> str:
        """The value before: Qt would drop the mark that keeps it from being a number."""
        return _shown(self, self.textFromValue(self.value()), self.value() == self.minimum())

    def validate(self, text: str | None, pos: int) -> tuple[State, str, int]:
        """What is no whole number yet may go on; what is too large may not be typed."""
        state = _judged(self, text or "", pos, self.minimum(), self.maximum())
        if state[0] is not State.Acceptable or text == self.specialValueText():
            return state
        try:
            whole_of(text or "")
        except ValueError:
            return State.Intermediate, text or "", pos
        return state


class WholeNumberValidator(QValidator):
    """Lets only whole numbers from 0 be typed, of up to so many digits."""

    def __init__(self, digits: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._largest = 10**digits - 1

    def validate(self, text: str | None, pos: int) -> tuple[State, str, int]:
        """What is no number yet may go on; nothing is fine, too."""
        text = text or ""
        if not text.strip():
            return State.Acceptable, text, pos
        try:
            is_fitting = 0 <= whole_of(text) <= self._largest
        except ValueError:
            return (State.Intermediate if may_become_number(text) else State.Invalid), text, pos
        return (State.Acceptable if is_fitting else State.Invalid), text, pos

    def fixup(self, text: str | None) -> str:
        """Nothing rather than another number."""
        return ""


def _prepare(box: QAbstractSpinBox) -> None:
    locale = QLocale.c()
    locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    box.setLocale(locale)
    box.setGroupSeparatorShown(False)


def _shown(box: QAbstractSpinBox, number: str, is_least: bool) -> str:
    return box.specialValueText() if is_least and box.specialValueText() else number


def _judged(
    box: QAbstractSpinBox, text: str, pos: int, least: float, most: float
) -> tuple[State, str, int]:
    if box.specialValueText() and text == box.specialValueText():
        return State.Acceptable, text, pos
    try:
        number = decimal_of(text)
    except ValueError:
        return (State.Intermediate if may_become_number(text) else State.Invalid), text, pos
    if least <= number <= most:
        return State.Acceptable, text, pos
    # More digits lead further away from 0, never back.
    is_beyond = number > max(most, 0) or number < min(least, 0)
    return (State.Invalid if is_beyond else State.Intermediate), text, pos
