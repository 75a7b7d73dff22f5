"""What A and B are, chosen by the list of jobs, by keys and by the View menu."""

from __future__ import annotations

from fresco_client import Job
from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QWidget

from fresco_gui.comparison import Comparison
from fresco_gui.preferences.shortcuts import on
from fresco_gui.window.menus import Commands
from fresco_gui.window.views import Views

_SHOWN_MS = 5000


class CompareActions(QObject):
    """Puts jobs to A and B, and says what the two are."""

    def __init__(self, window: QWidget, comparison: Comparison, views: Views) -> None:
        super().__init__(window)
        self._comparison = comparison
        self._panel = views.jobs
        self._status = views.status

    def connect(self, commands: Commands) -> None:
        """Do what these commands are for."""
        self._commands = commands
        panel, comparison = self._panel, self._comparison
        panel.compare_by(comparison.can_compare)
        panel.put_a.connect(self.put_a)
        panel.put_b.connect(self.put_b)
        panel.swapped.connect(self.swap)
        panel.reset.connect(self.reset)
        comparison.changed.connect(self.refresh)
        on(commands.put_a, panel.a_button.click)
        on(commands.put_b, panel.b_button.click)
        on(commands.swap, self.swap)
        on(commands.reset_sides, self.reset)
        self.refresh()

    def put_a(self, job: Job) -> None:
        """See a job as A."""
        self._comparison.put_a(job.id)
        self._say()

    def put_b(self, job: Job) -> None:
        """See a job as B."""
        self._comparison.put_b(job.id)
        self._say()

    def swap(self) -> None:
        """Let A and B change places."""
        self._comparison.swap()
        self._say()

    def reset(self) -> None:
        """Compare clip and result again."""
        self._comparison.reset()
        self._say()

    def refresh(self) -> None:
        """Say what A and B are, and what can be done about it."""
        comparison = self._comparison
        can_swap, can_reset = comparison.can_swap, not comparison.is_usual
        self._panel.show_sides(*comparison.names, can_swap=can_swap, can_reset=can_reset)
        self._commands.swap.setEnabled(can_swap)
        self._commands.reset_sides.setEnabled(can_reset)

    def _say(self) -> None:
        a, b = self._comparison.names
        self._status.showMessage(self.tr("A: {a}. B: {b}.").format(a=a, b=b), _SHOWN_MS)
