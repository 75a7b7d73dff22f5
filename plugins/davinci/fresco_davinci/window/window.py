"""The window itself: joins form, pictures and jobs to the controller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PyQt6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from fresco_davinci.bridge.mailbox import Mailbox
from fresco_davinci.bridge.remote import Bridge
from fresco_davinci.controller import (
    PendingProgress,
    PlayheadFrame,
    ResolveController,
    outcome_sentences,
)
from fresco_davinci.core import Outcome
from fresco_davinci.pending_jobs import PendingJob
from fresco_davinci.window.background import Background
from fresco_davinci.window.form import ResolveSettingsForm
from fresco_davinci.window.jobs import JobsModel, JobsTable, StateDelegate
from fresco_davinci.window.pictures import PictureView

_POLL_MS = 1000
_LISTEN_MS = 300
_CLICK = (
    "Not connected yet. In DaVinci Resolve click\n\nWorkspace ▸ Scripts ▸ Fresco ▸ Fresco (free "
    "edition)"
)
_GONE = (
    "Not connected any more; jobs go on meanwhile. In DaVinci Resolve click again\n\n"
    "Workspace ▸ Scripts ▸ Fresco"
)
_LOOK = "Choose a style or write a prompt, then click “Look”."


class FrescoWindow(QWidget):
    """What opens from Resolve's menu.

    Signals:
        stepped: denoising steps of a look that are done, and all of them.
    """

    stepped = pyqtSignal(int, int)

    def __init__(
        self, controller: ResolveController, command: str, mailbox: Mailbox | None = None
    ) -> None:
        super().__init__()
        self._controller = controller
        self._mailbox = mailbox
        self._has_failed: set[str] = set()
        self._shown_keyframes: dict[str, int] = {}
        self.background = Background()
        self._build()
        self._connect()
        self.background.start()
        self._begin(command)

    def _build(self) -> None:
        self.setWindowTitle("Fresco for DaVinci Resolve")
        self.form = ResolveSettingsForm(self._controller.choices())
        self.heading = QLabel()
        self.heading.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.before = PictureView("The frame under the playhead", "")
        self.after = PictureView("Restyled", _LOOK)
        self.status = QLabel()
        self.status.setWordWrap(True)
        for label in (self.heading, self.status):
            # Names of clips and sentences of the daemon are not HTML.
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setMinimumHeight(36)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addLayout(self._top())
        pictures = QHBoxLayout()
        pictures.addWidget(self.before, 1)
        pictures.addWidget(self.after, 1)
        layout.addLayout(pictures, 3)
        below = QGridLayout()
        below.addWidget(self.form, 0, 0)
        below.addLayout(self._buttons(), 1, 0)
        below.addLayout(self._jobs(), 0, 1, 2, 1)
        below.setColumnStretch(0, 1)
        below.setColumnStretch(1, 1)
        below.setHorizontalSpacing(18)
        layout.addLayout(below, 2)
        layout.addWidget(self.status)
        self.resize(980, 720)

    def _top(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.refresh = QPushButton("Take current frame")
        row.addWidget(self.heading, 1)
        row.addWidget(self.refresh)
        return row

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.look = QPushButton("&Look")
        self.look.setToolTip("Restyle only this frame (Ctrl+L)")
        self.restyle = QPushButton("Restyle")
        self.restyle.setToolTip("Hand the clip to the daemon (Ctrl+Return)")
        self.restyle.setDefault(True)
        row.setSpacing(8)
        row.addStretch(1)
        row.addWidget(self.look)
        row.addWidget(self.restyle)
        return row

    def _jobs(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        self.jobs = JobsModel()
        self.table = JobsTable("Nothing is being restyled.")
        self.table.setModel(self.jobs)
        self.table.setItemDelegateForColumn(2, StateDelegate(self.table))
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)  # A second line would lie under the bar.
        rows, columns = self.table.verticalHeader(), self.table.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            rows.setDefaultSectionSize(30)
            columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            columns.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
            columns.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        row = QHBoxLayout()
        self.update_results = QPushButton("&Update results")
        self.cancel = QPushButton("&Cancel job")
        self.cancel.setEnabled(False)
        row.setSpacing(8)
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.update_results)
        column.addWidget(QLabel("Jobs of this project"))
        column.addWidget(self.table, 1)
        column.addLayout(row)
        return column

    def _connect(self) -> None:
        self.background.failed.connect(self._on_failed)
        self.form.changed.connect(self._show_possible)
        self.refresh.clicked.connect(self._on_refresh)
        self.look.clicked.connect(self._on_look)
        self.restyle.clicked.connect(self._on_restyle)
        self.update_results.clicked.connect(self._on_update)
        self.cancel.clicked.connect(self._on_cancel)
        self.stepped.connect(self._on_step)
        for keys, slot in (("Ctrl+Return", self._on_restyle), ("Ctrl+L", self._on_look)):
            QShortcut(QKeySequence(keys), self).activated.connect(slot)
        self._poll = self._timer(_POLL_MS, self._on_poll)
        if self._mailbox is not None:
            self._listen = self._timer(_LISTEN_MS, self._on_listen)

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.timeout.connect(slot)
        timer.start(interval_ms)
        return timer

    def _begin(self, command: str) -> None:
        if command == "restyle-marked":
            self.form.set_scope("marks")
        self._say("Looking for the daemon …")
        self.background.add(self._controller.styles, self._on_styles)
        if self._controller.is_attached:
            self._on_refresh()
            self._on_update()
            if command == "look" and self.form.choices().is_complete:
                self._on_look()
        self._show_possible()

    def _say(self, text: str) -> None:
        self.status.setText(text)

    def _show_possible(self) -> None:
        """Only what is possible now can be clicked, and it is said why the rest cannot."""
        is_attached = self._controller.is_attached
        if not is_attached:
            is_waiting = self._mailbox is not None
            waits, gone = "Waiting for DaVinci Resolve", "DaVinci Resolve is gone"
            self.heading.setText(waits if is_waiting else gone)
            self.before.clear(_CLICK if is_waiting else _GONE)
            self.after.show_words("")
        can_restyle = is_attached and self.form.choices().is_complete
        for button in (self.look, self.restyle):
            button.setEnabled(can_restyle)
        for button in (self.refresh, self.update_results):
            button.setEnabled(is_attached)

    def _on_styles(self, styles: tuple[Any, ...]) -> None:
        self.form.set_styles([style.name for style in styles])
        self._say("")

    def _on_refresh(self) -> None:
        if self._controller.is_attached:
            self.background.add(self._controller.shown, self._on_shown)

    def _on_shown(self, shown: PlayheadFrame) -> None:
        self.heading.setText(shown.text)
        if shown.frame is None:
            self.before.clear("Resolve did not write this frame.")
        else:
            self.before.show_picture(shown.frame)
        self._show_possible()

    def _on_look(self) -> None:
        choices = self.form.choices()
        if not (self._controller.is_attached and choices.is_complete):
            return
        self.after.show_words("Working …")
        self._say("Restyling this frame …")
        self._on_refresh()
        step = self.stepped.emit
        self.background.add(
            lambda: self._controller.look(choices, step),
            lambda data: self._on_looked(data, choices.title),
        )

    def _on_step(self, done: int, total: int) -> None:
        self._say(f"Restyling this frame, step {done} of {total} …")

    def _on_looked(self, data: bytes, title: str) -> None:
        self.after.show_picture(data, f"Restyled: {title}")
        self._say("")

    def _on_restyle(self) -> None:
        choices, scope = self.form.choices(), self.form.scope()
        if not (self._controller.is_attached and choices.is_complete):
            return
        self._say("Handing over … Resolve renders the range first if the clip is graded.")
        self.background.add(lambda: self._controller.restyle(scope, choices), self._on_submitted)

    def _on_submitted(self, pending_jobs: list[PendingJob]) -> None:
        names = ", ".join(f"“{pending.name}”" for pending in pending_jobs)
        notes = " ".join(self._controller.notes)
        self._controller.notes.clear()
        self._say(
            f"{notes} At work: {names}. You may close this window. Results come in while it is "
            "open, or with “Update results”.".strip()
        )
        self._on_poll()

    def _on_update(self) -> None:
        if self._controller.is_attached:
            self.background.add(self._controller.update, self._on_updated)

    def _on_updated(self, outcomes: list[Outcome]) -> None:
        news = [outcome for outcome in outcomes if outcome.placed or outcome.problem]
        # What failed once is not tried again every second.
        self._has_failed |= {outcome.pending.job_id for outcome in news if outcome.problem}
        if news:
            self._say("\n".join(outcome_sentences(news)))
        self._on_poll()

    def _on_cancel(self) -> None:
        row = self.table.currentIndex().row()
        pending = self.jobs.pending(row)
        if pending is None:
            self._say("Choose a job in the list first.")
        elif self._controller.is_attached:
            self.background.add(lambda: self._controller.cancel(pending), lambda _: self._on_poll())

    def _on_poll(self) -> None:
        if not self.background.is_busy:
            self.background.add(self._controller.progress, self._on_progress)

    def _on_progress(self, rows: list[PendingProgress]) -> None:
        self.jobs.show(rows)
        self.cancel.setEnabled(bool(rows) and self._controller.is_attached)
        for row in rows:
            if row.job is None or row.job.state.is_ended:
                if row.pending.job_id not in self._has_failed:
                    self._on_update()
                continue
            self._show_keyframe(row)

    def _show_keyframe(self, row: PendingProgress) -> None:
        """The newest keyframe of a job at work."""
        pending, job = row.pending, row.job
        if job is None or not job.ready_keyframes:
            return
        index = max(job.ready_keyframes)
        if self._shown_keyframes.get(pending.job_id) == index:
            return
        self._shown_keyframes[pending.job_id] = index
        caption = f"{pending.name}: keyframe {len(job.ready_keyframes)}"
        if job.plan is not None:
            caption += f" of {len(job.plan.keyframes)}"
        self.background.add(
            lambda: self._controller.keyframe(pending, index),
            lambda data: self.after.show_picture(data, caption),
        )

    def _on_listen(self) -> None:
        """A click on the free edition's script."""
        link = self._mailbox.new_link() if self._mailbox else None
        if link is not None:
            self._controller.attach(Bridge(link))
            self._say("DaVinci Resolve is connected.")
            self.after.show_words(_LOOK)
            self._on_refresh()
            self._on_update()
            self._show_possible()

    def _on_failed(self, sentence: str, is_gone: bool) -> None:
        self._say(sentence)
        self.after.show_words(sentence)
        if is_gone:
            self._controller.detach()
        self._show_possible()

    def closeEvent(self, a0: QCloseEvent | None) -> None:
        """See QWidget; jobs go on."""
        self._poll.stop()
        self.background.stop()
        super().closeEvent(a0)
