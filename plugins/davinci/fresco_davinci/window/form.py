"""The form: how to restyle, and where the result goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QSlider,
    QSpinBox,
    QWidget,
)

from fresco_davinci.choices import Choices
from fresco_davinci.controller import Scope

_NO_STYLE = "None, only the prompt"
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
_PRESETS = {"Standard": "", "Draft, quick": "draft", "Best, slow": "best"}
_LEAST_STRENGTH = 5
"""Percent; what is left of it is taken for the model's own."""


class SettingsForm(QWidget):
    """One widget for each of an editor's choices.

    Signals:
        changed: something else is chosen now.
    """

    changed = pyqtSignal()

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self._given = choices
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._add_look(layout)
        self._add_source(layout)
        self._add_place(layout)
        self.set_choices(choices)

    def _add_look(self, layout: QFormLayout) -> None:
        self.prompt = QPlainTextEdit()
        self.prompt.setPlaceholderText("a watercolour painting of the sea")
        self.prompt.setFixedHeight(58)
        self.prompt.setTabChangesFocus(True)
        self.style_box = QComboBox()
        self.style_box.addItem(_NO_STYLE)
        self.strength = QSlider(Qt.Orientation.Horizontal)
        self.strength.setRange(0, 100)
        self.strength.setToolTip("How far the result may leave the clip; all left: the model's own")
        self.strength_text = QLabel()
        self.strength_text.setMinimumWidth(72)
        row = QHBoxLayout()
        row.addWidget(self.strength)
        row.addWidget(self.strength_text)
        self.quality = _box(_PRESETS)
        layout.addRow("&Prompt", self.prompt)
        layout.addRow("&Style", self.style_box)
        layout.addRow(_label("S&trength", self.strength), row)
        layout.addRow("&Quality", self.quality)
        self.prompt.textChanged.connect(self.changed)
        self.style_box.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.strength.valueChanged.connect(self._on_strength)

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
        chosen = self.choices().style or self._given.style
        self.style_box.clear()
        self.style_box.addItems([_NO_STYLE, *names])
        self.style_box.setCurrentText(chosen if chosen in names else _NO_STYLE)

    def set_scope(self, scope: Scope) -> None:
        """What is to be restyled."""
        _choose(self.scope_box, scope)

    def set_choices(self, choices: Choices) -> None:
        """Show these choices."""
        self._given = choices
        self.prompt.setPlainText(choices.prompt)
        self.strength.setValue(round(100 * (choices.strength or 0)))
        self.track.setValue(max(choices.track, 2))
        for box, value in (
            (self.quality, choices.preset),
            (self.pixels, choices.pixels),
            (self.place, choices.place),
            (self.conflict, choices.conflict),
        ):
            _choose(box, value)
        self._on_strength()
        self._on_place()

    def scope(self) -> Scope:
        """What is to be restyled."""
        return self.scope_box.currentData()

    def choices(self) -> Choices:
        """What is chosen now."""
        style = self.style_box.currentText()
        is_track = self.place.currentData() == "track"
        return replace(
            self._given,
            prompt=self.prompt.toPlainText().strip(),
            style="" if self.style_box.currentIndex() < 1 else style,
            strength=self._strength(),
            preset=self.quality.currentData(),
            pixels=self.pixels.currentData(),
            place=self.place.currentData(),
            track=self.track.value() if is_track else self._given.track,
            conflict=self.conflict.currentData(),
        )

    def _strength(self) -> float | None:
        value = self.strength.value()
        return value / 100 if value >= _LEAST_STRENGTH else None

    def _on_strength(self) -> None:
        strength = self._strength()
        self.strength_text.setText("automatic" if strength is None else f"{strength:.0%}")
        self.changed.emit()

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
