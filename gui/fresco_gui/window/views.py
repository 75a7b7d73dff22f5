"""The views of the window, and where they lie in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from PyQt6.QtCore import QCoreApplication, Qt
from PyQt6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QTabBar,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from fresco_gui.inspector import Inspector
from fresco_gui.jobs import JobsPanel
from fresco_gui.looks import ContactSheet
from fresco_gui.problems.panel import ProblemPanel
from fresco_gui.timeline import Filmstrip
from fresco_gui.viewer import Viewer
from fresco_gui.window.empty import EmptyState
from fresco_gui.window.result_bar import ResultBar
from fresco_gui.window.status import StatusLine

translate = QCoreApplication.translate
_SIDES_PX = [300, 344]
_LEAST_PX = 240
"""Of the window without a clip, which is not to be wider than with one."""


@dataclass(frozen=True, kw_only=True)
class Views:
    """What is seen; none of them knows of another."""

    viewer: Viewer
    filmstrip: Filmstrip
    inspector: Inspector
    sheet: ContactSheet
    jobs: JobsPanel
    problems: ProblemPanel
    result: ResultBar
    empty: EmptyState
    status: StatusLine


class WindowLayout:
    """Puts the views into the window: the clip in the middle, docks beside it."""

    def __init__(self, window: QMainWindow, views: Views) -> None:
        self._views = views
        self._splitter = self._clip_page()
        self._pages = QStackedWidget()
        views.empty.setMinimumWidth(_LEAST_PX)
        self._pages.addWidget(views.empty)
        self._pages.addWidget(self._splitter)
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        self._tabs.addTab(views.sheet, translate("WindowLayout", "L&ooks"))
        self._tabs.addTab(views.jobs, translate("WindowLayout", "&Jobs"))
        self.left = _dock("left", translate("WindowLayout", "Looks and jobs"), self._tabs)
        self.right = _dock("inspector", translate("WindowLayout", "Inspector"), views.inspector)
        window.resize(1440, 900)
        window.setDockNestingEnabled(True)
        window.setCentralWidget(self._centre())
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self.left)
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.right)
        window.resizeDocks([self.left, self.right], _SIDES_PX, Qt.Orientation.Horizontal)
        window.setStatusBar(views.status)

    def show_clip(self) -> None:
        """Viewer and filmstrip take the middle."""
        self._pages.setCurrentWidget(self._splitter)

    def show_empty(self) -> None:
        """The place to drop a clip takes the middle."""
        self._pages.setCurrentWidget(self._views.empty)

    def show_looks(self) -> None:
        """Bring the contact sheet to the front of its dock."""
        self._tabs.setCurrentWidget(self._views.sheet)

    def show_jobs(self) -> None:
        """Bring the jobs to the front of their dock."""
        self._tabs.setCurrentWidget(self._views.jobs)

    def order_tabs(self) -> None:
        """Let Tab go as one reads: what is chosen from, what is seen, what is set."""
        views = self._views
        middle = (views.problems, views.result, views.empty, views.viewer, views.filmstrip)
        parts = (self.left, *middle, self.right, views.status)
        for first, second in pairwise(stop for part in parts for stop in _stops(part)):
            QWidget.setTabOrder(first, second)

    def _clip_page(self) -> QSplitter:
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self._views.viewer)
        splitter.addWidget(self._views.filmstrip)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 0)
        splitter.setCollapsible(0, False)
        return splitter

    def _centre(self) -> QWidget:
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._views.problems)
        column.addWidget(self._views.result)
        column.addWidget(self._pages, 1)
        return centre


def _stops(part: QWidget) -> list[QWidget]:
    """What Tab comes to, in the order in which it was laid out; tabs stand above their pages.

    Lists that boxes open are windows of their own.
    """
    found = [
        one
        for one in (part, *part.findChildren(QWidget))
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and one.focusProxy() is None
        and one.window() is part.window()
    ]
    return sorted(found, key=lambda one: not isinstance(one, QTabBar))


def _dock(name: str, title: str, widget: QWidget) -> QDockWidget:
    dock = QDockWidget(title)
    dock.setObjectName(name)
    dock.setWidget(widget)
    dock.setFeatures(
        QDockWidget.DockWidgetFeature.DockWidgetClosable
        | QDockWidget.DockWidgetFeature.DockWidgetMovable
    )
    return dock
