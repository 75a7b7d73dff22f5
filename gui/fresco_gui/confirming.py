"""Asking before something is done that cannot be undone."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtWidgets import QMessageBox, QWidget

from fresco_gui.plain import plain


def is_confirmed(parent: QWidget, title: str, question: str) -> bool:
    """Whether the user says Yes to a question; No is the default."""
    asked = QMessageBox.question(
        parent, title, question, defaultButton=QMessageBox.StandardButton.No
    )
    return asked is QMessageBox.StandardButton.Yes


def may_replace(parent: QWidget, path: Path) -> bool:
    """Whether the user wants the file at `path` to be replaced."""
    question = QCoreApplication.translate("Replacing", "{name} is there already. Replace it?")
    return is_confirmed(
        parent,
        QCoreApplication.translate("Replacing", "Replace the file"),
        question.format(name=plain(path.name)),
    )
