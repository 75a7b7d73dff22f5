"""Opening clips and projects: by dialog, by dropping, from the list of recent ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fresco_media.stills.formats import IMAGE_SUFFIXES
from PyQt6.QtCore import QMimeData, QObject
from PyQt6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget

from fresco_gui.clips import ClipOpener, sample_clip
from fresco_gui.plain import caption, plain
from fresco_gui.preferences.shortcuts import on
from fresco_gui.preferences.stored import Preferences
from fresco_gui.project.document import SUFFIX
from fresco_gui.project.store import ProjectStore
from fresco_gui.window.menus import Commands
from fresco_gui.window.save_dialog import ask_where_to_save
from fresco_gui.window.views import Views

_VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mxf", ".m4v", ".mpg")
_SUFFIXES = (*_VIDEOS, *IMAGE_SUFFIXES, ".gif", SUFFIX)
_PATTERNS = " ".join(f"*{suffix}" for suffix in _SUFFIXES)


class OpenActions(QObject):
    """Asks what to open, and has it opened."""

    def __init__(
        self,
        window: QWidget,
        opener: ClipOpener,
        project_store: ProjectStore,
        preferences: Preferences,
        views: Views,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._opener = opener
        self._project_store = project_store
        self._preferences = preferences
        self._empty = views.empty
        self._status = views.status
        self._empty.open_wanted.connect(self.ask)
        self._empty.sample_wanted.connect(self.open_sample)
        self._empty.recent_wanted.connect(opener.open)
        opener.opened.connect(self.show_recent)
        opener.closed.connect(self.show_recent)
        self.show_recent()

    def connect(self, commands: Commands, recent: QMenu) -> None:
        """Do what these commands and this menu are for."""
        on(commands.open, self.ask)
        on(commands.open_folder, self.ask_for_folder)
        on(commands.open_sample, self.open_sample)
        on(commands.save, self.save)
        on(commands.save_project, self.ask_where_to_save)
        on(commands.close_clip, self._opener.close_clip)
        recent.aboutToShow.connect(lambda: self.fill_recent(recent))

    def ask(self) -> None:
        """Ask for a clip or a project, beside the clip that is open."""
        clip = self._project_store.project.clip
        name, _ = QFileDialog.getOpenFileName(
            self._window,
            self.tr("Open"),
            str(Path(clip).parent) if clip else "",
            self.tr("Clips and projects ({patterns});;All files (*)").format(patterns=_PATTERNS),
            options=QFileDialog.Option.HideNameFilterDetails,  # Longer than there is room for.
        )
        if name:
            self._opener.open(Path(name))

    def ask_for_folder(self) -> None:
        """Ask for a folder of pictures."""
        name = QFileDialog.getExistingDirectory(self._window, self.tr("Open a folder of pictures"))
        if name:
            self._opener.open(Path(name))

    def save(self) -> None:
        """Save the project in its place; one that has none yet is asked for it."""
        if not self._project_store.has_own_place:
            self.ask_where_to_save()
            return
        self._project_store.save()
        assert self._project_store.path is not None
        name = plain(self._project_store.path.name)
        self._status.showMessage(self.tr("Saved {name}.").format(name=name), 5000)

    def save_at_last(self) -> None:
        """Save before the window closes; that this made a copy is said before it is gone."""
        store = self._project_store
        place = store.path
        store.save()
        if place is not None and store.path is not None and store.path != place:
            QMessageBox.information(
                self._window, self.tr("Close Fresco"), plain(store.copy_sentence(place, store.path))
            )

    def ask_where_to_save(self) -> None:
        """Ask for the place of the project file."""
        clip = Path(self._project_store.project.clip)
        path = ask_where_to_save(
            self._window,
            self.tr("Save project as"),
            str(clip.with_suffix(SUFFIX)),
            (SUFFIX,),
            self.tr("Projects (*.fresco)"),
        )
        if path is not None:
            self._project_store.save_as(path)

    def open_sample(self) -> None:
        """Open the clip that comes with Fresco."""
        path = sample_clip()
        if path is not None:
            self._opener.open_clip(path)

    def open_first(self, paths: Sequence[Path]) -> None:
        """Open the first of what was dropped."""
        if paths:
            self._opener.open(Path(paths[0]))

    def show_recent(self) -> None:
        """Offer what was open before in the empty window."""
        self._empty.show_recent(self._preferences.recent)

    def fill_recent(self, menu: QMenu) -> None:
        """Offer it in a menu as well."""
        menu.clear()
        for path in self._preferences.recent:
            one = menu.addAction(caption(path.name))
            assert one is not None
            one.setToolTip(plain(path))
            on(one, lambda path=path: self._opener.open(path))
        menu.addSeparator()
        forget = menu.addAction(self.tr("Forget all"))
        assert forget is not None
        on(forget, self._on_forget)

    def _on_forget(self) -> None:
        self._preferences.clear_recent()
        self.show_recent()


def paths_of(data: QMimeData | None) -> list[Path]:
    """Files of this machine that are dragged, those first whose names promise a clip.

    Cameras lay texts and pictures beside a clip, and who drags them all means the clip.
    """
    if data is None:
        return []
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return sorted(paths, key=_promise)


def _promise(path: Path) -> int:
    """0 for the name of a project or a video, more for others."""
    suffix = path.suffix.lower()
    if suffix == SUFFIX or suffix in _VIDEOS:
        return 0
    return 1 if suffix in _SUFFIXES or path.is_dir() else 2
