"""Shows what went wrong above the viewer, with everything needed to do something about it."""

from __future__ import annotations

from fresco_settings import titles
from PyQt6.QtCore import pyqtSignal, pyqtSlot
from PyQt6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fresco_gui.plain import PlainLabel, WrappedLabel
from fresco_gui.problems.problem import Problem, ProblemLog

_DETAIL_LINES = 8


class ProblemPanel(QFrame):
    """The last problem, until it is dismissed; earlier ones can be gone back to.

    Signals:
        acted(Problem): the user has pressed the button that may put it right.
        setting_wanted(str): the user wants to see this setting.
    """

    acted = pyqtSignal(object)
    setting_wanted = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("problem")
        self.log = ProblemLog()
        self._at = 0
        self._title = PlainLabel()
        self._title.setObjectName("problemTitle")
        self.message = WrappedLabel()
        self.message.setTextInteractionFlags(
            self.message.textInteractionFlags().TextSelectableByMouse
        )
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setFixedHeight(_DETAIL_LINES * self.details.fontMetrics().lineSpacing())
        self.act = QPushButton()
        self.show_setting = QPushButton()
        self.show_details = QPushButton(self.tr("Details"))
        self.show_details.setCheckable(True)
        self.copy = QPushButton(self.tr("Copy report"))
        self.earlier = QPushButton(self.tr("Earlier"))
        self.dismiss = QPushButton(self.tr("Dismiss"))
        self._build()
        self._connect()
        self.hide()

    @property
    def problem(self) -> Problem | None:
        """What is shown."""
        return self.log.problems[self._at] if self.isVisibleTo(self.parentWidget()) else None

    def add(self, problem: Problem, action: str = "") -> None:
        """Show a problem; `action` is the text of a button that may put it right."""
        self.log.add(problem)
        self._at = len(self.log.problems) - 1
        self._show(action)

    def clear(self, reason: str) -> None:
        """Take away what is shown if it is of this kind: it is over."""
        problem = self.problem
        if problem is not None and problem.reason == reason:
            self.hide()

    def _build(self) -> None:
        line = QHBoxLayout()
        line.addWidget(self._title)
        line.addStretch(1)
        buttons = (self.act, self.show_setting, self.earlier, self.show_details)
        for button in (*buttons, self.copy, self.dismiss):
            line.addWidget(button)
        column = QVBoxLayout(self)
        column.addLayout(line)
        column.addWidget(self.message)
        column.addWidget(self.details)

    def _connect(self) -> None:
        self.act.clicked.connect(self._on_act)
        self.show_details.toggled.connect(self.details.setVisible)
        self.show_setting.clicked.connect(self._on_show_setting)
        self.copy.clicked.connect(self._on_copy)
        self.earlier.clicked.connect(self._on_earlier)
        self.dismiss.clicked.connect(self.hide)

    def _show(self, action: str = "") -> None:
        problem = self.log.problems[self._at]
        self._title.setText(problem.title)
        self.message.setText(problem.message)
        self.details.setPlainText(problem.details)
        self.details.setVisible(False)
        self.show_details.setChecked(False)
        self.show_details.setVisible(bool(problem.details))
        self.earlier.setVisible(self._at > 0)
        self.act.setText(action)
        self.act.setVisible(bool(action))
        title = titles().get(problem.field, "")
        self.show_setting.setText(self.tr("Show “{title}”").format(title=title))
        self.show_setting.setVisible(bool(title))
        self.copy.setText(self.tr("Copy report"))
        self.show()

    @pyqtSlot()
    def _on_act(self) -> None:
        problem = self.log.problems[self._at]
        self.hide()
        self.acted.emit(problem)

    @pyqtSlot()
    def _on_show_setting(self) -> None:
        self.setting_wanted.emit(self.log.problems[self._at].field)

    @pyqtSlot()
    def _on_copy(self) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.log.problems[self._at].report)
            self.copy.setText(self.tr("Copied"))

    @pyqtSlot()
    def _on_earlier(self) -> None:
        self._at = max(self._at - 1, 0)
        self._show()
