"""Asking before something takes the place of a file."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtWidgets import QMessageBox, QWidget

from fresco_gui.plain import plain


def may_replace(parent: QWidget, path: Path) -> bool:
    """Whether the user wants the file at `path` to be replaced; asks, No being the default."""
    asked = QMessageBox.question(
        parent,
        QCoreApplication.translate("Replacing", "Replace the file"),
        QCoreApplication.translate("Replacing", "{name} is there already. Replace it?").format(
            name=plain(path.name)
        ),
        defaultButton=QMessageBox.StandardButton.No,
    )
    return asked is QMessageBox.StandardButton.Yes
