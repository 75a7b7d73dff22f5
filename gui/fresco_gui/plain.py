"""Foreign text in Qt: shown letter by letter, where Qt would take it for HTML."""

from __future__ import annotations

from html import escape

from fresco_media.files.text import printable
from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QWidget

_LONGEST_CAPTION = 60


def plain(text: object) -> str:
    """`text` for tool tips and message boxes, which guess whether they are given HTML."""
    shown = printable(text, keep="\n\t")
    if "<" not in shown and "&" not in shown:
        return shown
    return f"<span>{escape(shown).replace(chr(10), '<br>')}</span>"


def caption(name: object) -> str:
    """`name` for buttons and menus, which take `&` for a key and become as wide as their text."""
    shown = printable(name)
    if len(shown) > _LONGEST_CAPTION:
        shown = f"{shown[: _LONGEST_CAPTION // 2]}…{shown[-_LONGEST_CAPTION // 2 :]}"
    return shown.replace("&", "&&")


class PlainLabel(QLabel):
    """A label that takes no text for HTML: names of files, prompts, sentences of a daemon."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, a0: str | None) -> None:  # noqa: N802
        """Show a text, without what would turn or hide it."""
        super().setText(printable(a0 or "", keep="\n\t"))


class WrappedLabel(PlainLabel):
    """A text in as many lines as it needs, which is never cut: layouts may reckon with a width
    that it does not get.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setWordWrap(True)

    def setText(self, a0: str | None) -> None:  # noqa: N802
        """See `PlainLabel.setText`."""
        super().setText(a0)
        self._claim_height()

    def resizeEvent(self, a0: QResizeEvent | None) -> None:  # noqa: N802
        """Another width may take another number of lines."""
        super().resizeEvent(a0)
        self._claim_height()

    def _claim_height(self) -> None:
        self.setMinimumHeight(0)  # It would count as needed.
        self.setMinimumHeight(max(0, self.heightForWidth(self.width())))


class ShrinkingLabel(PlainLabel):
    """A line of text that gives way where there is no room for it; a tool tip has all of it.

    `is_whole`: a part of it would mislead, as of a number, so that it is shown whole or not at all.
    """

    def __init__(self, *, is_whole: bool = False, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.least_text = ""
        """What is shown where there is no room for all of it, in lines of its own."""
        self._is_whole = is_whole
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """What is always shown, and else nothing."""
        if not self.least_text:
            return QSize(0, super().minimumSizeHint().height())
        lines, metrics = self.least_text.split("\n"), self.fontMetrics()
        width = max(metrics.horizontalAdvance(line) for line in lines)
        return QSize(width + 2, len(lines) * metrics.lineSpacing())

    def shown_text(self) -> str:
        """What of it there is room for."""
        room, metrics = self.contentsRect().width(), self.fontMetrics()
        for text in (self.text(), self.least_text):
            if text and all(metrics.horizontalAdvance(one) <= room for one in text.split("\n")):
                return text
        if self._is_whole:
            return ""
        return metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, room)

    def paintEvent(self, a0: QPaintEvent | None) -> None:  # noqa: N802
        """Paint what there is room for."""
        shown = self.shown_text()
        self.setToolTip(plain(self.text()) if shown != self.text() else "")
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), Qt.AlignmentFlag.AlignVCenter, shown)


class MarkedLabel(QLabel):
    """A text that is not taken for HTML, behind a coloured mark."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.RichText)

    def show_marked(self, text: str, colour: str) -> None:
        """Show this text behind a mark of this colour (#rrggbb)."""
        self.setText(f'<span style="color:{colour}">●</span> {escape(printable(text))}')
