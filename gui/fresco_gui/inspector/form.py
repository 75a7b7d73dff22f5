"""The form: fields by group, made from the daemon's parameters."""

from __future__ import annotations

from collections.abc import Sequence

from fresco_client import Parameter, Style
from PyQt6.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt6.QtWidgets import (
    QFormLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fresco_gui.inspector.fields import (
    Field,
    ModeField,
    translated,
    translated_title,
)
from fresco_gui.inspector.kinds import field_for
from fresco_gui.inspector.style_field import StyleField
from fresco_gui.plain import PlainLabel, WrappedLabel, plain
from fresco_gui.values import Values

_FIRST = ("mode", "style", "strength", "preset", "source_prompt", "prompt", "keep")
"""What is chosen for every clip, from top to bottom; all else is folded."""
_LABEL_LETTERS = 16
"""What a line of a label has room for; longer ones take two."""


class SettingsForm(QWidget):
    """All settings of a daemon as fields, of which those are seen that belong to the mode.

    Signals:
        changed(): the user has chosen another value.
        built(): there are other fields.
    """

    changed = pyqtSignal()
    built = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fields: dict[str, Field] = {}
        self._rows: dict[str, tuple[QFormLayout, Field]] = {}
        self._parameters: tuple[Parameter, ...] = ()
        self._kept: Values = {}
        self._labels: list[QLabel] = []
        self._sections: list[_CollapsibleSection] = []
        self.words = WrappedLabel()
        """What the model can do with the words, below them."""
        self.first_labels: list[QLabel] = []
        """Those of what is chosen for every clip, from top to bottom."""
        self.words.setObjectName("faint")
        self.words.hide()
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Find a setting"))
        self.search.setAccessibleName(self.tr("Find a setting"))
        self.search.setClearButtonEnabled(True)
        self.search.hide()
        self.search.textChanged.connect(self._on_search)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 4, 8, 8)
        self._column.setSpacing(6)

    @property
    def label_width(self) -> int:
        """Fields stand below each other in all sections."""
        return self.fontMetrics().averageCharWidth() * _LABEL_LETTERS

    @property
    def mode(self) -> str:
        """The mode that is chosen; empty before a daemon told any."""
        field = self._fields.get("mode")
        return field.mode if isinstance(field, ModeField) else ""

    def build(self, parameters: Sequence[Parameter], styles: tuple[Style, ...]) -> None:
        """Make the fields, keeping what is chosen; nothing happens if they are there already."""
        if tuple(parameters) == self._parameters:
            self.set_styles(styles)
            return
        values = self.values()
        self._clear()
        self._parameters = tuple(parameters)
        # Numbers of one clip are those of frames, which are chosen in the timeline.
        shown = [one for one in parameters if one.kind == "text" or not one.is_of_clip]
        by_name = {one.name: one for one in shown}
        first = [by_name[name] for name in _FIRST if name in by_name]
        groups: dict[str, list[Parameter]] = {}
        for parameter in shown:
            if parameter not in first:
                groups.setdefault(translated(parameter.group), []).append(parameter)
        self._column.addWidget(self._section("", first, styles))
        self._column.addWidget(self.search)
        self.search.setVisible(bool(groups))
        for title, members in groups.items():
            named = title or self.tr("Others")
            self._column.addWidget(self._section(named, members, styles))
        self._column.addStretch(1)
        self.first_labels = [one for one in self._labels if one.buddy() in self._first_inputs()]
        self.set_values(values)
        self.built.emit()

    def show_resolved(self, resolved: Values) -> None:
        """What the settings come to: what holds where nothing is chosen."""
        for name, field in self._fields.items():
            field.set_in_force(resolved.get(name))

    def show_words(self, text: str) -> None:
        """What the model can do with the words; empty for nothing to say."""
        self.words.setText(text)
        self.words.setVisible(bool(text))

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
        self._show_rows()

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
            self.search.clear()
            for section in self.findChildren(_CollapsibleSection):
                if section.isAncestorOf(field):
                    section.unfold()
            field.input.setFocus()
        return field

    def _section(
        self, title: str, parameters: Sequence[Parameter], styles: tuple[Style, ...]
    ) -> QWidget:
        body = QWidget()
        rows = QFormLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for parameter in parameters:
            field = field_for(parameter, styles)
            field.setToolTip(plain(parameter.description))
            field.changed.connect(self._on_changed)
            self._fields[parameter.name] = field
            self._rows[parameter.name] = (rows, field)
            self._add_row(rows, parameter, field)
        if not title:
            return body
        section = _CollapsibleSection(title, body)
        self._sections.append(section)
        return section

    def _add_row(self, rows: QFormLayout, parameter: Parameter, field: Field) -> None:
        if parameter.name == "mode":
            rows.addRow(field)
            return
        label = PlainLabel(_label_text(parameter))
        label.setBuddy(field.input)
        self._labels.append(label)
        if parameter.name == "prompt":
            rows.addRow(label)
            rows.addRow(field)
            rows.addRow(self.words)
        else:
            label.setWordWrap(True)
            label.setFixedWidth(self.label_width)
            # In line with the first line of its field, however many that has.
            label.setMinimumHeight(field.first_line_px)
            rows.addRow(label, field)
            rows.setAlignment(label, Qt.AlignmentFlag.AlignTop)

    def _first_inputs(self) -> list[QWidget]:
        return [self._fields[name].input for name in _FIRST if name in self._fields]

    @pyqtSlot()
    def _on_changed(self) -> None:
        self._show_rows()
        self.changed.emit()

    @pyqtSlot(str)
    def _on_search(self, text: str) -> None:
        self._show_rows()
        for section in self._sections:
            section.set_open(bool(text.strip()) and section.isVisibleTo(self))

    def _show_rows(self) -> None:
        """Show what belongs to the mode and is searched for; the first ones always."""
        wanted, mode = self.search.text().strip().casefold(), self.mode
        found: set[QFormLayout] = set()
        for parameter in self._parameters:
            if parameter.name not in self._rows:
                continue
            rows, field = self._rows[parameter.name]
            words = " ".join(
                (parameter.name, translated_title(parameter), parameter.description)
            ).casefold()
            is_shown = parameter.of_mode in ("", mode) and (
                parameter.name in _FIRST or wanted in words
            )
            rows.setRowVisible(field, is_shown)
            if is_shown:
                found.add(rows)
        for section in self._sections:
            section.setVisible(section.rows in found)

    def _clear(self) -> None:
        self._fields.clear()
        self._rows.clear()
        self._sections.clear()
        self._labels.clear()
        if self.words.parent() is not None:
            self.words.setParent(self)  # else it would go with the rows that it is among
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None and widget is not self.search:
                widget.deleteLater()


def _label_text(parameter: Parameter) -> str:
    title = translated_title(parameter)
    text = f"{title} ({parameter.unit})" if parameter.unit else title
    return text.replace("&", "&&")  # A label of a field takes it for the mark of a letter.


class _CollapsibleSection(QWidget):
    """A titled section that is folded until wanted."""

    def __init__(self, title: str, body: QWidget) -> None:
        super().__init__()
        self._body = body
        layout = body.layout()
        assert isinstance(layout, QFormLayout)
        self.rows = layout
        self._button = QToolButton()
        self._button.setText(title)
        self._button.setCheckable(True)
        self._button.setObjectName("fold")
        # Its title is cut off, rather than the fields: they are no wider than there is room for.
        self._button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._button.setMinimumWidth(1)
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
        self.set_open(True)

    def set_open(self, is_open: bool) -> None:
        """Show what is in it, or fold it."""
        self._button.setChecked(is_open)

    @pyqtSlot(bool)
    def _on_toggled(self, is_open: bool) -> None:
        self._button.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self._body.setVisible(is_open)
