"""The window of the model manager."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from fresco_client import Model, PullProgress, Session
from fresco_client.words import duration
from fresco_media.files.text import printable, sized
from PyQt6.QtCore import QSize, Qt, pyqtSignal, pyqtSlot
from PyQt6.QtGui import QIcon, QPixmap, QShowEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from fresco_gui.models.thumbnails import Thumbnail, thumbnails
from fresco_gui.plain import PlainLabel, plain
from fresco_gui.stream import StreamWorker, Workers

_ROLE = Qt.ItemDataRole.UserRole
_KINDS = {
    "lora": "LoRA",
    "embedding": "embedding",
    "vae": "VAE",
    "controlnet": "ControlNet",
}
"""As their makers write them."""
_SIDE = 56
"""Of a thumbnail, in pixels of the screen's scale."""


class ModelManager(QDialog):
    """Lists models, downloads them, loads them and frees their memory.

    Signals:
        problem(Exception): the daemon refused or failed.
        changed(): models are to be listed again.
    """

    problem = pyqtSignal(object)
    changed = pyqtSignal()

    def __init__(self, workers: Workers, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Models"))
        self.resize(760, 380)
        self._workers = workers
        self._session: Session | None = None
        self._models: tuple[Model, ...] = ()
        self._files: tuple[Model, ...] = ()
        self._icons: dict[str, QIcon] = {}
        self._pull: StreamWorker | None = None
        self._pulled = ""
        self.table = QTableWidget(0, 5)
        self.source = QLineEdit()
        self.download = QPushButton(self.tr("Download"))
        self.stop = QPushButton(self.tr("Stop"))
        self.load = QPushButton(self.tr("Load"))
        self.free = QPushButton(self.tr("Free memory"))
        self.bar = QProgressBar()
        self.note = PlainLabel()
        self._build()
        self._connect()
        self._refresh()

    @property
    def is_downloading(self) -> bool:
        """Whether a download runs."""
        return self._pull is not None

    def show_models(self, session: Session | None, models: Sequence[Model]) -> None:
        """Take what the daemon has."""
        self._session = session
        if tuple(models) != self._models:
            self._models = tuple(models)
            self._fill()
            self._find_more()
        self._refresh()

    def chosen(self) -> Model | None:
        """The model that is selected."""
        item = self.table.item(self.table.currentRow(), 0)
        model = item.data(_ROLE) if item else None
        return model if isinstance(model, Model) else None

    def pull(self, source: str) -> None:
        """Download a model; one that was broken off goes on."""
        session = self._session
        if session is None or self._pull is not None or not source.strip():
            return
        self._pulled = source.strip()
        self.bar.setRange(0, 0)
        self._pull = self._workers.stream(
            lambda: session.pull(source.strip()), self._on_progress, self._on_failed, self._on_done
        )
        self.note.setText(self.tr("Downloading {source}").format(source=self._pulled))
        self._refresh()

    def stop_pull(self) -> None:
        """Stop the download; what has arrived is kept for the next time."""
        if self._pull is not None:
            self._pull.stop()
            self._pull = None
            self.note.setText(
                self.tr("Stopped; downloading {source} again goes on.").format(source=self._pulled)
            )
            self._refresh()

    def _build(self) -> None:
        self._build_table()
        self.source.setPlaceholderText(self.tr("A model of the hub, such as owner/name"))
        self.source.setAccessibleName(self.tr("Model of the hub"))
        self.note.setObjectName("faint")
        self.note.setWordWrap(True)
        for button in (self.download, self.stop, self.load, self.free):
            button.setAutoDefault(False)
        fetch = QHBoxLayout()
        for widget in (self.source, self.download, self.stop):
            fetch.addWidget(widget)
        actions = QHBoxLayout()
        actions.addWidget(self.load)
        actions.addWidget(self.free)
        actions.addStretch(1)
        column = QVBoxLayout(self)
        column.addWidget(self.table, 1)
        column.addLayout(actions)
        column.addLayout(fetch)
        column.addWidget(self.bar)
        column.addWidget(self.note)

    def _build_table(self) -> None:
        self.table.setHorizontalHeaderLabels(
            [
                self.tr("Model"),
                self.tr("State"),
                self.tr("Size"),
                self.tr("Memory"),
                self.tr("Styles and words"),
            ]
        )
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setIconSize(QSize(_SIDE, _SIDE))
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        rows, columns = self.table.verticalHeader(), self.table.horizontalHeader()
        assert rows is not None
        assert columns is not None
        rows.setVisible(False)
        columns.setStretchLastSection(True)
        columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        columns.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)

    def _connect(self) -> None:
        self.table.itemSelectionChanged.connect(self._on_selected)
        self.source.textChanged.connect(self._refresh)
        self.source.returnPressed.connect(self._on_download)
        self.download.clicked.connect(self._on_download)
        self.stop.clicked.connect(self.stop_pull)
        self.load.clicked.connect(self._on_load)
        self.free.clicked.connect(self._on_free)

    @property
    def _listed(self) -> tuple[Model, ...]:
        return (*self._models, *self._files)

    def _fill(self) -> None:
        row = self.table.currentRow()
        self.table.setRowCount(len(self._listed))
        for at, model in enumerate(self._listed):
            name = QTableWidgetItem(printable(model.name or model.source))
            name.setData(_ROLE, model)
            name.setToolTip(plain(model.problem or model.source))
            name.setIcon(self._icons.get(model.source, QIcon()))
            self.table.setItem(at, 0, name)
            memory = sized(model.memory_bytes) if model.memory_bytes else ""
            size = sized(model.size_bytes) if model.size_bytes else ""
            words = (*(style.name for style in model.styles), *model.trigger_words)
            called = printable(", ".join(words))
            for column, text in enumerate((self._state_of(model), size, memory, called), 1):
                self.table.setItem(at, column, QTableWidgetItem(text))
        self.table.setCurrentCell(max(row, 0), 0)

    def showEvent(self, a0: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Files may have come since."""
        super().showEvent(a0)
        self._find_more()

    def _find_more(self) -> None:
        """Files that prompts name, and pictures: as they are read, as there may be hundreds."""
        session, models, side = self._session, self._models, round(_SIDE * self.devicePixelRatioF())
        if session is None or not self.isVisible():
            return

        known = set(self._icons)

        def found() -> Iterator[object]:
            files = session.model_files()
            yield files
            listed = (*models, *files)
            yield from thumbnails((one for one in listed if one.source not in known), side)

        # Who has no daemon any more is told so elsewhere.
        self._workers.stream(found, self._on_found, lambda _: None)

    def _on_found(self, item: object) -> None:
        if isinstance(item, Thumbnail):
            self._show_thumbnail(item)
        elif item != self._files:
            self._files = cast("tuple[Model, ...]", item)
            self._fill()

    def _show_thumbnail(self, thumbnail: Thumbnail) -> None:
        pixmap = QPixmap.fromImage(thumbnail.image)
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        icon = QIcon(pixmap)
        icon.addPixmap(pixmap, QIcon.Mode.Selected)  # Else it would be tinted.
        self._icons[thumbnail.source] = icon
        for row, model in enumerate(self._listed):
            name = self.table.item(row, 0)
            if model.source == thumbnail.source and name is not None:
                name.setIcon(icon)
                self.table.setRowHeight(row, _SIDE + 8)

    def _state_of(self, model: Model) -> str:
        if model.problem:
            return self.tr("cannot be used")
        if model.kind != "whole":
            return _KINDS[model.kind]
        if model.loaded_on:
            return self.tr("loaded on {devices}").format(devices=", ".join(model.loaded_on))
        names = {
            "bundled": self.tr("bundled"),
            "installed": self.tr("installed"),
            "available": self.tr("to download"),
        }
        return names[model.state]

    @pyqtSlot()
    def _refresh(self) -> None:
        model = self.chosen()
        has_daemon = self._session is not None
        self.load.setEnabled(has_daemon and model is not None and _is_loadable(model))
        self.free.setEnabled(has_daemon and any(one.loaded_on for one in self._models))
        self.download.setEnabled(
            has_daemon and not self.is_downloading and bool(self.source.text().strip())
        )
        self.stop.setEnabled(self.is_downloading)
        self.bar.setVisible(self.is_downloading)

    @pyqtSlot()
    def _on_selected(self) -> None:
        model = self.chosen()
        if model is not None and model.state == "available" and not self.is_downloading:
            self.source.setText(model.source)
        if model is not None and not self.is_downloading:
            self.note.setText(model.problem)
        self._refresh()

    @pyqtSlot()
    def _on_download(self) -> None:
        self.pull(self.source.text())

    def _on_progress(self, item: object) -> None:
        if not isinstance(item, PullProgress):
            return
        if item.total_bytes:
            self.bar.setRange(0, 1000)
            self.bar.setValue(round(1000 * item.done_bytes / item.total_bytes))
        parts = [sized(item.done_bytes)]
        if item.total_bytes:
            parts = [f"{sized(item.done_bytes)} / {sized(item.total_bytes)}"]
        if item.bytes_per_second > 0:
            parts.append(f"{sized(item.bytes_per_second)}/s")
            left = max(item.total_bytes - item.done_bytes, 0) / item.bytes_per_second
            if item.total_bytes and left:
                parts.append(self.tr("{span} left").format(span=duration(left)))
        self.note.setText(f"{self._pulled}: {', '.join(parts)}")

    def _on_failed(self, error: Exception) -> None:
        self._pull = None
        self.note.setText(str(error))
        self._refresh()
        self.problem.emit(error)

    def _on_done(self) -> None:
        self._pull = None
        self.note.setText(self.tr("{source} is here.").format(source=self._pulled))
        self._refresh()
        self.changed.emit()

    @pyqtSlot()
    def _on_load(self) -> None:
        model, session = self.chosen(), self._session
        if model is None or session is None:
            return
        self.note.setText(self.tr("Loading {name} …").format(name=model.name))
        self._workers.call(lambda: session.load(model.source), self._on_settled, self._on_failed)

    @pyqtSlot()
    def _on_free(self) -> None:
        session = self._session
        if session is not None:
            self._workers.call(session.unload, self._on_settled, self._on_failed)

    def _on_settled(self, _: object) -> None:
        self.note.setText("")
        self.changed.emit()


def _is_loadable(model: Model) -> bool:
    """Whether it is a whole model, here, in order, and not in memory yet."""
    is_here = model.kind == "whole" and model.state != "available"
    return is_here and not model.problem and not model.loaded_on
