"""Looks: one, how much of it, or two mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fresco_client import Parameter, Style
from fresco_media.files.text import printable
from fresco_settings import InvalidSettings, StyleChoice
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from fresco_gui.inspector.fields import Field, MarkedSlider
from fresco_gui.plain import PlainLabel, plain

_PUSHED = range(10, 150 + 1)
"""Per cent of a look that is alone; well beyond, pictures fall apart."""
_MIXED = range(5, 95 + 1)
"""Per cent of the second of two looks."""
_WHOLE, _HALF = 100, 50
_STEP = 5
_LABEL = "000 %"


@dataclass(frozen=True)
class _Parts:
    """A look, and how many per cent of it, or of a second one that is mixed with it."""

    first: str | None
    second: str | None = None
    percent: int = _WHOLE

    @staticmethod
    def of(text: str | None, names: frozenset[str]) -> _Parts:
        """What a choice is made of; anything else, as a mixture of three, is a look by itself."""
        whole = _Parts(text)
        if text is None or text in names:
            return whole
        try:
            shares = StyleChoice.parse(text).shares
        except InvalidSettings:
            return whole
        (first, share), *others = shares.items()
        if not others:
            percent = round(100 * share)
            return _Parts(first, percent=percent) if percent in _PUSHED else whole
        ((second, part), *more) = others
        is_mixture = not more and abs(share + part - 1) < 1e-6
        return _Parts(first, second, round(100 * part)) if is_mixture else whole

    def __str__(self) -> str:
        """The choice as it is set."""
        first, second, share = str(self.first), self.second, self.percent / 100
        if second is None:
            return first if self.percent == _WHOLE else str(StyleChoice({first: share}))
        return str(StyleChoice({first: round(1 - share, 2), second: share}))


class StyleField(Field):
    """A look that the model knows, and how much of it; or of a second one that is mixed with it."""

    def __init__(
        self, parameter: Parameter, styles: tuple[Style, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(parameter, parent)
        self._value: str | None = None
        self.styles: tuple[Style, ...] = ()
        self._box = QComboBox()
        self._hold(self._box)
        self.second = QComboBox()
        self.second.setAccessibleName(self.tr("Second look"))
        self.second.setToolTip(self.tr("Mix another look with it"))
        self.second.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.second.setMinimumContentsLength(5)
        self.amount = MarkedSlider()
        self.amount.setSingleStep(_STEP)
        self.amount.setPageStep(2 * _STEP)
        self._percent = PlainLabel()
        self._percent.setFixedWidth(self._percent.fontMetrics().horizontalAdvance(_LABEL))
        self._mixing = self._mixing_lines()
        self._lines.addWidget(self._mixing)
        self._box.activated.connect(self._on_chosen)
        self.second.activated.connect(self._on_second)
        self.amount.valueChanged.connect(self._on_amount)
        self.set_styles(styles)

    def _mixing_lines(self) -> QWidget:
        """Below each other: narrow, so that the field stays beside its label."""
        for widget in (self.second, self.amount):
            widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            widget.installEventFilter(self)
        holder = QWidget()
        lines = QVBoxLayout(holder)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(4)
        lines.addWidget(self.second)
        line = QHBoxLayout()
        line.addWidget(self.amount, 1)
        line.addWidget(self._percent)
        lines.addLayout(line)
        return holder

    def value(self) -> str | None:
        return self._value

    def set_value(self, value: Any) -> None:
        self._value = None if value is None else str(value)
        self._show()

    def set_styles(self, styles: tuple[Style, ...]) -> None:
        """Offer these instead."""
        self.styles = styles
        self._show()

    def _parts(self) -> _Parts:
        return _Parts.of(self._value, frozenset(style.name for style in self.styles))

    def _show(self) -> None:
        parts = self._parts()
        self._offer(self._box, self.tr("none"), "{name}", parts.first)
        self._offer(self.second, self.tr("alone"), self.tr("with {name}"), parts.second)
        is_mixed = parts.second is not None
        allowed = _MIXED if is_mixed else _PUSHED
        self.amount.blockSignals(True)
        self.amount.setRange(allowed[0], allowed[-1])
        self.amount.setValue(parts.percent)
        self.amount.blockSignals(False)
        self.amount.mark = None if is_mixed else _WHOLE
        told = self.tr("How much of the second look") if is_mixed else self.tr("How much of it")
        self.amount.setAccessibleName(told)
        self.amount.setToolTip(told)
        self._percent.setText(self.tr("{number} %").format(number=parts.percent))
        is_known = any(style.name == parts.first for style in self.styles)
        self._mixing.setVisible(is_mixed or is_known)

    def _offer(self, box: QComboBox, nothing: str, wording: str, chosen: str | None) -> None:
        """Offer nothing and every look, and one that is chosen but not known to this model."""
        box.clear()
        box.addItem(nothing, None)
        for style in self.styles:
            box.addItem(wording.format(name=printable(style.name)), style.name)
            told = plain(style.prompt or style.words)
            box.setItemData(box.count() - 1, told, Qt.ItemDataRole.ToolTipRole)
        if chosen is not None and box.findData(chosen) < 0:
            box.addItem(wording.format(name=printable(chosen)), chosen)
        box.setCurrentIndex(box.findData(chosen))

    def _on_chosen(self) -> None:
        first, before = self._box.currentData(), self._parts()
        second = before.second if before.second != first else None
        percent = before.percent if second is not None else _WHOLE
        self._choose(_Parts(first, second if first is not None else None, percent))

    def _on_second(self) -> None:
        first, before, second = self._box.currentData(), self._parts(), self.second.currentData()
        if second in (None, first):
            self._choose(_Parts(first))
        else:
            percent = _HALF if before.second is None else before.percent
            self._choose(_Parts(first, second, percent))

    def _on_amount(self, percent: int) -> None:
        before = self._parts()
        self._choose(_Parts(before.first, before.second, percent))

    def _choose(self, parts: _Parts) -> None:
        self._value = None if parts.first is None else str(parts)
        self._show()
        self.changed.emit()
