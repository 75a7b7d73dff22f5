"""Every word that is seen in the window, its menus and its dialogs is one that editors know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fresco_gui.inspector.form import SettingsForm
from fresco_gui.models import ModelManager
from fresco_gui.plain import ShrinkingLabel
from fresco_gui.preferences.dialog import SettingsDialog
from fresco_gui.window.manual import Manual
from PyQt6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, QPoint, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QDockWidget,
    QGroupBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QTabBar,
    QTextEdit,
    QWidget,
)

from tests.gui.conftest import App
from tests.integration.daemons import DaemonProcess

JARGON = (
    r"throw\w*",
    r"adaptation\w*",
    r"optimis\w+",
    r"control scale",
    r"lying",
    r"tokens?",
    r"host",
    r"port",
    r"seeds",
    r"latents?",
    r"cfg",
    r"sdedit",
    r"gram",
    r"grpc",
    r"queue depth",
)
"""What says something to whoever wrote it, and nothing to whoever edits."""
ONE_OF_MANY = re.compile(r"(?<![\w.,:/×–-])1 [a-z]+[^s\W]s\b(?! sp| of)")
""" "1 frames", "1 seeds", "1 tokens", but not "1 s" or "1 pass"."""


def of_model(model: QAbstractItemModel | None) -> Iterator[str]:
    """What a list or a table shows."""
    if model is None:
        return
    for row in range(model.rowCount(QModelIndex())):
        columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())
        for column in range(columns):
            yield str(model.data(model.index(row, column), Qt.ItemDataRole.DisplayRole) or "")


def words_of(top: QWidget) -> Iterator[str]:
    """All that is written on a window, folded parts of it too."""
    yield top.windowTitle()
    for one in (top, *top.findChildren(QWidget)):
        if isinstance(one, QLabel | QAbstractButton):
            yield one.text()
        elif isinstance(one, QGroupBox | QMenu):
            yield one.title()
        elif isinstance(one, QDockWidget):
            yield one.windowTitle()
        elif isinstance(one, QLineEdit | QPlainTextEdit):
            yield one.placeholderText()
        elif isinstance(one, QTextEdit):
            yield one.toPlainText()
        elif isinstance(one, QTabBar):
            yield from (one.tabText(place) for place in range(one.count()))
        elif isinstance(one, QComboBox):
            yield from (one.itemText(place) for place in range(one.count()))
        elif isinstance(one, QAbstractSpinBox):
            yield one.text()
        elif isinstance(one, QAbstractItemView):
            yield from of_model(one.model())
    for action in top.findChildren(QAction):
        yield action.text()
        yield action.toolTip()


def of_no_editor(words: Iterator[str]) -> list[str]:
    """Those that hold jargon, or count one thing as if it were many."""
    jargon = re.compile(rf"\b({'|'.join(JARGON)})\b", re.IGNORECASE)
    plain = {re.sub("<[^>]+>", "", word.replace("&", "")) for word in words}
    return sorted(one for one in plain if jargon.search(one) or ONE_OF_MANY.search(one))


@pytest.mark.parametrize(
    ("said", "is_fine"),
    [
        ("Throw it away", False),
        ("Adaptation: optimisation", False),
        ("Wipe, lying line", False),
        ("1 seeds", False),
        ("it is 377 tokens longer", False),
        ("HOST:PORT", False),
        ("About 1 keyframes, 3 s", False),
        ("Exported: report.mp4", True),
        ("1 frame · 24 fps", True),
        ("1 s, 11 frames, 2.1 frames", True),
        ("A seed", True),
    ],
)
def test_the_rule_finds_what_was_found(said: str, *, is_fine: bool) -> None:
    assert (of_no_editor(iter([said])) == []) is is_fine


def test_every_word_of_a_finished_job_is_plain(done: App, tmp_path: Path) -> None:
    window, services = done.window, done.controller.services
    job = done.controller.shown_job.job()
    assert job is not None
    window.views.inspector.look_button.click()
    done.wait("a look", lambda: len(window.views.sheet.looks()) == 1)
    export = window.export_actions.dialog()
    assert export is not None
    done.wait("the size", export.expected.text)
    tops: list[QWidget] = [
        window,
        window.views.jobs.menu_for(job),
        window.views.filmstrip.keyframe_menu(10),
        window.views.sheet.menu_for(window.views.sheet.looks()[0]),
        SettingsDialog(services.preferences, services.folders, window),
        window.dialogs.shortcuts_sheet(),
        ModelManager(services.workers, window),
        Manual(window),
        export,
    ]

    found = [of_no_editor(words_of(top)) for top in tops]

    assert found == [[]] * len(tops)
    export.reject()


def test_one_is_no_plural_and_what_is_too_long_is_said_in_words(
    app: App, start_daemon: Callable[..., DaemonProcess], tmp_path: Path
) -> None:
    from tests.engine.conftest import scene, write_clip

    app.connect(start_daemon())
    app.open(write_clip(tmp_path / "one.mp4", scene(1)))
    app.write_prompt("ink")
    app.wait("what it will take", lambda: "keyframe" in app.window.views.inspector.estimate.text())
    assert "1 frame " in f"{app.window.views.status.clip.text()} "
    assert of_no_editor(words_of(app.window)) == []

    app.restyle()
    app.wait_for_result()
    app.write_prompt("ink on paper, " * 600)
    form = app.window.views.inspector.form
    assert isinstance(form, SettingsForm)
    app.bot.wait(10)
    assert of_no_editor(words_of(app.window)) == []


def test_settings_open_with_what_everybody_chooses_and_end_with_other_computers(app: App) -> None:
    services = app.controller.services
    dialog = SettingsDialog(services.preferences, services.folders, app.window)
    dialog.show()
    app.bot.waitExposed(dialog)

    def top_of(widget: QWidget) -> int:
        return widget.mapTo(dialog, QPoint(0, 0)).y()

    usual = (dialog.results.edit, dialog.is_lossless, dialog.restores, dialog.shows_looks)
    remote = (dialog.address, dialog.token.edit, dialog.certificate.edit)
    assert max(map(top_of, usual)) < min(map(top_of, remote))
    dialog.reject()


def test_the_main_menus_are_those_of_an_editor(app: App) -> None:
    bar = app.window.menuBar()
    assert bar is not None
    titles = [one.text().replace("&", "") for one in bar.actions()]
    assert titles == ["File", "Edit", "Restyle", "Keyframes", "Playback", "View", "Help"]


def test_a_number_is_shown_whole_on_one_line_or_on_two_or_not_at_all(app: App) -> None:
    label = ShrinkingLabel(is_whole=True)
    app.bot.addWidget(label)
    label.setText("40 / 107  ·  00:00:01:16")
    label.least_text = "40 / 107\n00:00:01:16"
    metrics, least = label.fontMetrics(), label.minimumSizeHint()

    assert least.width() >= metrics.horizontalAdvance("00:00:01:16")
    assert least.height() == 2 * metrics.lineSpacing()
    for width, shown in ((400, label.text()), (least.width(), label.least_text), (20, "")):
        label.setFixedWidth(width)
        assert label.shown_text() == shown
