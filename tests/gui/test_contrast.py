"""Every state of every kind of widget can be read: contrast is measured in the pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from fresco_gui import theme
from fresco_gui.media.pictures import read_pixels_of
from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QAction, QFont, QImage
from PyQt6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QMainWindow,
    QMenu,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

WORDS = "MMMM"
LEAST = 4.5


def luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance of BGR colours (WCAG 2)."""
    linear = np.where(
        (share := colours / 255) <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4
    )
    return linear @ np.array([0.0722, 0.7152, 0.2126])


def contrast(widget: QWidget, part: QRect | None = None) -> float:
    """Between the ground, which most pixels are, and what is farthest from it."""
    QApplication.processEvents()
    window = widget.window()
    assert window is not None
    place = part if part is not None else widget.rect()
    image = window.grab(QRect(widget.mapTo(window, place.topLeft()), place.size()))
    pixels = read_pixels_of(image.toImage().convertToFormat(QImage.Format.Format_RGB32))
    inner = pixels[4:-4, 6:-6, :3].reshape(-1, 3)
    found, counts = np.unique(inner, axis=0, return_counts=True)
    ground = luminance(found[counts.argmax()].astype(float))
    # The middle of the letters, not single pixels of an edge.
    seen = luminance(found[counts >= max(12, inner.shape[0] // 2000)].astype(float))
    ratios = (np.maximum(seen, ground) + 0.05) / (np.minimum(seen, ground) + 0.05)
    return float(ratios.max())


Show = Callable[[QWidget], QWidget]


@pytest.fixture(params=[Qt.ColorScheme.Dark, Qt.ColorScheme.Light], ids=["dark", "light"])
def show(request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[Show]:
    """Shows a widget in large letters, in one of the themes."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    theme.apply(application, request.param)

    kept: list[QWidget] = []

    def shown(widget: QWidget) -> QWidget:
        font = QFont(widget.font())
        font.setPixelSize(26)
        font.setBold(True)
        holder = QMainWindow()
        middle = QWidget()
        QVBoxLayout(middle).addWidget(widget)
        holder.setCentralWidget(middle)
        holder.resize(640, 300)
        qtbot.addWidget(holder)
        kept.append(holder)
        holder.show()
        qtbot.waitExposed(holder)
        for one in (widget, *widget.findChildren(QWidget)):
            one.setFont(font)
        return widget

    yield shown
    theme.apply(application, Qt.ColorScheme.Dark)


def named(name: str, widget: QWidget) -> QWidget:
    widget.setObjectName(name)
    return widget


def combo() -> QWidget:
    box = QComboBox()
    box.addItem(WORDS)
    return box


def spin() -> QWidget:
    box = QDoubleSpinBox()
    box.setSpecialValueText(WORDS)
    return box


def tool(name: str = "") -> QWidget:
    button = QToolButton()
    button.setText(WORDS)
    button.setCheckable(True)
    return named(name, button)


def push(name: str = "") -> QWidget:
    return named(name, QPushButton(WORDS))


def progress() -> QWidget:
    bar = QProgressBar()
    bar.setFormat(WORDS)
    bar.setValue(50)
    return bar


def placeholder() -> QWidget:
    edit = QLineEdit()
    edit.setPlaceholderText(WORDS)
    return edit


def editable_placeholder() -> QWidget:
    box = QComboBox()
    box.setEditable(True)
    line = box.lineEdit()
    assert line is not None
    line.setPlaceholderText(WORDS)
    return box


def group() -> QWidget:
    box = QGroupBox(WORDS)
    QVBoxLayout(box).addWidget(QLabel(" "))
    return box


MAKERS: dict[str, Callable[[], QWidget]] = {
    "label": lambda: QLabel(WORDS),
    "faint label": lambda: named("faint", QLabel(WORDS)),
    "mistake": lambda: named("mistake", QLabel(WORDS)),
    "line": lambda: QLineEdit(WORDS),
    "placeholder": placeholder,
    "placeholder of a choice that can be written": editable_placeholder,
    "text": lambda: QPlainTextEdit(WORDS),
    "combo": combo,
    "spin": spin,
    "check": lambda: QCheckBox(WORDS),
    "button": push,
    "primary": lambda: push("primary"),
    "tool": tool,
    "fold": lambda: tool("fold"),
    "segment": lambda: tool("segment"),
    "progress": progress,
    "group": group,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_every_state_of_a_widget_can_be_read(kind: str, show: Show, qtbot: QtBot) -> None:
    widget = show(MAKERS[kind]())
    found = {"usual": contrast(widget)}
    widget.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    found["hovered"] = contrast(widget)
    widget.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
    widget.setFocus()
    found["focused"] = contrast(widget)
    if isinstance(widget, QPushButton | QToolButton):
        widget.setDown(True)
        found["pressed"] = contrast(widget)
        widget.setDown(False)
    if isinstance(widget, QToolButton):
        widget.setChecked(True)
        found["checked"] = contrast(widget)
    if isinstance(widget, QLineEdit) and widget.text():
        widget.selectAll()
        found["selected"] = contrast(widget)
        widget.deselect()
    widget.setEnabled(False)
    found["disabled"] = contrast(widget)

    assert min(found.values()) >= LEAST, found


def test_entries_of_menus_can_be_read_selected_and_disabled(show: Show, qtbot: QtBot) -> None:
    holder = show(QLabel(WORDS)).window()
    assert isinstance(holder, QMainWindow)
    menu = QMenu(holder)
    qtbot.addWidget(menu)
    usual, off = QAction(WORDS, menu), QAction(WORDS, menu)
    off.setEnabled(False)
    menu.addActions([usual, off])
    font = QFont(menu.font())
    font.setPixelSize(26)
    font.setBold(True)
    menu.setFont(font)
    menu.popup(holder.pos())
    found: dict[str, float] = {}
    for name, one in (("usual", usual), ("disabled", off)):
        menu.setActiveAction(None)  # type: ignore[arg-type]
        found[name] = contrast(menu, menu.actionGeometry(one))
        menu.setActiveAction(one)
        found[f"selected {name}"] = contrast(menu, menu.actionGeometry(one))
    menu.hide()
    bar = holder.menuBar()
    assert bar is not None
    bar.setFont(font)
    entry = bar.addMenu(WORDS)
    assert entry is not None
    action = entry.menuAction()
    assert action is not None
    QApplication.processEvents()
    found["bar"] = contrast(bar, bar.actionGeometry(action))
    bar.setActiveAction(action)
    found["selected in bar"] = contrast(bar, bar.actionGeometry(action))
    entry.hide()

    assert min(found.values()) >= LEAST, found


def test_rows_tabs_and_heads_can_be_read(show: Show, qtbot: QtBot) -> None:
    rows = QListWidget()
    rows.addItems([WORDS, WORDS])
    rows.setCurrentRow(0)
    show(rows)
    found = {
        name: contrast(rows.viewport(), rows.visualItemRect(rows.item(row)))  # type: ignore[arg-type]
        for row, name in ((0, "selected"), (1, "usual"))
    }
    table = QTableWidget(2, 1)
    table.setHorizontalHeaderLabels([WORDS])
    for row in range(2):
        table.setItem(row, 0, QTableWidgetItem(WORDS))
    table.selectRow(0)
    table.setRowHeight(0, 40)
    show(table)
    for row, name in ((0, "selected cell"), (1, "cell")):
        found[name] = contrast(table.viewport(), table.visualItemRect(table.item(row, 0)))  # type: ignore[arg-type]
    found["head"] = contrast(table.horizontalHeader())  # type: ignore[arg-type]
    tabs = QTabWidget()
    for _ in range(2):
        tabs.addTab(QLabel(WORDS), WORDS)
    show(tabs)
    bar = tabs.tabBar()
    assert bar is not None
    for place, name in ((0, "tab that is open"), (1, "tab")):
        found[name] = contrast(bar, bar.tabRect(place))

    assert min(found.values()) >= LEAST, found


def test_the_theme_follows_the_system(show: Show) -> None:
    label = show(QLabel(WORDS))
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    before = theme.TOKENS.window
    theme.apply(application, Qt.ColorScheme.Light)
    light = label.grab().toImage().pixelColor(2, 2).lightness()
    theme.apply(application, Qt.ColorScheme.Dark)
    dark = label.grab().toImage().pixelColor(2, 2).lightness()

    assert light > 200
    assert dark < 60
    assert before in (theme.DARK.window, theme.LIGHT.window)
