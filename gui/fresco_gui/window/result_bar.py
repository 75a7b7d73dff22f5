"""What can be done with a result, above it: export it, and find what was exported."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QUrl, pyqtSignal
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from fresco_gui.plain import ShrinkingLabel, plain


class ResultBar(QFrame):
    """One line, seen while there is something to be done.

    Signals:
        export_wanted(): the result is to be exported.
    """

    export_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("result")
        self._path: Path | None = None
        self.text = ShrinkingLabel()
        self.export = QPushButton(self.tr("Ex&port…"))
        self.reveal = QPushButton(self.tr("Sho&w in its folder"))
        self.play = QPushButton(self.tr("&Play"))
        self.dismiss = QToolButton()
        self.dismiss.setText("×")
        self.dismiss.setToolTip(self.tr("Put this line away"))
        self.dismiss.setAccessibleName(self.tr("Put this line away"))
        line = QHBoxLayout(self)
        line.setContentsMargins(10, 4, 6, 4)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        line.addWidget(self.text, 1)
        for button in (self.play, self.reveal, self.export, self.dismiss):
            line.addWidget(button)
        self.text.setMinimumWidth(40)
        self.export.clicked.connect(self.export_wanted)
        self.reveal.clicked.connect(self._on_reveal)
        self.play.clicked.connect(self._on_play)
        self.dismiss.clicked.connect(self.hide)
        self.hide()

    def show_done(self, words: str) -> None:
        """A result is there."""
        self._show(words, None)

    def show_exported(self, path: Path) -> None:
        """It was exported."""
        self._show(self.tr("Exported: {name}").format(name=path.name), path)
        self.play.setVisible(path.is_file())

    def show_saved(self, path: Path, *, can_export: bool) -> None:
        """A frame was saved, beside which the result can be exported as before."""
        self._show(self.tr("Saved: {name}").format(name=path.name), path)
        self.export.setVisible(can_export)

    def _show(self, words: str, path: Path | None) -> None:
        self._path = path
        self.text.setText(words)
        self.reveal.setToolTip(plain(path or ""))
        self.export.setVisible(path is None)
        self.reveal.setVisible(path is not None)
        self.play.hide()
        self.show()

    def _on_reveal(self) -> None:
        if self._path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path.parent)))

    def _on_play(self) -> None:
        if self._path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path)))
