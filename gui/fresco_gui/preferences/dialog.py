"""Settings of the app: which daemon, where results go, what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import pyqtSlot
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fresco_gui.plain import PlainLabel
from fresco_gui.preferences.stored import DaemonChoice, Folders, Preferences

_SIDES = (640, 960, 1280, 1920)


@dataclass(frozen=True)
class _PathRow:
    """A line for a path and its button."""

    edit: QLineEdit
    row: QHBoxLayout

    @property
    def path(self) -> Path | None:
        text = self.edit.text().strip()
        return Path(text).expanduser() if text else None


class SettingsDialog(QDialog):
    """Shows preferences and, when accepted, keeps what was changed."""

    def __init__(
        self, preferences: Preferences, folders: Folders, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.setMinimumWidth(520)
        self._preferences = preferences
        self._folders = folders
        choice = preferences.daemon
        self.address = QLineEdit(choice.address)
        self.address.setPlaceholderText(self.tr("this one; else where it is, such as studio:7400"))
        self.is_started = QCheckBox(self.tr("Start what does the work with the app"))
        self.is_started.setChecked(choice.is_started)
        self.data = self._place(choice.data, self.tr("the user's own"), is_folder=True)
        self.token = self._place(choice.token_file, "", is_folder=False)
        self.certificate = self._place(choice.certificate, "", is_folder=False)
        self.results = self._place(preferences.results, str(folders.results), is_folder=True)
        self.is_lossless = QCheckBox(self.tr("Make results without loss (larger files)"))
        self.is_lossless.setChecked(preferences.is_lossless)
        self.restores = QCheckBox(self.tr("Open the last project at the start"))
        self.restores.setChecked(preferences.restores_session)
        self.shows_looks = QCheckBox(self.tr("Show a clip in every look when it is opened"))
        self.shows_looks.setChecked(preferences.shows_looks)
        self.preview = QComboBox()
        self.note = PlainLabel()
        self._build()

    @property
    def has_other_daemon(self) -> bool:
        """Whether another daemon was chosen than before."""
        return self._choice() != self._preferences.daemon

    def _build(self) -> None:
        for side in _SIDES:
            self.preview.addItem(self.tr("{side} pixels").format(side=side), side)
        self.preview.setCurrentIndex(max(self.preview.findData(self._preferences.preview_side), 0))
        daemon = QGroupBox(self.tr("Where the work is done"))
        rows = QFormLayout(daemon)
        rows.addRow(self.is_started)
        rows.addRow(self.tr("Where it keeps its work"), self.data.row)
        rows.addRow(self.tr("Another computer"), self.address)
        rows.addRow(self.tr("Its key, a file"), self.token.row)
        rows.addRow(self.tr("Its certificate"), self.certificate.row)
        results = QGroupBox(self.tr("Results"))
        rows = QFormLayout(results)
        rows.addRow(self.tr("Folder"), self.results.row)
        rows.addRow(self.is_lossless)
        rows.addRow(self.tr("Previews while a job runs"), self.preview)
        start = QGroupBox(self.tr("Start"))
        starting = QVBoxLayout(start)
        starting.addWidget(self.restores)
        starting.addWidget(self.shows_looks)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self._on_accepted)
        buttons.rejected.connect(self.reject)
        self.note.setWordWrap(True)
        column = QVBoxLayout(self)
        for widget in (results, start, daemon, self.note, buttons):
            column.addWidget(widget)

    def _place(self, path: Path | None, usual: str, *, is_folder: bool) -> _PathRow:
        edit = QLineEdit(str(path or ""))
        edit.setPlaceholderText(usual)
        button = QPushButton(self.tr("Choose…"))
        button.setAutoDefault(False)

        def choose() -> None:
            if is_folder:
                chosen = QFileDialog.getExistingDirectory(self, "", edit.text())
            else:
                chosen, _ = QFileDialog.getOpenFileName(self, "", edit.text())
            if chosen:
                edit.setText(chosen)

        button.clicked.connect(choose)
        row = QHBoxLayout()
        row.addWidget(edit, 1)
        row.addWidget(button)
        return _PathRow(edit, row)

    def _choice(self) -> DaemonChoice:
        return DaemonChoice(
            data=self.data.path,
            is_started=self.is_started.isChecked(),
            address=self.address.text().strip(),
            token_file=self.token.path,
            certificate=self.certificate.path,
        )

    def _mistake(self) -> str:
        choice = self._choice()
        host, _, port = choice.address.rpartition(":")
        if choice.address and not (host and port.isdecimal() and 0 < int(port) < 65536):
            return self.tr(
                "Another computer is given by its name, a colon and a number, such as studio:7400."
            )
        if choice.address and choice.token_file is None:
            return self.tr("Another computer asks for its key; choose the file that holds it.")
        for path in (choice.token_file, choice.certificate):
            if path is not None and not path.is_file():
                return self.tr("There is no file {path}.").format(path=path)
        return ""

    @pyqtSlot()
    def _on_accepted(self) -> None:
        mistake = self._mistake()
        self.note.setText(mistake)
        if not mistake:
            self.accept()

    def keep(self) -> None:
        """Put what was chosen into the preferences."""
        self._preferences.daemon = self._choice()
        self._preferences.results = self.results.path
        self._preferences.is_lossless = self.is_lossless.isChecked()
        self._preferences.shows_looks = self.shows_looks.isChecked()
        self._preferences.restores_session = self.restores.isChecked()
        self._preferences.preview_side = int(self.preview.currentData())
        self._preferences.save()
