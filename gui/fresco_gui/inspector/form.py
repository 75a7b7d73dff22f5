"""The form: fields by group, made from the daemon's parameters."""

from __future__ import annotations

from collections.abc import Sequence

from fresco_client import Parameter, Style
from PyQt6.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt6.QtWidgets import QFormLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from fresco_gui.inspector.fields import (
    Field,
    StyleField,
    field_for,
    translated,
    translated_title,
)
from fresco_gui.plain import PlainLabel, plain
from fresco_gui.values import Values


class SettingsForm(QWidget):
    """All settings of a daemon as fields.

    Signals:
        changed(): the user has chosen another value.
    """

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fields: dict[str, Field] = {}
        self._parameters: tuple[Parameter, ...] = ()
        self._kept: Values = {}
        self._labels: list[QLabel] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 4, 8, 8)
        self._column.setSpacing(6)

    @property
    def label_width(self) -> int:
        """Of the widest label: fields stand below each other in all sections."""
        return max((label.sizeHint().width() for label in self._labels), default=0)

    def build(self, parameters: Sequence[Parameter], styles: tuple[Style, ...]) -> None:
        """Make the fields, keeping what is chosen; nothing happens if they are there already."""
        if tuple(parameters) == self._parameters:
            self.set_styles(styles)
            return
        values = self.values()
        self._clear()
        self._parameters = tuple(parameters)
        groups: dict[str, list[Parameter]] = {}
        for parameter in parameters:
            # Numbers of one clip are those of frames, which are chosen in the timeline.
            if parameter.kind == "text" or not parameter.is_of_clip:
                title = translated(parameter.group) if parameter.is_advanced else ""
                groups.setdefault(title, []).append(parameter)
        for title, members in groups.items():
            self._column.addWidget(self._section(title, members, styles))
        self._column.addStretch(1)
        for label in self._labels:
            label.setMinimumWidth(self.label_width)
        self.set_values(values)

    def values(self) -> Values:
        """What is chosen; what is left open is left out."""
        chosen = {name: field.value() for name, field in self._fields.items()}
        own = {name: value for name, value in chosen.items() if value is not None}
        others = {name: value for name, value in self._kept.items() if name not in self._fields}
        return {**others, **own}

    def set_values(self, values: Values) -> None:
        """Show these; values without a field are kept beside."""
        self._kept = dict(values)
        for name, field in self._fields.items():
            field.blockSignals(True)
            field.set_value(values.get(name))
            field.blockSignals(False)

    def set_styles(self, styles: tuple[Style, ...]) -> None:
        """Offer these styles."""
        field = self._fields.get("style")
        if isinstance(field, StyleField):
            field.set_styles(styles)

    def field(self, name: str) -> Field | None:
        """The field of a setting."""
        return self._fields.get(name)

    def reveal(self, name: str) -> Field | None:
        """Unfold the section of a setting and give its field the focus; None if it has none."""
        field = self._fields.get(name)
        if field is not None:
            for section in self.findChildren(_CollapsibleSection):
                if section.isAncestorOf(field):
                    section.unfold()
            (field.focusProxy() or field.findChild(QWidget) or field).setFocus()
        return field

    def _section(
        self, title: str, parameters: Sequence[Parameter], styles: tuple[Style, ...]
    ) -> QWidget:
        body = QWidget()
        rows = QFormLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for parameter in parameters:
            field = field_for(parameter, styles)
            field.setToolTip(plain(parameter.description))
            field.changed.connect(self._on_changed)
            self._fields[parameter.name] = field
            if parameter.name == "prompt":
                rows.addRow(field)
            else:
                label = PlainLabel(_label_text(parameter))
                label.setMinimumHeight(field.sizeHint().height())
                label.setBuddy(field)
                self._labels.append(label)
                rows.addRow(label, field)
        return body if not title else _CollapsibleSection(title, body)

    @pyqtSlot()
    def _on_changed(self) -> None:
        self.changed.emit()

    def _clear(self) -> None:
        self._fields.clear()
        self._labels.clear()
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()


def _label_text(parameter: Parameter) -> str:
    title = translated_title(parameter)
    return f"{title} ({parameter.unit})" if parameter.unit else title


class _CollapsibleSection(QWidget):
    """A titled section that is folded until wanted."""

    def __init__(self, title: str, body: QWidget) -> None:
        super().__init__()
        self._body = body
        self._button = QToolButton()
        self._button.setText(title)
        self._button.setCheckable(True)
        self._button.setObjectName("fold")
        self._button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._button.setArrowType(Qt.ArrowType.RightArrow)
        self._button.toggled.connect(self._on_toggled)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._button)
        column.addWidget(body)
        body.setVisible(False)

    def unfold(self) -> None:
        """Show what is in it."""
        self._button.setChecked(True)

    @pyqtSlot(bool)
    def _on_toggled(self, is_open: bool) -> None:
        self._button.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self._body.setVisible(is_open)
