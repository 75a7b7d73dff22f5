"""The contact sheet: looks of several seeds, one of which is used."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from PyQt6.QtCore import QSize, Qt, pyqtSignal, pyqtSlot
from PyQt6.QtGui import QColor, QIcon, QPixmap
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fresco_gui.looks.maker import LookPart, LookPicture, LookRequest
from fresco_gui.media.pictures import decoded, resized
from fresco_gui.plain import PlainLabel
from fresco_gui.theme import TOKENS

_THUMB = QSize(100, 100)
_ROLE = Qt.ItemDataRole.UserRole


@dataclass
class _Cell:
    """What an item of the list stands for."""

    part: LookPart
    look: LookPicture | None = None


class ContactSheet(QWidget):
    """Looks beside each other.

    Signals:
        shown(LookPicture): it is to be seen large.
        used(LookPicture): its seed and settings are to be used.
        cancel_wanted(): no more looks are to be made.
    """

    shown = pyqtSignal(object)
    used = pyqtSignal(object)
    cancel_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixel_aspect = Fraction(1)
        self.list = QListWidget()
        self._hint = PlainLabel(
            self.tr("A look restyles the current frame with several seeds, to choose one (Ctrl+L).")
        )
        self._progress = QProgressBar()
        self._cancel = QPushButton(self.tr("Stop"))
        self._use = QPushButton(self.tr("Use this"))
        self._build()
        self.list.currentItemChanged.connect(self._on_current)
        self.list.itemActivated.connect(self._on_use)
        self._use.clicked.connect(self._on_use)
        self._cancel.clicked.connect(self.cancel_wanted)

    def clear(self) -> None:
        """Show no looks."""
        self.list.clear()

    def begin(self, order: LookRequest, pixel_aspect: Fraction = Fraction(1)) -> None:
        """Make room for the looks of an order, of a clip whose pixels have this shape."""
        self._pixel_aspect = pixel_aspect
        self.list.clear()
        for part in order.parts:
            item = QListWidgetItem(self._title(part))
            item.setData(_ROLE, _Cell(part))
            item.setIcon(QIcon(_blank()))
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(item)
        self._hint.setText(self.tr("Frame {index}").format(index=order.index))
        self._progress.setRange(0, 100 * len(order.seeds))
        self._progress.setValue(0)
        self._set_working(True)

    def move(self, seed: int, share: float) -> None:
        """A look has come so far."""
        done = sum(1 for cell in self._cells() if cell.look is not None)
        self._progress.setValue(round(100 * (done + share)))

    def add(self, look: LookPicture) -> None:
        """Show a look."""
        for row in range(self.list.count()):
            item = self.list.item(row)
            cell = item.data(_ROLE) if item else None
            if item is not None and isinstance(cell, _Cell) and cell.part == look.part:
                cell.look = look
                item.setIcon(_icon(self._pixmap(look)))
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
                item.setToolTip(
                    self.tr("Seed {seed}, {seconds:.1f} s").format(
                        seed=look.seed, seconds=look.seconds
                    )
                )
                if self.list.currentItem() is None or self.list.currentRow() < 0:
                    self.list.setCurrentItem(item)
                return

    def end(self) -> None:
        """There is nothing more to come."""
        self._set_working(False)
        for row in reversed(range(self.list.count())):
            item = self.list.item(row)
            cell = item.data(_ROLE) if item else None
            if isinstance(cell, _Cell) and cell.look is None:
                self.list.takeItem(row)

    def looks(self) -> list[LookPicture]:
        """Those that are there."""
        return [cell.look for cell in self._cells() if cell.look is not None]

    def chosen(self) -> LookPicture | None:
        """The one that is selected."""
        item = self.list.currentItem()
        cell = item.data(_ROLE) if item else None
        return cell.look if isinstance(cell, _Cell) else None

    def use_chosen(self) -> None:
        """As if the button had been pressed."""
        self._on_use()

    def _title(self, part: LookPart) -> str:
        if part.is_control:
            return part.kind or self.tr("structure")
        return self.tr("seed {seed}").format(seed=part.seed)

    def _cells(self) -> list[_Cell]:
        items = [self.list.item(row) for row in range(self.list.count())]
        return [item.data(_ROLE) for item in items if item is not None]

    def _build(self) -> None:
        self.list.setViewMode(QListWidget.ViewMode.IconMode)
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setMovement(QListWidget.Movement.Static)
        self.list.setIconSize(_THUMB)
        self.list.setSpacing(4)
        self.list.setUniformItemSizes(True)
        self.list.setAccessibleName(self.tr("Looks"))
        self._hint.setObjectName("faint")
        self._hint.setWordWrap(True)
        self._progress.setTextVisible(False)
        line = QHBoxLayout()
        line.addWidget(self._progress, 1)
        line.addWidget(self._cancel)
        line.addStretch(0)
        line.addWidget(self._use)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self._hint)
        column.addWidget(self.list, 1)
        column.addLayout(line)
        self._use.setToolTip(self.tr("Take over this look's seed and settings (Return)"))
        self._set_working(False)
        self._use.setEnabled(False)

    def _set_working(self, is_working: bool) -> None:
        self._progress.setVisible(is_working)
        self._cancel.setVisible(is_working)

    def _pixmap(self, look: LookPicture) -> QPixmap:
        image = decoded(look.picture.data)
        if image is None:
            return _blank()
        ratio = self.devicePixelRatioF()
        shown = QSize(max(1, round(image.width() * self._pixel_aspect)), image.height())
        size = shown.scaled(_THUMB * ratio, Qt.AspectRatioMode.KeepAspectRatio)
        pixmap = QPixmap.fromImage(resized(image, max(1, size.width()), max(1, size.height())))
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    @pyqtSlot()
    def _on_current(self) -> None:
        look = self.chosen()
        self._use.setEnabled(look is not None and not look.part.is_control)
        if look is not None:
            self.shown.emit(look)

    @pyqtSlot()
    def _on_use(self) -> None:
        look = self.chosen()
        if look is not None and not look.part.is_control:
            self.used.emit(look)


def _icon(pixmap: QPixmap) -> QIcon:
    """An icon that is not tinted while it is selected: colours are what is looked at here."""
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon


def _blank() -> QPixmap:
    pixmap = QPixmap(_THUMB)
    pixmap.fill(QColor(TOKENS.panel))
    return pixmap
