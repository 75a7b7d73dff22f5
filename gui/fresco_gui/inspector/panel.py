"""The inspector: model, presets, the form, what it will cost, and the buttons that start it."""

from __future__ import annotations

from collections.abc import Sequence

from fresco_client import Capabilities, FileFailed, Model, ModelChoice, Presets
from fresco_media.files.text import printable
from PyQt6.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fresco_gui.estimates.estimate import Estimate
from fresco_gui.estimates.words import grounds_of, words_of
from fresco_gui.inspector.form import SettingsForm
from fresco_gui.inspector.range_row import RangeRow
from fresco_gui.plain import PlainLabel, plain
from fresco_gui.values import OF_ONE_CLIP, Values


class Inspector(QWidget):
    """Everything that can be chosen.

    Signals:
        changed(): values or model were chosen anew by the user.
        look_wanted(): restyle the current frame.
        restyle_wanted(): restyle the clip.
        problem(Exception): presets could not be kept.
    """

    changed = pyqtSignal()
    look_wanted = pyqtSignal()
    restyle_wanted = pyqtSignal()
    problem = pyqtSignal(object)

    def __init__(self, presets: Presets, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets = presets
        self._models: tuple[Model, ...] = ()
        self._look_tip = self._restyle_tip = self._why_not = ""
        self._labels: list[QLabel] = []
        self._scroll = QScrollArea()
        self.form = SettingsForm()
        self.model_box = QComboBox()
        self.preset_box = QComboBox()
        self.range = RangeRow()
        self.estimate = PlainLabel()
        self.look_button = QPushButton(self.tr("&This frame"))
        self.vary_button = QToolButton()
        self.restyle_button = QPushButton(self.tr("Restyle the &clip"))
        self._waiting = PlainLabel(self.tr("Settings appear when the daemon is there."))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._head())
        column.addWidget(self._middle(), 1)
        column.addWidget(self._foot())
        self._connect()
        self._show_presets()

    # Shown

    def show_capabilities(self, capabilities: Capabilities, models: Sequence[Model]) -> None:
        """Offer what the daemon has."""
        if tuple(models) != self._models:
            self._models = tuple(models)
            self._show_models()
        self.form.build(capabilities.parameters, self._styles())
        self._waiting.setVisible(False)

    def show_estimate(self, found: Estimate | None) -> None:
        """What the restyle will cost; None without a clip."""
        self.estimate.setText(words_of(found) if found else "")
        self.estimate.setToolTip(grounds_of(found) if found else "")

    def set_possible(self, is_possible: bool, why_not: str = "") -> None:
        """Whether looks and restyles can be started."""
        for button in (self.look_button, self.restyle_button, self.vary_button):
            button.setEnabled(is_possible)
        self._why_not = "" if is_possible else why_not
        self._show_tips()

    def set_tips(self, look: str, restyle: str) -> None:
        """What the buttons say, with the keys of their commands."""
        self._look_tip, self._restyle_tip = look, restyle
        self._show_tips()

    def _show_tips(self) -> None:
        self.look_button.setToolTip(self._why_not or self._look_tip)
        self.restyle_button.setToolTip(self._why_not or self._restyle_tip)

    def offer_variants(self, actions: Sequence[QAction]) -> None:
        """What varies a look, as the menu of a button."""
        menu = QMenu(self)
        menu.addActions(list(actions))
        self.vary_button.setMenu(menu)

    @pyqtSlot(str)
    def show_setting(self, name: str) -> None:
        """Bring a setting into view, with the focus; nothing happens if it has no field."""
        field = self.form.reveal(name)
        if field is not None:
            self._scroll.ensureWidgetVisible(field)

    def labels(self) -> list[QLabel]:
        """Those of fields that are always seen, the most wanted first."""
        model, presets = self._labels
        return [model, *self.form.first_labels, presets]

    # Chosen

    def values(self) -> Values:
        """What is chosen."""
        return self.form.values()

    def set_values(self, values: Values) -> None:
        """Show these values."""
        self.form.set_values(values)

    def model(self) -> ModelChoice | None:
        """The model that is chosen; None for the bundled one."""
        source = self.model_box.currentData()
        return ModelChoice(source=str(source)) if source else None

    def set_model(self, source: str) -> None:
        """Choose a model by its source; empty for the bundled one."""
        index = self.model_box.findData(source)
        if index < 0:
            self.model_box.addItem(source, source)
            index = self.model_box.count() - 1
        self.model_box.setCurrentIndex(index)
        self.form.set_styles(self._styles())

    def chosen_model(self) -> Model | None:
        """What the daemon says of the model that is chosen."""
        source = self.model_box.currentData() or ""
        return next((model for model in self._models if model.source == source), None)

    # Parts

    def _head(self) -> QWidget:
        head = QWidget()
        rows = QFormLayout(head)
        rows.setContentsMargins(8, 8, 8, 0)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.model_box.setAccessibleName(self.tr("Model"))
        self.model_box.addItem(self.tr("bundled"), "")
        self.model_box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        rows.addRow(self._label(self.tr("Model"), self.model_box), self.model_box)
        line = QHBoxLayout()
        self.preset_box.setAccessibleName(self.tr("Own presets"))
        # Narrow, so that the inspector is no wider than its settings.
        self.preset_box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.preset_box.setMinimumContentsLength(4)
        line.addWidget(self.preset_box, 1)
        self._save = QToolButton()
        self._save.setText(self.tr("Save…"))
        self._save.setToolTip(self.tr("Keep these settings under a name"))
        self._remove = QToolButton()
        self._remove.setText(self.tr("Delete"))
        self._remove.setToolTip(self.tr("Forget the preset that is shown"))
        line.addWidget(self._save)
        line.addWidget(self._remove)
        rows.addRow(self._label(self.tr("My presets"), self.preset_box), line)
        return head

    def _label(self, text: str, field: QWidget) -> QLabel:
        """Beside a field of the head, in line with the form's."""
        label = PlainLabel(text)
        label.setBuddy(field)
        label.setMinimumHeight(self.model_box.sizeHint().height())
        label.setFixedWidth(self.form.label_width)
        self._labels.append(label)
        return label

    def _middle(self) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        self._waiting.setObjectName("faint")
        self._waiting.setContentsMargins(8, 8, 8, 8)
        self._waiting.setWordWrap(True)
        column.addWidget(self._waiting)
        column.addWidget(self.form, 1)
        scroll = self._scroll
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # It follows the field that has the focus.
        scroll.setWidget(holder)
        return scroll

    def _foot(self) -> QWidget:
        foot = QWidget()
        column = QVBoxLayout(foot)
        column.setContentsMargins(8, 6, 8, 8)
        self.estimate.setObjectName("faint")
        self.estimate.setWordWrap(True)
        column.addWidget(self.range)
        column.addWidget(self.estimate)
        line = QHBoxLayout()
        self.vary_button.setText(self.tr("Var&y"))
        self.vary_button.setToolTip(self.tr("Try this frame in several ways beside each other"))
        self.vary_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        line.addWidget(self.look_button)
        line.addWidget(self.vary_button)
        line.addStretch(1)
        self.restyle_button.setObjectName("primary")
        column.addLayout(line)
        column.addWidget(self.restyle_button)
        return foot

    def _connect(self) -> None:
        self.form.changed.connect(self.changed)
        self.model_box.activated.connect(self._on_model_chosen)
        self.preset_box.activated.connect(self._on_preset_chosen)
        self._save.clicked.connect(self._on_save)
        self._remove.clicked.connect(self._on_remove)
        self.look_button.clicked.connect(self.look_wanted)
        self.restyle_button.clicked.connect(self.restyle_wanted)

    def _styles(self):  # noqa: ANN202
        model = self.chosen_model()
        return model.styles if model else ()

    def _show_models(self) -> None:
        chosen = self.model_box.currentData() or ""
        self.model_box.clear()
        for model in self._models:
            if model.state == "available":
                continue
            name = printable(model.name or model.source)
            self.model_box.addItem(name, model.source)
            if model.problem:
                index = self.model_box.count() - 1
                self.model_box.setItemText(
                    index, self.tr("{name} (cannot be used)").format(name=name)
                )
                self.model_box.setItemData(index, plain(model.problem), Qt.ItemDataRole.ToolTipRole)
        self.set_model(str(chosen))

    def _show_presets(self, chosen: str = "") -> None:
        self.preset_box.clear()
        self.preset_box.addItem(self.tr("none"), "")
        for name in self._presets.names():
            self.preset_box.addItem(name, name)
        self.preset_box.setCurrentIndex(max(self.preset_box.findData(chosen), 0))
        self._remove.setEnabled(bool(chosen))

    # Slots

    @pyqtSlot()
    def _on_model_chosen(self) -> None:
        self.form.set_styles(self._styles())
        self.changed.emit()

    @pyqtSlot()
    def _on_preset_chosen(self) -> None:
        name = str(self.preset_box.currentData() or "")
        self._remove.setEnabled(bool(name))
        if not name:
            return
        kept = {key: value for key, value in self.values().items() if key in OF_ONE_CLIP}
        self.set_values({**self._presets.values(name), **kept})
        self.changed.emit()

    @pyqtSlot()
    def _on_save(self) -> None:
        name, is_given = QInputDialog.getText(
            self,
            self.tr("Save preset"),
            self.tr("Name"),
            text=str(self.preset_box.currentData() or ""),
        )
        if is_given and name.strip():
            self.save_preset(name.strip())

    def save_preset(self, name: str) -> None:
        """Keep what is chosen under a name."""
        values = {key: one for key, one in self.values().items() if key not in OF_ONE_CLIP}
        try:
            self._presets.keep(name, values)
        except FileFailed as error:
            self.problem.emit(error)
            return
        self._show_presets(name)

    @pyqtSlot()
    def _on_remove(self) -> None:
        try:
            self._presets.remove(str(self.preset_box.currentData()))
        except FileFailed as error:
            self.problem.emit(error)
            return
        self._show_presets()
