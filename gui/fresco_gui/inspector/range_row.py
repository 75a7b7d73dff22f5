"""The part of the clip that is restyled: in and out points as numbers."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal, pyqtSlot
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from fresco_gui.numbers import IntegerBox
from fresco_gui.plain import PlainLabel, ShrinkingLabel


class RangeRow(QWidget):
    """First and last frame of what is restyled, the whole clip unless chosen.

    Signals:
        changed(int, int): the user has chosen another range; both frames are included.
    """

    changed = pyqtSignal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._limits: tuple[int, int] | None = None
        self.first, self.last = IntegerBox(), IntegerBox()
        self.whole = QToolButton()
        self._count = ShrinkingLabel(is_whole=True)
        self._build()
        self.first.valueChanged.connect(self._on_first)
        self.last.valueChanged.connect(self._on_last)
        self.whole.clicked.connect(self._on_whole)
        self.show_range(None, None, None)

    def show_range(
        self, limits: tuple[int, int] | None, first: int | None, last: int | None
    ) -> None:
        """Show a range within the clip's first and last frame; None stands for those themselves."""
        self._limits = limits
        low, high = limits or (0, 0)
        for box, value in (
            (self.first, low if first is None else first),
            (self.last, high if last is None else last),
        ):
            box.blockSignals(True)
            box.setRange(low, high)
            box.setValue(value)
            box.setEnabled(limits is not None)
            box.blockSignals(False)
        self._tell()

    def _build(self) -> None:
        label = PlainLabel(self.tr("Fr&ames"))
        label.setBuddy(self.first)
        self.first.setAccessibleName(self.tr("First frame that is restyled"))
        self.last.setAccessibleName(self.tr("Last frame that is restyled"))
        for box in (self.first, self.last):
            box.setToolTip(box.accessibleName())
            box.setKeyboardTracking(False)
            box.setMinimumWidth(56)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._count.setObjectName("faint")
        self._count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.whole.setText("↺")
        self.whole.setToolTip(self.tr("Restyle the whole clip"))
        self.whole.setAccessibleName(self.whole.toolTip())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(label)
        row.addWidget(self.first)
        row.addWidget(PlainLabel(self.tr("to")))
        row.addWidget(self.last)
        row.addWidget(self.whole)
        row.addWidget(self._count, 1)

    def _tell(self) -> None:
        is_whole = self._limits in (None, (self.first.value(), self.last.value()))
        self.whole.setEnabled(not is_whole)
        count = self.last.value() - self.first.value() + 1
        if self._limits is None:
            text = ""
        elif is_whole:
            text = self.tr("the only one") if count == 1 else self.tr("all {count}")
            text = text.format(count=count)
        else:
            text = str(count)  # What there is room for beside two numbers.
        self._count.least_text = text and str(count)
        self._count.setText(text)

    @pyqtSlot(int)
    def _on_first(self, first: int) -> None:
        self.changed.emit(first, max(first, self.last.value()))

    @pyqtSlot(int)
    def _on_last(self, last: int) -> None:
        self.changed.emit(min(last, self.first.value()), last)

    @pyqtSlot()
    def _on_whole(self) -> None:
        if self._limits is not None:
            self.changed.emit(*self._limits)
