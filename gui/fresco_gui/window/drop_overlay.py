"""What will happen to what is held above a clip, said over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QWidget

from fresco_gui.plain import caption
from fresco_gui.project.document import SUFFIX
from fresco_gui.theme import TOKENS

_MARGIN_PX = 16
_VEIL = 225


class DropOverlay(QWidget):
    """Covers its parent while something is held above the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.title = self.detail = ""
        self.hide()

    def show_for(self, paths: Sequence[Path], current: str) -> None:
        """Say what dropping these does while `current` is open."""
        name = caption(paths[0].name or str(paths[0])).replace("&&", "&")
        if paths[0].suffix == SUFFIX:
            self.title = self.tr("Drop to open the project {name}").format(name=name)
        else:
            self.title = self.tr("Drop to open {name}").format(name=name)
        texts = [
            self.tr("It takes the place of {clip}, whose settings and results are kept.").format(
                clip=caption(current).replace("&&", "&")
            )
        ]
        if len(paths) > 1:
            texts.append(
                self.tr("Of {count} files only this one is opened.").format(count=len(paths))
            )
        self.detail = " ".join(texts)
        self.setAccessibleName(self.title)
        self.setAccessibleDescription(self.detail)
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """A veil, a dashed line around and the words in the middle."""
        painter = QPainter(self)
        veil = QColor(TOKENS.window)
        veil.setAlpha(_VEIL)
        painter.fillRect(self.rect(), veil)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(TOKENS.focus), 2, Qt.PenStyle.DashLine))
        inside = self.rect().adjusted(_MARGIN_PX, _MARGIN_PX, -_MARGIN_PX, -_MARGIN_PX)
        painter.drawRoundedRect(inside, 12, 12)
        words = inside.adjusted(_MARGIN_PX, 0, -_MARGIN_PX, 0)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        painter.setFont(font)
        painter.setPen(QColor(TOKENS.text))
        upper = words.adjusted(0, 0, 0, -words.height() // 2 - 4)
        painter.drawText(upper, flags | Qt.AlignmentFlag.AlignBottom, self.title)
        painter.setFont(self.font())
        painter.setPen(QColor(TOKENS.faint_text))
        lower = words.adjusted(0, words.height() // 2 + 4, 0, 0)
        painter.drawText(lower, flags | Qt.AlignmentFlag.AlignTop, self.detail)
