"""How a job is drawn in the list."""

from __future__ import annotations

from fresco_client import Job, JobState
from fresco_client.words import duration, look_of
from PyQt6.QtCore import QCoreApplication, QModelIndex, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QPainter
from PyQt6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from fresco_gui.jobs.model import JOB_ROLE
from fresco_gui.jobs.words import (
    state_of_job,
    time_text,
    title_of_job,
)
from fresco_gui.theme import TOKENS

_MARGIN = 8
_BAR = 4


class JobDelegate(QStyledItemDelegate):
    """Title, look, state and progress of a job, on three lines."""

    def sizeHint(  # noqa: N802
        self, option: QStyleOptionViewItem, index: QModelIndex
    ) -> QSize:
        return QSize(200, 3 * option.fontMetrics.lineSpacing() + _BAR + 2 * _MARGIN + 4)

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        job = index.data(JOB_ROLE)
        if painter is None or not isinstance(job, Job):
            return
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(TOKENS.raised))
        area = QRectF(option.rect).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        line = option.fontMetrics.lineSpacing()
        bold = QFont(option.font)
        bold.setBold(True)
        self._text(painter, area, bold, TOKENS.text, title_of_job(job), time_text(job.create_time))
        area.setTop(area.top() + line)
        self._text(painter, area, option.font, TOKENS.faint_text, look_of(job), "")
        area.setTop(area.top() + line)
        right = _remaining(job)
        self._text(painter, area, option.font, _colour(job), state_of_job(job), right)
        area.setTop(area.top() + line + 3)
        if not job.state.is_ended:
            self._bar(painter, area, job.share)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(TOKENS.focus))
            painter.drawRect(option.rect.adjusted(0, 0, -1, -1))
        painter.restore()

    def _text(
        self, painter: QPainter, area: QRectF, font: QFont, colour: str, left: str, right: str
    ) -> None:
        width = area.width()
        flags = Qt.AlignmentFlag.AlignTop
        if right:
            plain = QFont(font)
            plain.setBold(False)
            painter.setFont(plain)
            painter.setPen(QColor(TOKENS.faint_text))
            painter.drawText(area, flags | Qt.AlignmentFlag.AlignRight, right)
            width -= painter.fontMetrics().horizontalAdvance(right) + _MARGIN
        painter.setFont(font)
        metrics = painter.fontMetrics()
        painter.setPen(QColor(colour))
        shown = metrics.elidedText(left, Qt.TextElideMode.ElideRight, int(width))
        painter.drawText(area, flags | Qt.AlignmentFlag.AlignLeft, shown)

    def _bar(self, painter: QPainter, area: QRectF, share: float) -> None:
        bar = QRectF(area.left(), area.top(), area.width(), _BAR)
        painter.fillRect(bar, QColor(TOKENS.field))
        bar.setWidth(bar.width() * share)
        painter.fillRect(bar, QColor(TOKENS.accent))


def _remaining(job: Job) -> str:
    if job.time_left_s is None:
        return ""
    return QCoreApplication.translate("jobs", "{span} left").format(span=duration(job.time_left_s))


def _colour(job: Job) -> str:
    colours = {JobState.DONE: TOKENS.good, JobState.FAILED: TOKENS.bad}
    return colours.get(job.state, TOKENS.text)
