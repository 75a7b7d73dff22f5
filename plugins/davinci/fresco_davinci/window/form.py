"""The form: how to restyle, and where the result goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fresco_client import Style
from fresco_gui.inspector.fields import Field, translated_title
from fresco_gui.inspector.kinds import field_for
from fresco_gui.inspector.style_field import StyleField
from fresco_gui.plain import plain
from fresco_settings import RestyleSettings
from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QWidget,
)

from fresco_davinci.choices import StoredChoices, look_settings
from fresco_davinci.controller import Scope

_SCOPES = {"The clip under the playhead": "clip", "Clips between mark in and out": "marks"}
_PLACES = {
    "On a track above": "above",
    "On video track": "track",
    "As a take of the clip": "take",
}
_CONFLICTS = {
    "If it is taken: use a new track": "new",
    "If it is taken: keep it in the bin": "skip",
    "If it is taken: replace an earlier result": "replace",
}
_PIXELS = {
    "Automatic": "auto",
    "The media file": "file",
    "A render, graded": "render",
}


class ResolveSettingsForm(QWidget):
    """One widget for each of an editor's choices.

    Signals:
        changed: something else is chosen now.
    """

    changed = pyqtSignal()

    def __init__(self, choices: StoredChoices, declared: type = RestyleSettings) -> None:
        super().__init__()
        self._given = choices
        self.fields: dict[str, Field] = {}
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._add_look(layout, declared)
        self._add_source(layout)
        self._add_place(layout)
        self.set_choices(choices)

    def _add_look(self, layout: QFormLayout, declared: type) -> None:
        self._look = layout
        self._modes = {one.name: one.of_mode for one in look_settings(declared)}
        for parameter in look_settings(declared):
            field = field_for(parameter, ())
            field.setToolTip(plain(parameter.description))
            field.changed.connect(self.changed)
            self.fields[parameter.name] = field
            layout.addRow(_label(translated_title(parameter), field), field)
        self.fields["mode"].changed.connect(self._on_mode)

    def _add_source(self, layout: QFormLayout) -> None:
        self.scope_box = _box(_SCOPES)
        self.pixels = _box(_PIXELS)
        self.pixels.setToolTip(
            "Automatic takes the media file where the clip is ungraded, unretimed and of the "
            "timeline's rate, and lets Resolve render it where it is not."
        )
        layout.addRow("&Restyle", self.scope_box)
        layout.addRow("&Frames from", self.pixels)

    def _add_place(self, layout: QFormLayout) -> None:
        self.place = _box(_PLACES)
        self.track = QSpinBox()
        self.track.setRange(1, 100)
        self.track.setPrefix("V")
        self.conflict = _box(_CONFLICTS)
        row = QHBoxLayout()
        row.addWidget(self.place, 1)
        row.addWidget(self.track)
        layout.addRow(_label("R&esult", self.place), row)
        layout.addRow("", self.conflict)
        self.place.currentIndexChanged.connect(self._on_place)

    def set_styles(self, names: Sequence[str]) -> None:
        """Offer these looks; what is chosen stays chosen."""
        field = self.fields["style"]
        if isinstance(field, StyleField):
            field.set_styles(tuple(Style(name=name, words=name) for name in names))

    def set_scope(self, scope: Scope) -> None:
        """What is to be restyled."""
        _choose(self.scope_box, scope)

    def set_choices(self, choices: StoredChoices) -> None:
        """Show these choices."""
        self._given = choices
        look = choices.look()
        for name, field in self.fields.items():
            field.set_value(look.get(name))
        self.track.setValue(max(choices.track, 2))
        for box, value in (
            (self.pixels, choices.pixels),
            (self.place, choices.place),
            (self.conflict, choices.conflict),
        ):
            _choose(box, value)
        self._on_place()
        self._on_mode()

    def scope(self) -> Scope:
        """What is to be restyled."""
        return self.scope_box.currentData()

    def choices(self) -> StoredChoices:
        """What is chosen now."""
        is_track = self.place.currentData() == "track"
        return replace(
            self._given,
            **{name: field.value() for name, field in self.fields.items()},
            pixels=self.pixels.currentData(),
            place=self.place.currentData(),
            track=self.track.value() if is_track else self._given.track,
            conflict=self.conflict.currentData(),
        )

    def _on_mode(self) -> None:
        """Show only what has an effect in this mode."""
        mode = self.fields["mode"].value()
        for name, field in self.fields.items():
            self._look.setRowVisible(field, self._modes[name] in ("", mode))

    def _on_place(self) -> None:
        is_track = self.place.currentData() == "track"
        self.track.setVisible(is_track)
        self.conflict.setVisible(is_track)


def _box(options: dict[str, str]) -> QComboBox:
    box = QComboBox()
    for text, value in options.items():
        box.addItem(text, value)
    return box


def _label(text: str, widget: QWidget) -> QLabel:
    """A label whose underlined letter leads to the widget."""
    label = QLabel(text)
    label.setBuddy(widget)
    return label


def _choose(box: QComboBox, value: Any) -> None:
    box.setCurrentIndex(max(box.findData(value), 0))
