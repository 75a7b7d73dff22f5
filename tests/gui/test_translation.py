"""Every word of the app can be translated: it is asked for, and translators' tools find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fresco_gui.inspector.fields import translated, translated_title
from fresco_gui.models import ModelManager
from fresco_gui.preferences.dialog import SettingsDialog
from PyQt6.lupdate import lupdate
from PyQt6.QtCore import QCoreApplication, QTranslator
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDialog,
    QDockWidget,
    QGroupBox,
    QLabel,
    QLineEdit,
    QMenu,
    QTabWidget,
    QWidget,
)

from tests.gui.conftest import App
from tests.integration.daemons import DaemonProcess

ROOT = Path(__file__).parents[2]
SOURCES = (ROOT / "gui/fresco_gui", ROOT / "settings/fresco_settings")
Asked = set[tuple[str, str]]


class Marking(QTranslator):
    """Translates everything into itself between marks, and remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Asked = set()

    def isEmpty(self) -> bool:  # noqa: N802
        return False

    def translate(
        self,
        context: str | None,
        sourceText: str | None,
        disambiguation: str | None = None,
        n: int = -1,
    ) -> str:
        context, text = context or "", sourceText or ""
        if context.startswith("Q"):
            return text
        self.asked.add((context, text))
        return f"‹{text}›"


@pytest.fixture
def marking(qtbot: object) -> Iterator[Marking]:
    """In place of a language."""
    translator = Marking()
    assert QCoreApplication.installTranslator(translator)
    yield translator
    QCoreApplication.removeTranslator(translator)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """What the tool that translators use finds in the sources."""
    file = tmp_path_factory.mktemp("translation") / "fresco_gui_xx.ts"
    lupdate([str(path) for folder in SOURCES for path in folder.rglob("*.py")], [str(file)])
    pairs: Asked = set()
    for context in ElementTree.parse(file).getroot().iter("context"):
        name = context.findtext("name") or ""
        texts = (message.findtext("source") or "" for message in context.iter("message"))
        pairs.update((name, text) for text in texts)
    return pairs


def words_of(top: QWidget) -> Iterator[str]:
    """All words that a window and what is in it show."""
    for widget in [top, *top.findChildren(QWidget)]:
        yield widget.toolTip()
        yield widget.accessibleName()
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget.text()
        elif isinstance(widget, QGroupBox | QMenu):
            yield widget.title()
        elif isinstance(widget, QDockWidget | QDialog):
            yield widget.windowTitle()
        elif isinstance(widget, QLineEdit):
            yield widget.placeholderText()
        elif isinstance(widget, QTabWidget):
            yield from (widget.tabText(at) for at in range(widget.count()))
        elif isinstance(widget, QComboBox):
            yield from (widget.itemText(at) for at in range(widget.count()))
    for action in top.findChildren(QAction):
        yield action.text()
        yield action.toolTip()


def is_left_as_it_was(word: str) -> bool:
    """Whether no translator was asked about it, though it has letters to translate."""
    return any(letter.isalpha() for letter in word) and "‹" not in word


def test_every_word_of_the_window_and_its_dialogs_is_translated(
    marking: Marking, make_app: Callable[[], App], found: Asked
) -> None:
    app = make_app()
    services = app.controller.services
    tops: list[QWidget] = [
        app.window,
        SettingsDialog(services.preferences, services.folders, app.window),
        app.window.dialogs.shortcuts_sheet(),
        ModelManager(services.workers, app.window),
    ]

    left = {word for top in tops for word in words_of(top) if is_left_as_it_was(word)}

    # Qt's own buttons, and paths.
    assert {word for word in left if not word.startswith("/")} - _OF_QT == set()
    assert marking.asked - found == set()


_OF_QT = {"&OK", "OK", "&Cancel", "Cancel", "&Close", "Close", "Float", "Press shortcut"} | {
    "Scroll Left",
    "Scroll Right",
}


def test_what_is_said_on_the_way_through_a_job_can_be_translated(
    marking: Marking,
    make_app: Callable[[], App],
    start_daemon: Callable[..., DaemonProcess],
    clip: Path,
    found: Asked,
) -> None:
    app = make_app()
    app.connect(start_daemon())
    app.open(clip)
    app.write_prompt("ink")
    app.window.views.inspector.look_button.click()
    app.wait("looks", lambda: len(app.window.views.sheet.looks()) == 1)
    app.window.views.sheet.use_chosen()
    app.restyle()
    job = app.wait_for_next(1)
    app.window.views.jobs.menu_for(job)
    app.window.views.filmstrip.keyframe_menu(10)
    clip.rename(clip.with_name("aside.mp4"))
    try:
        app.wait("it to be missed", lambda: app.window.views.problems.problem)
    finally:
        clip.with_name("aside.mp4").rename(clip)

    assert app.window.views.problems.problem is not None
    assert app.window.views.problems.problem.title == "‹The clip is gone›"
    assert len(marking.asked) > 150
    assert marking.asked - found == set()


def test_every_setting_of_the_daemon_has_a_title_and_a_group_that_can_be_translated(
    marking: Marking, app: App, start_daemon: Callable[..., DaemonProcess], found: Asked
) -> None:
    app.connect(start_daemon())
    view = app.wait("what it has", lambda: app.controller.daemon.view)

    told = view.server.capabilities.parameters
    words = {translated_title(one) for one in told} | {translated(one.group) for one in told}

    assert len(words) > 30
    assert [word for word in words if "‹" not in word] == []
    assert marking.asked - found == set()
