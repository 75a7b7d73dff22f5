"""The keyboard alone: order, rings, mnemonics, and questions that Return does no harm in."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from fresco_client import Job
from fresco_gui.export.dialog import ExportDialog
from fresco_gui.window.mnemonics import chosen_letters
from PyQt6.QtCore import QPoint, QRect, Qt, QTimer
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import (
    QAbstractButton,
    QDialogButtonBox,
    QLabel,
    QMenuBar,
    QMessageBox,
    QPushButton,
    QTabBar,
    QWidget,
)

from tests.gui.conftest import App, answer

ROW_PX = 6
"""Half of it may be above the one before in the same row."""


def stops(app: App) -> list[QWidget]:
    """What Tab comes to, from the first one on, once around."""
    window = app.window
    tabs = window.findChild(QTabBar)
    assert tabs is not None
    tabs.setFocus()
    found: list[QWidget] = []
    while (focus := window.focusWidget()) not in found:
        assert focus is not None
        found.append(focus)
        app.bot.keyClick(focus, Qt.Key.Key_Tab)
    return found


def pane_of(app: App, widget: QWidget) -> str:
    window = app.window
    panes = {
        "left": window.window_layout.left,
        "right": window.window_layout.right,
        "middle": window.centralWidget(),
    }
    return next((name for name, one in panes.items() if one and one.isAncestorOf(widget)), "")


def place_of(app: App, widget: QWidget) -> QRect:
    return QRect(widget.mapTo(app.window, QPoint(0, 0)), widget.size())


def test_tab_goes_from_left_to_right_and_in_each_part_from_top_to_bottom(done: App) -> None:
    done.window.resize(1600, 1000)
    found = stops(done)

    panes = [pane_of(done, one) for one in found]
    parts = [panes[0]] + [b for a, b in pairwise(panes) if a != b]
    assert [one for one in parts if one] == ["left", "middle", "right"]
    upwards = [
        (describe(a), describe(b))
        for a, b in pairwise(found)
        if pane_of(done, a) == pane_of(done, b)
        and place_of(done, b).bottom() < place_of(done, a).top() + ROW_PX
    ]
    assert upwards == []
    assert done.window.views.viewer.canvas in found
    assert done.window.views.inspector.range.first in found


def describe(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return f"{type(widget).__name__} {widget.accessibleName() or text or widget.objectName()}"


def test_whatever_tab_comes_to_shows_a_ring(done: App) -> None:
    without = []
    for one in stops(done):
        one.setFocus(Qt.FocusReason.TabFocusReason)
        done.bot.wait(1)
        focused = one.grab().toImage()
        one.clearFocus()
        done.bot.wait(1)
        if one.grab().toImage() == focused:
            without.append(describe(one))
    assert without == []


def mnemonics_of(widget: QWidget) -> list[str]:
    """The letters that Alt brings to a part of it."""
    if isinstance(widget, QTabBar):
        texts = [widget.tabText(place) for place in range(widget.count())]
    elif isinstance(widget, QMenuBar):
        texts = [one.text() for one in widget.actions()]
    elif isinstance(widget, QAbstractButton) or (isinstance(widget, QLabel) and widget.buddy()):
        texts = [widget.text()]
    else:
        texts = []
    return [found[1].upper() for text in texts if (found := re.search(r"(?<!&)&([^&])", text))]


@pytest.mark.parametrize("side", ["looks", "jobs"])
def test_letters_with_alt_are_there_and_each_does_one_thing(done: App, side: str) -> None:
    window = done.window
    getattr(window.window_layout, f"show_{side}")()
    done.bot.wait(10)
    seen: dict[str, str] = {}
    for keys in {keys for one in window.findChildren(QAction) for keys in one.shortcuts()}:
        told = keys.toString(QKeySequence.SequenceFormat.PortableText)
        if re.fullmatch("Alt\\+[A-Z]", told):
            seen[told[-1]] = "a command"
    for widget in window.findChildren(QWidget):
        if widget.isVisible():
            for letter in mnemonics_of(widget):
                assert letter not in seen, (letter, seen[letter], describe(widget))
                seen[letter] = describe(widget)
    buttons = [
        one
        for one in window.findChildren(QPushButton)
        if one.isVisible() and one.text() and not mnemonics_of(one)
    ]
    assert [describe(one) for one in buttons] == []
    assert {"O", "J", "A", "C", "T"} <= seen.keys()
    # Each field that every clip needs has a letter.
    labels = {one.text().replace("&", ""): one for one in window.views.inspector.labels()}
    for name in ("Model", "Style", "Strength", "Quality", "Prompt"):
        assert mnemonics_of(labels[name]), name


def test_a_letter_with_alt_brings_the_keyboard_to_its_field(ready: App) -> None:
    window, form = ready.window, ready.window.views.inspector.form
    labels = {one.text().replace("&", ""): one for one in window.views.inspector.labels()}
    for title, name in (("Strength", "strength"), ("Prompt", "prompt"), ("Quality", "preset")):
        field = form.field(name)
        assert field is not None
        (letter,) = mnemonics_of(labels[title])
        window.views.viewer.canvas.setFocus()

        ready.bot.keyClick(
            window, getattr(Qt.Key, f"Key_{letter}"), Qt.KeyboardModifier.AltModifier
        )

        assert window.focusWidget() is field.input, title


@pytest.mark.parametrize(
    ("texts", "taken", "marked"),
    [
        (["Style", "Size"], "", ["S", "I"]),
        (["Prompt", "Model"], "PRTEL", ["O", "M"]),
        (["ab", "a"], "", ["b", "a"]),
        (["ab", "a", "b"], "", ["a", None, "b"]),
        (["Straße", "§ 3"], "STRAE", ["ß", None]),
        ([], "", []),
    ],
)
def test_as_many_labels_as_possible_get_a_letter(
    texts: list[str], taken: str, marked: list[str | None]
) -> None:
    places = chosen_letters(texts, frozenset(taken))

    found = [
        None if place is None else text[place] for text, place in zip(texts, places, strict=True)
    ]
    letters = [one.upper() for one in found if one is not None]
    assert len(set(letters)) == len(letters)
    assert not set(letters) & set(taken)
    assert sum(one is not None for one in found) == sum(one is not None for one in marked)


# Questions


def press_return(box: QMessageBox) -> None:
    from pytestqt.qtbot import QtBot

    QtBot.keyClick(box, Qt.Key.Key_Return)


def job_of(app: App) -> Job:
    job = app.controller.shown_job.job()
    assert job is not None
    return job


def test_return_deletes_no_job_and_replaces_no_file(done: App, tmp_path: Path) -> None:
    answer(QMessageBox, press_return)
    done.window.job_actions.delete(job_of(done))
    done.bot.wait(10)
    assert done.controller.jobs.model.job(job_of(done).id) is not None

    there = tmp_path / "there.mp4"
    there.write_bytes(b"mine")
    asked: list[str] = []

    def refuse(box: QMessageBox) -> None:
        asked.append(box.text())
        press_return(box)

    def accept(dialog: ExportDialog) -> None:
        dialog.path.setText(str(there))
        answer(QMessageBox, refuse)
        buttons = dialog.findChild(QDialogButtonBox)
        assert buttons is not None

        def press() -> None:
            buttons.accepted.emit()
            dialog.reject()

        QTimer.singleShot(0, press)  # Nothing is answered while an answer is being given.

    answer(ExportDialog, accept)
    done.press("Ctrl+E")
    assert asked
    assert there.read_bytes() == b"mine"


def test_return_does_not_stop_an_export_when_the_window_is_to_close(
    done: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_actions = type(done.window.export_actions)
    monkeypatch.setattr(export_actions, "is_running", property(lambda _: True))
    answer(QMessageBox, press_return)

    assert not done.window.close()

    monkeypatch.undo()
