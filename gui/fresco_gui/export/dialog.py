"""Asks how a result is to be exported."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from fresco_media.files.disk import short_stem
from fresco_media.writing.delivery import Quality
from fresco_media.writing.originals import is_same_place
from PyQt6.QtCore import pyqtSlot
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fresco_gui.confirming import may_replace
from fresco_gui.export.options import ExportKind, ExportOptions, typed_path
from fresco_gui.export.size import Measure, SizeLabel
from fresco_gui.media import FrameInfo
from fresco_gui.plain import PlainLabel
from fresco_gui.project import Project

_ENDINGS = {ExportKind.H264: ".mp4", ExportKind.PRORES: ".mov", ExportKind.PNG: "_%04d.png"}


class ExportDialog(QDialog):
    """Kind, quality, range, sound and place of an export.

    `origin` says what it is made from; with `measure` it also tells how large it will be.
    `has_sound` says whether there is any to be had from the clip, whose pictures are numbered from
    `first_number` on.
    """

    def __init__(
        self,
        project: Project,
        info: FrameInfo,
        origin: str = "",
        measure: Measure | None = None,
        *,
        has_sound: bool = True,
        first_number: int = 0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export"))
        self.setMinimumWidth(480)
        self._project = project
        self._info = info
        self._first, self._stop = info.first_index, info.stop
        self._has_sound, self._first_number = has_sound, first_number
        self.kind = QComboBox()
        self.quality = QComboBox()
        self.range = QComboBox()
        self.sound = QCheckBox()
        self.path = QLineEdit()
        self.export = QPushButton(self.tr("Export"))
        self.origin = PlainLabel(origin)
        self.note = PlainLabel()
        self.expected = SizeLabel(measure)
        self.even = PlainLabel()
        self._build()
        self._on_kind()

    def options(self) -> ExportOptions:
        """What was chosen."""
        start, stop = self.range.currentData()
        kind = ExportKind(self.kind.currentData())
        return ExportOptions(
            path=typed_path(self.path.text()),
            kind=kind,
            start=start,
            stop=stop,
            has_sound=self.sound.isEnabled() and self.sound.isChecked(),
            quality=self._quality() if kind is ExportKind.H264 else "high",
            first_number=self._first_number,
        )

    def done(self, result: int) -> None:
        """Close; nothing is worked out any more."""
        self.expected.end()
        super().done(result)

    def _said_of_size(self) -> str:
        """What is changed of sides that few players take."""
        width, height = self._info.width, self._info.height
        if not (width % 2 or height % 2):
            return ""
        said = self.tr(
            "Few players take odd sides: the file will have {width} x {height} pixels, with the "
            "last row or column repeated."
        )
        return said.format(width=width + width % 2, height=height + height % 2)

    def _said_of_sound(self, kind: ExportKind) -> str:
        """What there is to be ticked, or why it cannot be."""
        if not self._has_sound:
            return self.tr("With the clip's sound (the clip has none)")
        if kind is ExportKind.PNG:
            return self.tr("With the clip's sound (pictures hold none)")
        return self.tr("With the clip's sound")

    def _quality(self) -> Quality:
        chosen: Quality = self.quality.currentData()
        return chosen

    def _build(self) -> None:
        for kind, text in (
            (ExportKind.H264, self.tr("H.264 (MP4), plays everywhere")),
            (ExportKind.PRORES, self.tr("ProRes 422 HQ (MOV), for editing")),
            (ExportKind.PNG, self.tr("PNG sequence, without loss")),
        ):
            self.kind.addItem(text, kind)
        for quality, text in (
            ("high", self.tr("High: no loss that can be seen")),
            ("standard", self.tr("Standard: for showing and sending")),
            ("small", self.tr("Small: for previews")),
        ):
            self.quality.addItem(text, quality)
        whole = self.tr("Whole result, frames {first} to {last}")
        self.range.addItem(
            whole.format(first=self._first, last=self._stop - 1), (self._first, self._stop)
        )
        self._add_range()
        self.sound.setChecked(self._has_sound)
        choose = QPushButton(self.tr("Choose…"))
        choose.setAutoDefault(False)
        choose.clicked.connect(self._on_choose)
        place = QHBoxLayout()
        place.addWidget(self.path, 1)
        place.addWidget(choose)
        rows = QFormLayout()
        rows.addRow(self.tr("Format"), self.kind)
        rows.addRow(self.tr("Quality"), self.quality)
        rows.addRow(self.tr("Range"), self.range)
        rows.addRow("", self.sound)
        rows.addRow(self.tr("To"), place)
        rows.addRow(self.tr("Size"), self.expected)
        self.even.setText(self._said_of_size())
        for label in (self.even, self.origin, self.note):
            label.setWordWrap(True)
            label.setVisible(bool(label.text()))
        self.even.setObjectName("faint")
        self.origin.setObjectName("faint")
        self.note.setObjectName("mistake")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.export.setDefault(True)
        buttons.addButton(self.export, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._on_accepted)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(rows)
        column.addWidget(self.even)
        column.addWidget(self.origin)
        column.addWidget(self.note)
        column.addWidget(buttons)
        self.kind.currentIndexChanged.connect(self._on_kind)
        for choice in (self.quality, self.range):
            choice.currentIndexChanged.connect(self._on_choice)
        self.sound.toggled.connect(self._on_choice)

    def _add_range(self) -> None:
        first, last = self._project.range_in, self._project.range_out
        if first is None and last is None:
            return
        start = max(first or 0, self._first)
        stop = self._stop if last is None else min(last + 1, self._stop)
        if self._first <= start < stop <= self._stop and (start, stop) != (self._first, self._stop):
            text = self.tr("In to out, frames {first} to {last}")
            self.range.addItem(text.format(first=start, last=stop - 1), (start, stop))

    @pyqtSlot()
    def _on_kind(self) -> None:
        kind = ExportKind(self.kind.currentData())
        self.sound.setEnabled(kind is not ExportKind.PNG and self._has_sound)
        self.sound.setText(self._said_of_sound(kind))
        self.quality.setEnabled(kind is ExportKind.H264)
        self.even.setVisible(kind is ExportKind.H264 and bool(self.even.text()))
        clip = Path(self._project.clip)
        before = Path(self.path.text()) if self.path.text() else clip
        stem = f"{short_stem(clip)}-restyled"
        self.path.setText(str(before.parent / f"{stem}{_ENDINGS[kind]}"))
        self._on_choice()

    @pyqtSlot()
    def _on_choice(self) -> None:
        self.expected.show_for(self.options())

    @pyqtSlot()
    def _on_choose(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self,
            self.tr("Export to"),
            self.path.text(),
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if name:
            self.path.setText(name)

    def _mistake(self) -> str:
        text, kind = self.path.text().strip(), ExportKind(self.kind.currentData())
        if not text:
            return self.tr("Say where the export is to go.")
        path = typed_path(text)
        if _is_too_long(path):
            return self.tr("This name is too long; choose a shorter one.")
        if not os.path.isdir(path.parent):
            return self.tr("There is no folder {folder}.").format(folder=path.parent)
        if kind is not ExportKind.PNG and path.suffix.lower() != _ENDINGS[kind]:
            return self.tr("A file of this format ends in {ending}.").format(ending=_ENDINGS[kind])
        if self._project.clip and is_same_place(path, Path(self._project.clip)):
            return self.tr("That is the clip itself; choose another name.")
        if kind is not ExportKind.PNG and os.path.isdir(path):
            return self.tr("That is a folder; choose another name for the file.")
        if kind is ExportKind.PNG and os.path.isfile(self.options().picture_path(0).parent):
            return self.tr("That is a file; name a folder, or pictures as name_%04d.png.")
        return ""

    @pyqtSlot()
    def _on_accepted(self) -> None:
        mistake = self._mistake()
        self.note.setText(mistake)
        self.note.setVisible(bool(mistake))
        if mistake:
            return
        replaced = self.options().replaced()
        if replaced is not None and not may_replace(self, replaced):
            return
        self.accept()


def _is_too_long(path: Path) -> bool:
    try:
        path.lstat()
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    return False
