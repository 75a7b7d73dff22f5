"""The jobs panel: what the daemon does and has done, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from fresco_client import Job, JobState
from PyQt6.QtCore import QPoint, Qt, pyqtBoundSignal, pyqtSignal, pyqtSlot
from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QListView,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fresco_gui.jobs.delegate import JobDelegate
from fresco_gui.jobs.model import JOB_ROLE, JobListModel
from fresco_gui.plain import PlainLabel


class JobsPanel(QWidget):
    """All jobs.

    Signals:
        opened(Job): it is to be shown in the viewer.
        reused(Job): its settings are to be taken over.
        paused(Job), resumed(Job), cancelled(Job), deleted(Job): so it is wanted.
        saved(Job): its result is to be put somewhere.
        put_a(Job), put_b(Job): it is to be what is compared.
        swapped(), reset(): A and B are to change places, or to be clip and result again.
    """

    opened = pyqtSignal(object)
    reused = pyqtSignal(object)
    paused = pyqtSignal(object)
    resumed = pyqtSignal(object)
    cancelled = pyqtSignal(object)
    deleted = pyqtSignal(object)
    saved = pyqtSignal(object)
    put_a = pyqtSignal(object)
    put_b = pyqtSignal(object)
    swapped = pyqtSignal()
    reset = pyqtSignal()

    def __init__(self, model: JobListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.list = QListView()
        self._pause = QPushButton(self.tr("Pau&se"))
        self._cancel = QPushButton(self.tr("Ca&ncel"))
        self._reuse = QPushButton(self.tr("Re-&use"))
        self.a_button, self.b_button = QToolButton(), QToolButton()
        self.swap_button, self.reset_button = QToolButton(), QToolButton()
        self.sides = PlainLabel()
        self._can_compare: Callable[[Job], bool] = lambda _: False
        self._stack = QStackedLayout()
        self._chosen = ""
        self._build()
        self._connect()
        self._refresh()

    def current(self) -> Job | None:
        """The job that is selected."""
        job = self.list.currentIndex().data(JOB_ROLE)
        return job if isinstance(job, Job) else None

    def select(self, job_id: str) -> None:
        """Select a job."""
        for row, job in enumerate(self._model.jobs):
            if job.id == job_id:
                self.list.setCurrentIndex(self._model.index(row))

    def compare_by(self, can_compare: Callable[[Job], bool]) -> None:
        """Offer as A and B what can be compared."""
        self._can_compare = can_compare
        self._refresh()

    def show_sides(self, a: str, b: str, *, can_swap: bool, can_reset: bool) -> None:
        """Say what A and B are."""
        self.sides.setText(self.tr("A  {a}\nB  {b}").format(a=a, b=b))
        self.swap_button.setEnabled(can_swap)
        self.reset_button.setEnabled(can_reset)
        self._refresh()

    def _sides_line(self) -> QHBoxLayout:
        """What is compared, and what can be done about it."""
        self.sides.setObjectName("faint")
        self.sides.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        line = QHBoxLayout()
        line.addWidget(self.sides, 1)
        see = self.tr("See the selected result as {side}")
        for button, text, tip in (
            (self.a_button, self.tr("A"), see.format(side="A")),
            (self.b_button, self.tr("B"), see.format(side="B")),
            (self.swap_button, "⇄", self.tr("Swap A and B (X)")),
            (self.reset_button, "↺", self.tr("Compare clip and result again (0)")),
        ):
            button.setText(text)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            line.addWidget(button)
        return line

    def _build(self) -> None:
        self.list.setModel(self._model)
        self.list.setItemDelegate(JobDelegate(self.list))
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setAccessibleName(self.tr("Jobs"))
        empty = PlainLabel(self.tr("No jobs yet. What is restyled here or elsewhere appears here."))
        empty.setObjectName("faint")
        empty.setWordWrap(True)
        empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._stack.addWidget(empty)
        self._stack.addWidget(self.list)
        self._reuse.setToolTip(self.tr("Take over the settings of this job"))
        line = QHBoxLayout()
        # What begins a job may lie below the middle one: a second click there is to do no harm.
        for button in (self._pause, self._reuse, self._cancel):
            button.setMinimumWidth(48)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            line.addWidget(button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addLayout(self._sides_line())
        column.addLayout(self._stack, 1)
        column.addLayout(line)

    def _connect(self) -> None:
        self.list.customContextMenuRequested.connect(self._on_menu)
        self.list.activated.connect(self._on_activated)
        self.list.clicked.connect(self._on_activated)
        selection = self.list.selectionModel()
        assert selection is not None
        selection.currentChanged.connect(self._refresh)
        self._model.modelAboutToBeReset.connect(self._on_reset_begins)
        self._model.modelReset.connect(self._on_reset)
        for signal in (
            self._model.dataChanged,
            self._model.modelReset,
            self._model.rowsInserted,
            self._model.rowsRemoved,
        ):
            signal.connect(self._refresh)
        self._pause.clicked.connect(self._on_pause)
        self._cancel.clicked.connect(self._on_cancel)
        self._reuse.clicked.connect(self._on_reuse)
        self.a_button.clicked.connect(self._on_put_a)
        self.b_button.clicked.connect(self._on_put_b)
        self.swap_button.clicked.connect(self.swapped)
        self.reset_button.clicked.connect(self.reset)

    @pyqtSlot()
    def _refresh(self) -> None:
        self._stack.setCurrentIndex(1 if self._model.jobs else 0)
        job = self.current()
        can_resume = job is not None and _can_resume(job)
        self._show_pause(can_resume=can_resume)
        is_open = job is not None and not job.state.is_ended
        self._pause.setEnabled(can_resume or is_open)
        self._cancel.setEnabled(is_open)
        self._reuse.setEnabled(job is not None)
        can_compare = job is not None and self._can_compare(job)
        self.a_button.setEnabled(can_compare)
        self.b_button.setEnabled(can_compare)

    def _show_pause(self, *, can_resume: bool) -> None:
        """One button for both, with one letter; in "Go on" that is not."""
        pause = self.tr("Pau&se")
        if can_resume:
            keys = QKeySequence.mnemonic(pause)
            self._pause.setText(self.tr("Go on"))
            self._pause.setShortcut(keys)
            self._pause.setToolTip(keys.toString(QKeySequence.SequenceFormat.NativeText))
        else:
            self._pause.setText(pause)
            self._pause.setToolTip("")

    @pyqtSlot()
    def _on_reset_begins(self) -> None:
        job = self.current()
        self._chosen = job.id if job else ""

    @pyqtSlot()
    def _on_reset(self) -> None:
        self.select(self._chosen)

    @pyqtSlot()
    def _on_pause(self) -> None:
        job = self.current()
        if job is not None:
            (self.resumed if _can_resume(job) else self.paused).emit(job)

    @pyqtSlot()
    def _on_cancel(self) -> None:
        job = self.current()
        if job is not None:
            self.cancelled.emit(job)

    @pyqtSlot()
    def _on_reuse(self) -> None:
        job = self.current()
        if job is not None:
            self.reused.emit(job)

    @pyqtSlot()
    def _on_put_a(self) -> None:
        job = self.current()
        if job is not None:
            self.put_a.emit(job)

    @pyqtSlot()
    def _on_put_b(self) -> None:
        job = self.current()
        if job is not None:
            self.put_b.emit(job)

    @pyqtSlot()
    def _on_activated(self) -> None:
        job = self.current()
        if job is not None:
            self.opened.emit(job)

    @pyqtSlot(QPoint)
    def _on_menu(self, where: QPoint) -> None:
        job = self.current()
        if job is not None:
            self.menu_for(job).popup(self.list.mapToGlobal(where))

    def menu_for(self, job: Job) -> QMenu:
        """What can be done about a job, as a menu."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        is_open, can_compare = not job.state.is_ended, self._can_compare(job)
        entries = (
            (self.tr("Show"), self.opened, True),
            (self.tr("See as A"), self.put_a, can_compare),
            (self.tr("See as B"), self.put_b, can_compare),
            (self.tr("Re-use settings"), self.reused, True),
            (self.tr("Save result as…"), self.saved, job.state is JobState.DONE),
            (self.tr("Pause"), self.paused, is_open and job.state is not JobState.PAUSED),
            (self.tr("Go on"), self.resumed, _can_resume(job)),
            (self.tr("Cancel"), self.cancelled, is_open),
            (self.tr("Delete…"), self.deleted, True),
        )
        for text, signal, is_possible in entries:
            action = menu.addAction(text)
            assert action is not None
            action.setEnabled(is_possible)
            action.triggered.connect(_emitting(signal, job))
        return menu


def _emitting(signal: pyqtBoundSignal, job: Job) -> Callable[[], None]:
    return lambda: signal.emit(job)


def _can_resume(job: Job) -> bool:
    is_broken_off = job.state is JobState.FAILED and bool(job.failure and job.failure.can_resume)
    return job.state is JobState.PAUSED or is_broken_off
