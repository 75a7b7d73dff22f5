"""What the window shows without a clip: where to drop one, and what was open before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from fresco_gui.plain import PlainLabel, caption, plain


class EmptyState(QWidget):
    """A drop zone with the ways to open a clip.

    Signals:
        open_wanted(): ask for a file.
        sample_wanted(): open the clip that comes with Fresco.
        recent_wanted(Path): open this one again.
    """

    open_wanted = pyqtSignal()
    sample_wanted = pyqtSignal()
    recent_wanted = pyqtSignal(object)

    def __init__(self, *, has_sample: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.zone = QFrame()
        self.zone.setObjectName("drop")
        self.open_button = QPushButton(self.tr("Open a clip…"))
        self.open_button.setObjectName("primary")
        self.sample_button = QPushButton(self.tr("Open the sample clip"))
        self.sample_button.setVisible(has_sample)
        self._recent = QVBoxLayout()
        self._build()
        self.open_button.clicked.connect(self.open_wanted)
        self.sample_button.clicked.connect(self.sample_wanted)

    def show_recent(self, paths: Sequence[Path]) -> None:
        """Offer what was open before."""
        while (item := self._recent.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        if paths:
            label = PlainLabel(self.tr("Recent"))
            label.setObjectName("faint")
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._recent.addWidget(label)
        for path in list(paths)[:5]:
            button = QPushButton(caption(path.name))
            button.setFlat(True)
            button.setToolTip(plain(path))
            button.clicked.connect(lambda _=False, path=path: self.recent_wanted.emit(path))
            self._recent.addWidget(button, 0, Qt.AlignmentFlag.AlignCenter)

    def set_over(self, is_over: bool) -> None:
        """Whether something that can be dropped is held above."""
        self.zone.setProperty("isOver", is_over)
        style = self.zone.style()
        if style is not None:
            style.unpolish(self.zone)
            style.polish(self.zone)

    def _build(self) -> None:
        title = PlainLabel(self.tr("Drop a clip here"))
        title.setObjectName("title")
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint = PlainLabel(
            self.tr("A video, a folder of pictures, one picture of a numbered sequence, a project")
        )
        hint.setObjectName("faint")
        hint.setWordWrap(True)
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.sample_button)
        buttons.addStretch(1)
        inside = QVBoxLayout(self.zone)
        inside.setSpacing(14)
        inside.addStretch(2)
        inside.addWidget(title)
        inside.addWidget(hint)
        inside.addLayout(buttons)
        inside.addLayout(self._recent)
        inside.addStretch(3)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 28, 28, 28)
        column.addWidget(self.zone)
