"""The sheets of looks: the frame in every look of the model, and what was tried beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from PyQt6.QtCore import QPoint, QSize, Qt, pyqtSignal, pyqtSlot
from PyQt6.QtGui import QColor, QIcon, QKeyEvent, QPixmap, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from fresco_gui.looks.maker import LookPicture, LookRequest
from fresco_gui.media.pictures import decoded, resized
from fresco_gui.plain import PlainLabel, caption, plain
from fresco_gui.theme import TOKENS

_ROLE = Qt.ItemDataRole.UserRole
_COLUMNS = 2
_LEAST_ICON, _LARGEST_ICON = 64, 220
_SPACING = 4
_MARGIN = 8
_CAPTION_LINES = 3
"""The name of a look, and two for what makes it another one."""


@dataclass
class _Cell:
    """What an item of a list stands for."""

    key: object
    look: LookPicture | None = None


class ContactSheet(QWidget):
    """Looks to choose from.

    Signals:
        style_wanted(str): the frame in view is wanted in this style, which is chosen.
        sheet_wanted(): the frame in view is wanted in all styles.
        shown(LookPicture): it is to be seen large.
        used(LookPicture): its settings are to be used.
        pinned(LookPicture): it is to be pinned, or no longer.
        removed(LookPicture): it is not to be kept.
        cancel_wanted(): no more looks are to be made.
        restyle_wanted(): the clip is to be restyled in the look that is chosen.
    """

    style_wanted = pyqtSignal(str)
    sheet_wanted = pyqtSignal()
    shown = pyqtSignal(object)
    used = pyqtSignal(object)
    pinned = pyqtSignal(object)
    removed = pyqtSignal(object)
    cancel_wanted = pyqtSignal()
    restyle_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixel_aspect = Fraction(1)
        self._frame = 0
        self.styles = LookList(self.tr("Looks of the model"))
        self.list = LookList(self.tr("Looks that were tried"))
        self.list.has_captions = True
        self._hint = PlainLabel()
        self.refresh = QPushButton(self.tr("Thi&s frame"))
        self.restyle = QPushButton(self.tr("Restyle the cl&ip"))
        self._tried = PlainLabel(self.tr("Tried, and kept with the project"))
        self._progress = QProgressBar()
        self._cancel = QPushButton(self.tr("Stop"))
        self._use = QPushButton(self.tr("&Use this"))
        self._order: LookRequest | None = None
        self._style = ""
        self._build()
        self._connect()
        self.clear()

    # The model's looks

    def set_styles(self, names: Sequence[str]) -> None:
        """The styles of the model; pictures of those that it had before stay."""
        if [cell.key for cell in self.styles.cells()] == list(names):
            return
        self.styles.clear()
        for name in names:
            self.styles.put(_Cell(name), plain(name))
        self.styles.setVisible(bool(names))

    def begin_sheet(self, index: int, pixel_aspect: Fraction = Fraction(1)) -> None:
        """The pictures of this frame come; of a clip whose pixels have this shape."""
        self._pixel_aspect = pixel_aspect
        self.styles.pixel_aspect = self.list.pixel_aspect = pixel_aspect
        self._frame = index
        for cell in self.styles.cells():
            cell.look = None
        self.styles.draw()
        self._tell_sheet()

    def add_style(self, style: str, look: LookPicture) -> None:
        """The frame in one style is there."""
        self.styles.fill(style, look)
        self._tell_sheet()

    def _tell_sheet(self) -> None:
        """Which frame it is, and how many of its pictures are there."""
        cells = self.styles.cells()
        done = sum(cell.look is not None for cell in cells)
        told = self.tr("Frame {index} in every look. Click one to try it.")
        if done < len(cells):
            told = self.tr("Frame {index} in every look: {done} of {all}. Click one to try it.")
        self._hint.setText(told.format(index=self._frame, done=done, all=len(cells)))

    def style_look(self, style: str) -> LookPicture | None:
        """The picture of a style, if it is there."""
        return next((cell.look for cell in self.styles.cells() if cell.key == style), None)

    def mark_style(self, style: str) -> None:
        """This style is chosen."""
        self.styles.mark(style)
        self._style = style
        self._name_restyle()

    def resizeEvent(self, a0: QResizeEvent | None) -> None:  # noqa: N802
        """The button says the style where there is room for it."""
        super().resizeEvent(a0)
        self._name_restyle()

    def _name_restyle(self) -> None:
        named = self.tr("Restyle the cl&ip: {style}").format(style=caption(self._style))
        room = self.width() - 2 * _MARGIN
        self.restyle.setText(named)
        if not self._style or self.restyle.sizeHint().width() > room:
            self.restyle.setText(self.tr("Restyle the cl&ip"))

    def set_possible(self, *, can_restyle: bool, can_show: bool) -> None:
        """Whether the clip can be restyled now, and its frame shown in every look."""
        self.restyle.setEnabled(can_restyle)
        self.refresh.setEnabled(can_show)

    # What was tried

    def clear(self) -> None:
        """Show no looks."""
        self._hint.setText(self.tr("A clip is shown here in every look of the model."))
        self.list.clear()
        for cell in self.styles.cells():
            cell.look = None
        self.styles.draw()
        self._refresh()

    def show_kept(self, looks: Sequence[LookPicture]) -> None:
        """Those of the project, in this order."""
        if self._order is not None:
            return  # Those that are being made are among them already.
        chosen = self.chosen()
        self.list.blockSignals(True)
        self.list.clear()
        for look in looks:
            self.list.put(_Cell(look.file, look))
        if chosen is not None:
            self.list.mark(chosen.file)
        self.list.blockSignals(False)
        self.list.draw()
        self._refresh()

    def begin(self, order: LookRequest, pixel_aspect: Fraction = Fraction(1)) -> None:
        """Make room for the looks of an order, above those that were tried before."""
        self.list.pixel_aspect = pixel_aspect
        self._order = order
        for place, part in enumerate(order.parts):
            title = part.kind or self.tr("coming…")
            self.list.put(_Cell(part), title, place)
        self._progress.setRange(0, 100 * len(order.parts))
        self._progress.setValue(0)
        self._set_working(True)
        self._refresh()

    def move(self, number: int, share: float) -> None:
        """A look has come so far."""
        self._progress.setValue(round(100 * (number + share)))

    def add(self, look: LookPicture) -> None:
        """Show a look that was waited for."""
        self.list.fill(look.part, look)
        if look.part.number == 0:
            self.list.mark(look.part)

    def end(self) -> None:
        """There is nothing more to come."""
        self._set_working(False)
        self._order = None
        for row in reversed(range(self.list.count())):
            cell = self.list.cell(row)
            if cell is not None and cell.look is None:
                self.list.takeItem(row)
        self._refresh()

    def looks(self) -> list[LookPicture]:
        """Those that are there."""
        return [cell.look for cell in self.list.cells() if cell.look is not None]

    def chosen(self) -> LookPicture | None:
        """The one that is selected."""
        cell = self.list.cell(self.list.currentRow())
        return cell.look if cell is not None else None

    def use_chosen(self) -> None:
        """As if the button had been pressed."""
        self._on_use()

    # Parts

    def _build(self) -> None:
        for label in (self._hint, self._tried):
            label.setObjectName("faint")
            label.setWordWrap(True)
        self._progress.setTextVisible(False)
        self.refresh.setToolTip(self.tr("Show the frame in view in every look"))
        self.restyle.setObjectName("primary")
        self.restyle.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._use.setToolTip(self.tr("Take over this look's settings (Return)"))
        head = QHBoxLayout()
        head.addWidget(self._hint, 1)
        head.addWidget(self.refresh)
        line = QHBoxLayout()
        line.addWidget(self._progress, 1)
        line.addWidget(self._cancel)
        line.addStretch(0)
        line.addWidget(self._use)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.addLayout(head)
        column.addWidget(self.styles, 3)
        column.addWidget(self.restyle)
        column.addWidget(self._tried)
        column.addWidget(self.list, 2)
        column.addLayout(line)
        self._set_working(False)
        self._refresh()

    def _connect(self) -> None:
        self.styles.itemClicked.connect(self._on_style)
        self.styles.itemActivated.connect(self._on_style)
        self.refresh.clicked.connect(self.sheet_wanted)
        self.restyle.clicked.connect(self.restyle_wanted)
        self.list.currentItemChanged.connect(self._on_current)
        self.list.itemClicked.connect(self._on_current)
        self.list.itemActivated.connect(self._on_use)
        self.list.customContextMenuRequested.connect(self._on_menu)
        self.list.deleted.connect(self._on_delete)
        self._use.clicked.connect(self._on_use)
        self._cancel.clicked.connect(self.cancel_wanted)

    def _refresh(self) -> None:
        has_any = self.list.count() > 0
        for widget in (self.list, self._tried, self._use):
            widget.setVisible(has_any)
        look = self.chosen()
        self._use.setEnabled(look is not None and not look.part.is_control)

    def _set_working(self, is_working: bool) -> None:
        self._progress.setVisible(is_working)
        self._cancel.setVisible(is_working)

    # Slots

    @pyqtSlot(QListWidgetItem)
    def _on_style(self, item: QListWidgetItem) -> None:
        cell = item.data(_ROLE)
        if isinstance(cell, _Cell):
            self.style_wanted.emit(str(cell.key))

    @pyqtSlot()
    def _on_current(self) -> None:
        look = self.chosen()
        self._refresh()
        if look is not None:
            self.shown.emit(look)

    @pyqtSlot()
    def _on_use(self) -> None:
        look = self.chosen()
        if look is not None and not look.part.is_control:
            self.used.emit(look)

    @pyqtSlot()
    def _on_delete(self) -> None:
        look = self.chosen()
        if look is not None:
            self.removed.emit(look)

    @pyqtSlot(QPoint)
    def _on_menu(self, where: QPoint) -> None:
        look = self.chosen()
        if look is not None:
            self.menu_for(look).popup(self.list.mapToGlobal(where))

    def menu_for(self, look: LookPicture) -> QMenu:
        """What can be done about a look, as a menu."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        pin = self.tr("Unpin") if look.is_pinned else self.tr("Pin in front")
        for text, signal in (
            (self.tr("Use its settings"), self.used),
            (pin, self.pinned),
            (self.tr("Remove"), self.removed),
        ):
            action = menu.addAction(text)
            assert action is not None
            action.triggered.connect(lambda _=False, signal=signal: signal.emit(look))
        return menu


class LookList(QListWidget):
    """Pictures with captions below them, in two columns, as large as there is room.

    Signals:
        deleted(): the key was pressed that removes what is selected.
    """

    deleted = pyqtSignal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pixel_aspect = Fraction(1)
        self.has_captions = False
        """Whether a look is told from the others by what it was made with, or by its name alone."""
        self.setAccessibleName(name)
        self.setViewMode(QListWidget.ViewMode.IconMode)
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setMovement(QListWidget.Movement.Static)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSpacing(_SPACING)
        self.setWordWrap(True)
        self.setMinimumHeight(60)
        self._fit()

    def cells(self) -> list[_Cell]:
        """All, in their order."""
        found = (self.cell(row) for row in range(self.count()))
        return [cell for cell in found if cell is not None]

    def cell(self, row: int) -> _Cell | None:
        """What a row stands for."""
        item = self.item(row) if row >= 0 else None
        found = item.data(_ROLE) if item is not None else None
        return found if isinstance(found, _Cell) else None

    def put(self, cell: _Cell, text: str = "", row: int | None = None) -> None:
        """Add a place, with its picture if that is there."""
        item = QListWidgetItem(text)
        item.setData(_ROLE, cell)
        self.insertItem(self.count() if row is None else row, item)
        self._draw(item, cell)

    def fill(self, key: object, look: LookPicture) -> None:
        """The picture of a place is there."""
        for row in range(self.count()):
            item, cell = self.item(row), self.cell(row)
            if item is not None and cell is not None and cell.key == key and cell.look is None:
                is_first = not any(one.look for one in self.cells())
                cell.look = look
                if is_first:
                    self._fit()
                self._draw(item, cell)
                return

    def mark(self, key: object) -> None:
        """Select a place, or none."""
        rows = (row for row in range(self.count()) if (c := self.cell(row)) and c.key == key)
        self.setCurrentRow(next(rows, -1))

    def draw(self) -> None:
        """Draw all pictures anew."""
        for row in range(self.count()):
            item, cell = self.item(row), self.cell(row)
            if item is not None and cell is not None:
                self._draw(item, cell)

    def resizeEvent(self, e: QResizeEvent | None) -> None:  # noqa: N802
        """As many as before beside each other, larger or smaller."""
        super().resizeEvent(e)
        self._fit()

    def keyPressEvent(self, e: QKeyEvent | None) -> None:  # noqa: N802
        """Del removes what is selected."""
        if e is not None and e.key() == Qt.Key.Key_Delete:
            self.deleted.emit()
        else:
            super().keyPressEvent(e)

    def _fit(self) -> None:
        room = self.viewport()
        width = (room.width() if room is not None else 240) // _COLUMNS - 2 * _SPACING - 8
        side = min(max(width, _LEAST_ICON), _LARGEST_ICON)
        height = round(side * min(max(self._shape(), 0.4), 1.2))
        if QSize(side, height) == self.iconSize():
            return
        self.setIconSize(QSize(side, height))
        line = self.fontMetrics().lineSpacing()
        lines = _CAPTION_LINES if self.has_captions else 1
        self.setGridSize(QSize(side + 2 * _SPACING, height + lines * line + 12))
        self.draw()

    def _shape(self) -> float:
        """Height of the pictures by their width."""
        look = next((cell.look for cell in self.cells() if cell.look is not None), None)
        image = decoded(look.data) if look is not None else None
        if image is None or not image.width():
            return 0.75
        return float(image.height() / image.width() / self.pixel_aspect)

    def _caption(self, look: LookPicture) -> str:
        """Its name on one line, so that what makes it another one is always seen below."""
        name = f"★ {look.title}" if look.is_pinned else look.title
        room = self.gridSize().width() - 2 * _SPACING
        line = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, room)
        return "\n".join(filter(None, (line, look.facts)))

    def _draw(self, item: QListWidgetItem, cell: _Cell) -> None:
        if self.has_captions and cell.look is not None:
            item.setText(self._caption(cell.look))
        pixmap = self._pixmap(cell.look)
        icon = QIcon(pixmap)
        # Not tinted while it is selected: colours are what is looked at here.
        icon.addPixmap(pixmap, QIcon.Mode.Selected)
        item.setIcon(icon)
        item.setToolTip(plain(_told(cell.look) if cell.look is not None else item.text()))

    def _pixmap(self, look: LookPicture | None) -> QPixmap:
        image = decoded(look.data) if look is not None else None
        ratio = self.devicePixelRatioF()
        if image is None:
            pixmap = QPixmap(self.iconSize() * ratio)
            pixmap.fill(QColor(TOKENS.raised))
        else:
            shown = QSize(max(1, round(image.width() * self.pixel_aspect)), image.height())
            size = shown.scaled(self.iconSize() * ratio, Qt.AspectRatioMode.KeepAspectRatio)
            pixmap = QPixmap.fromImage(resized(image, max(1, size.width()), max(1, size.height())))
        pixmap.setDevicePixelRatio(ratio)
        return pixmap


def _told(look: LookPicture) -> str:
    lines = [look.caption, look.settings.prompt or ""]
    return "\n".join(filter(None, lines))
