"""How a job is drawn in the list."""

from __future__ import annotations

from fresco_client import Job, JobState
from fresco_client.words import duration, look_of
from PyQt6.QtCore import QCoreApplication, QModelIndex, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QImage, QPainter
from PyQt6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from fresco_gui.jobs.model import BEFORE_ROLE, FACTS_ROLE, JOB_ROLE, PICTURE_ROLE, SIDE_ROLE
from fresco_gui.jobs.words import (
    state_of_job,
    time_text,
    title_of_job,
)
from fresco_gui.theme import TOKENS

_MARGIN = 8
_BAR = 4
_GAP = 2


class JobDelegate(QStyledItemDelegate):
    """Before and after, the look, what tells a job from others, state and progress."""

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
        before, picture = index.data(BEFORE_ROLE), index.data(PICTURE_ROLE)
        if isinstance(before, QImage) and isinstance(picture, QImage):
            area.setLeft(self._square(painter, area, before) + _GAP)
            area.setLeft(self._square(painter, area, picture) + _MARGIN)
        elif isinstance(picture, QImage):
            area.setLeft(self._picture(painter, area, picture) + _MARGIN)
        line = option.fontMetrics.lineSpacing()
        bold = QFont(option.font)
        bold.setBold(True)
        title = look_of(job) or title_of_job(job)
        first = QRectF(area)
        first.setLeft(self._side(painter, area, bold, str(index.data(SIDE_ROLE) or "")))
        self._text(painter, first, bold, TOKENS.text, title, "")
        area.setTop(area.top() + line)
        facts = str(index.data(FACTS_ROLE))
        self._text(painter, area, option.font, TOKENS.faint_text, facts, "")
        area.setTop(area.top() + line)
        right = time_text(job.create_time) if job.state.is_ended else _remaining(job)
        self._text(painter, area, option.font, _colour(job), state_of_job(job), right)
        area.setTop(area.top() + line + 3)
        if not job.state.is_ended:
            self._bar(painter, area, job.share)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(TOKENS.focus))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(option.rect.adjusted(0, 0, -1, -1))
        painter.restore()

    def _picture(self, painter: QPainter, area: QRectF, picture: QImage) -> float:
        """What it has made, at the left; where the words begin."""
        height = min(area.height(), 3.0 * painter.fontMetrics().lineSpacing())
        width = height * picture.width() / max(picture.height(), 1)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(area.left(), area.top(), width, height), picture)
        return area.left() + width

    def _square(self, painter: QPainter, area: QRectF, picture: QImage) -> float:
        """The middle of a picture, so that two of them leave room for words; where it ends."""
        side = min(area.height(), 3.0 * painter.fontMetrics().lineSpacing())
        least = min(picture.width(), picture.height())
        middle = QRectF((picture.width() - least) / 2, (picture.height() - least) / 2, least, least)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(area.left(), area.top(), side, side), picture, middle)
        return area.left() + side

    def _side(self, painter: QPainter, area: QRectF, font: QFont, letter: str) -> float:
        """What of the screen it is, as a mark; where the words begin."""
        if not letter:
            return area.left()
        painter.setFont(font)
        metrics = painter.fontMetrics()
        text = f"✓ {letter}"
        mark = QRectF(
            area.left(), area.top(), metrics.horizontalAdvance(text) + 10, metrics.lineSpacing()
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(TOKENS.accent))
        painter.drawRoundedRect(mark, 3, 3)
        painter.setPen(QColor(TOKENS.on_accent))
        painter.drawText(mark, Qt.AlignmentFlag.AlignCenter, text)
        return mark.right() + 6

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
