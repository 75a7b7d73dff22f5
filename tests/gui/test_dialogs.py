"""Dialogs in tests: answered, or the test fails."""

from __future__ import annotations

from PyQt6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.conftest import GUARD, answer


def _ask(parent: QWidget) -> QMessageBox.StandardButton:
    return QMessageBox.question(parent, "Close", "A job is running. Close?")


def test_a_dialog_that_is_awaited_gets_its_answer(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    answer(QMessageBox, lambda box: box.button(QMessageBox.StandardButton.Yes).click())

    answered = _ask(parent)

    assert answered is QMessageBox.StandardButton.Yes


def test_a_dialog_that_no_test_awaits_is_closed_and_told(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    guard = GUARD[-1]

    answered = _ask(parent)

    assert answered is not QMessageBox.StandardButton.Yes
    assert guard.unawaited == ["Close: A job is running. Close?"]
    guard.unawaited.clear()
