"""Foreign text in Qt: shown letter by letter, where Qt would take it for HTML."""

from __future__ import annotations

from html import escape

from fresco_media.files.text import printable
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QWidget

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


class MarkedLabel(QLabel):
    """A text that is not taken for HTML, behind a coloured mark."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.RichText)

    def show_marked(self, text: str, colour: str) -> None:
        """Show this text behind a mark of this colour (#rrggbb)."""
        self.setText(f'<span style="color:{colour}">●</span> {escape(printable(text))}')
