"""Keeps the views of the clip in step: position, range, title, settings."""

from __future__ import annotations

from pathlib import Path

from fresco_client import TransferProgress
from fresco_media.files.text import printable, sized
from fresco_media.stills.numbered import is_pattern
from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QWidget

from fresco_gui.clips import ClipOpener, ReadableClip
from fresco_gui.display import Display
from fresco_gui.problems.problem import Problem
from fresco_gui.problems.reporter import CLIP_UNREADABLE
from fresco_gui.project.store import ProjectStore
from fresco_gui.window.views import Views, WindowLayout


class ClipPage(QObject):
    """What the window shows of the clip that is open."""

    def __init__(
        self,
        window: QWidget,
        opener: ClipOpener,
        project_store: ProjectStore,
        display: Display,
        views: Views,
        window_layout: WindowLayout,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._opener = opener
        self._project_store = project_store
        self._display = display
        self._views = views
        self._layout = window_layout
        self._first_frame = 0
        self._is_open = False
        """Whether the clip's own frames are seen; before that the viewer still is at another's."""
        self._connect_clip(opener)
        self._connect_views()

    def _connect_clip(self, opener: ClipOpener) -> None:
        opener.leaving.connect(self._on_leaving)
        opener.opened.connect(self._on_opened)
        opener.reached.connect(self._on_reached)
        opener.closed.connect(self._on_closed)
        opener.sending.connect(self._on_sending)
        self._project_store.replaced.connect(self.show_settings)
        self._project_store.replaced.connect(self.show_range)
        self._project_store.touched.connect(lambda: self._window.setWindowModified(True))
        self._project_store.saved.connect(self._on_saved)
        self._display.source_opened.connect(self._on_source_opened)
        self._display.source_failed.connect(self._on_source_failed)
        self._display.result_failed.connect(self._on_result_failed)

    def _connect_views(self) -> None:
        views = self._views
        views.viewer.frame_changed.connect(self._on_frame)
        views.viewer.range_changed.connect(self._on_range)
        views.filmstrip.scrubbed.connect(views.viewer.set_frame)
        views.filmstrip.range_changed.connect(self._on_range)
        views.inspector.changed.connect(self.take_settings)
        views.inspector.range.changed.connect(self._on_range)

    # Settings

    def show_settings(self) -> None:
        """Show the project's settings in the form."""
        project = self._project_store.project
        self._views.inspector.set_model(project.model)
        self._views.inspector.set_values(project.values)

    def take_settings(self) -> None:
        """Take what is chosen in the form into the project."""
        inspector = self._views.inspector
        model = inspector.model()
        self._project_store.choose(inspector.values(), model.source if model else "")

    def show_range(self) -> None:
        """Show the project's in and out points."""
        project = self._project_store.project
        for view in (self._views.viewer, self._views.filmstrip):
            view.blockSignals(True)
            view.set_range(project.range_in, project.range_out)
            view.blockSignals(False)
        info = self._display.source.info if self._display.source else None
        limits = info.limits(None, None) if info is not None else None
        self._views.inspector.range.show_range(limits, project.range_in, project.range_out)

    # Slots

    def _on_leaving(self) -> None:
        self._is_open = False

    def _on_opened(self, path: Path) -> None:
        self._layout.show_clip()
        self._first_frame = self._project_store.project.frame
        self.show_settings()
        self._views.sheet.clear()
        self._show_title()

    def _show_title(self) -> None:
        """The project, where it has a place of its user's; else the clip."""
        store = self._project_store
        path = store.path if store.has_own_place and store.path else Path(store.project.clip)
        self._window.setWindowFilePath(str(path))
        name = printable(path.name).replace("[*]", "[*][*]")  # Else Qt takes it for its own mark.
        self._window.setWindowTitle(f"{name}[*] — Fresco")

    def _on_saved(self) -> None:
        self._window.setWindowModified(False)
        self._show_title()

    def _on_source_opened(self) -> None:
        """The clip's length is known: go where its user was."""
        self._opener.keep_recent()
        self.show_range()
        self._views.viewer.set_frame(self._first_frame)
        self._is_open = True
        self._views.filmstrip.set_frame(self._views.viewer.frame)

    def _on_reached(self, clip: ReadableClip) -> None:
        self._views.status.show_clip(clip.info)
        for warning in clip.info.warnings:
            self._views.status.showMessage(warning, 10000)

    def _on_closed(self) -> None:
        self._layout.show_empty()
        self._window.setWindowFilePath("")
        self._window.setWindowTitle("Fresco")
        self._window.setWindowModified(False)
        self._views.status.show_clip(None)
        self._views.inspector.range.show_range(None, None, None)
        self._views.sheet.clear()

    def _on_frame(self, index: int) -> None:
        self._views.filmstrip.set_frame(index)
        if self._is_open:
            self._project_store.remember_frame(index)

    def _on_range(self, first: int, last: int) -> None:
        """In and out points have changed, in the viewer, the filmstrip or the inspector."""
        info = self._display.source.info if self._display.source else None
        is_whole = info is None or (first <= 0 and last >= info.frame_count - 1)
        self._project_store.do(
            self.tr("range"),
            range_in=None if is_whole else first,
            range_out=None if is_whole else last,
        )
        self.show_range()

    def _on_sending(self, progress: TransferProgress) -> None:
        text = self.tr("Sending the clip to the daemon: {share:.0%} of {size}").format(
            share=progress.done_bytes / max(progress.total_bytes, 1),
            size=sized(progress.total_bytes),
        )
        self._views.status.showMessage(text, 3000)

    def _on_source_failed(self, sentence: str) -> None:
        path = Path(self._project_store.project.clip)
        if not path.exists() and not is_pattern(path):
            return  # The opener tells of it, with a way to put it right.
        title = self.tr("The clip cannot be shown")
        self._views.problems.add(Problem(title=title, message=sentence, reason=CLIP_UNREADABLE))

    def _on_result_failed(self, sentence: str) -> None:
        title = self.tr("The result cannot be shown")
        self._views.problems.add(Problem(title=title, message=sentence))
