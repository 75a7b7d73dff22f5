"""Exporting the result that is shown: asks how, from what, and has it written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from fresco_client import ClientError, Job, PictureOptions, Session
from fresco_media.errors import FrescoError
from fresco_media.stills.images import WRITABLE_SUFFIXES
from PyQt6.QtCore import QObject, pyqtSignal, pyqtSlot
from PyQt6.QtWidgets import QWidget

from fresco_gui.controller import Controller
from fresco_gui.display import Display
from fresco_gui.export import Export, ExportOptions
from fresco_gui.export.dialog import ExportDialog
from fresco_gui.export.picture import originals_of, save_picture
from fresco_gui.export.size import SizeEstimate
from fresco_gui.media import FetchedFrames, FrameInfo, MediaError
from fresco_gui.preferences.shortcuts import on
from fresco_gui.problems.problem import Problem
from fresco_gui.window.menus import Commands
from fresco_gui.window.save_dialog import ask_where_to_save
from fresco_gui.window.views import Views

_LONGEST_END_MS = 5000
_SHOWN_MS = 15_000


class ExportActions(QObject):
    """One export at a time.

    Signals:
        finished_to(str): an export is whole, and here.
        running_changed(): an export began or ended.
    """

    finished_to = pyqtSignal(str)
    running_changed = pyqtSignal()

    def __init__(
        self, window: QWidget, controller: Controller, display: Display, views: Views
    ) -> None:
        super().__init__(window)
        self._window = window
        self._controller = controller
        self._display = display
        self._views = views
        self._export: Export | None = None
        self._warnings: list[str] = []
        self._fetched: FetchedFrames | None = None
        views.status.cancel_export.connect(self.cancel)
        views.result.export_wanted.connect(self.ask)
        display.result_opened.connect(self._on_result)
        controller.opener.leaving.connect(views.result.hide)

    def connect(self, commands: Commands) -> None:
        """Do what this command is for."""
        on(commands.export, self.ask)
        on(commands.save_frame, self.save_frame)

    @property
    def is_running(self) -> bool:
        """Whether one is being written."""
        return self._export is not None

    def dialog(self) -> ExportDialog | None:
        """Asks how the result is to be exported; None without one."""
        info = self._display.result.info if self._display.result else None
        if info is None or not self._display.has_whole_result:
            return None
        project = self._controller.project_store.project
        source = self._display.source.info if self._display.source else None
        return ExportDialog(
            project,
            info,
            self._origin(),
            self._estimate,
            has_sound=source is not None and source.has_sound,
            first_number=source.first_number if source else 0,
            parent=self._window,
        )

    def _estimate(self, options: ExportOptions) -> SizeEstimate:
        """What works out the size of an export, from the file: it only has to be about right."""
        source, result = self._display.source, self._display.result
        assert source is not None
        assert result is not None
        return SizeEstimate(source, result, options)

    @property
    def can_export(self) -> bool:
        """Whether there is a result, and nothing is being written."""
        return self._display.has_whole_result and not self.is_running

    def ask(self) -> None:
        """Ask how, and write it."""
        dialog = None if self.is_running else self.dialog()
        if dialog is not None and dialog.exec():
            self.start(dialog.options())

    def save_frame(self) -> None:
        """Ask where to, and write the picture that is in view: the result's, else the clip's."""
        viewer, index = self._views.viewer, self._views.viewer.frame
        image = viewer.picture()
        if image is None:
            return
        clip = Path(self._controller.project_store.project.clip)
        source = self._display.source.info if self._display.source else None
        # As the names of painted keys are counted.
        number = index + (source.first_number if source else 0)
        path = ask_where_to_save(
            self._window,
            self.tr("Save this frame"),
            str(clip.with_name(f"{clip.stem}-{number:06d}.png")),
            WRITABLE_SUFFIXES,
            self.tr("Pictures (*.png)"),
        )
        if path is None:
            return
        try:
            originals = originals_of(self._display.source, self._display.result)
            save_picture(path, image, originals, source.pixel_aspect if source else Fraction(1))
        except FrescoError as error:
            title = self.tr("The frame cannot be saved")
            self._controller.services.reporter.tell(error, title)
        else:
            self._views.result.show_saved(path, can_export=self.can_export)

    def start(self, options: ExportOptions) -> None:
        """Begin; nothing is asked any more."""
        source, result = self._display.source, self._display.result
        if source is None or result is None or result.info is None:
            return
        self._fetched = self._unencoded(result.info)
        self._warnings.clear()
        export = Export(source, result, options, self._fetched)
        export.progressed.connect(self._views.status.show_export)
        export.warned.connect(self._warnings.append)
        export.finished_to.connect(self._on_finished)
        export.failed.connect(self._on_failed)
        export.finished.connect(self._on_ended)
        self._export = export
        self._views.status.show_export(0, options.stop - options.start)
        self.running_changed.emit()
        export.start()

    def cancel(self) -> None:
        """Stop soon, and leave nothing half-written."""
        if self._export is not None:
            self._export.cancel()

    def end(self) -> None:
        """Stop, and wait until nothing half-written is left."""
        self.cancel()
        if self._export is not None:
            self._export.wait(_LONGEST_END_MS)

    # What it is made from

    def _encoded_job(self) -> Job | None:
        """The job that is shown, if its file has lost something to being encoded."""
        job = self._controller.shown_job.job()
        is_lossless = job is not None and job.output is not None and job.output.kind == "lossless"
        return None if is_lossless else job

    def _unencoded(self, info: FrameInfo) -> FetchedFrames | None:
        """The daemon's own frames, where they are better than the file and can be had."""
        job, session = self._encoded_job(), self._controller.daemon.session
        if job is None or session is None or not self._controller.daemon.state.is_connected:
            return None
        return FetchedFrames(replace(info, path=None), fetching(session, job.id, info))

    def _origin(self) -> str:
        if self._encoded_job() is None:
            return ""
        if self._controller.daemon.state.is_connected:
            return self.tr(
                "What is encoded anew is made from the daemon's own frames, not from its H.264."
            )
        return self.tr(
            "The daemon is away: what is encoded anew is made from the H.264 file that is here. "
            "With the daemon it is made from frames that no encoding has harmed."
        )

    # Slots

    def _on_result(self) -> None:
        info = self._display.result.info if self._display.result else None
        if info is not None:
            text = self.tr("The result is there: frames {first} to {last}.")
            text = text.format(first=info.first_index, last=info.last_index)
            self._views.result.show_done(text)

    @pyqtSlot(str)
    def _on_finished(self, path: str) -> None:
        told = " ".join(f"{text[:1].upper()}{text[1:]}." for text in self._warnings)
        message = self.tr("Exported {path}").format(path=path)
        self._views.status.showMessage(f"{message}. {told}" if told else message, _SHOWN_MS)
        self._views.result.show_exported(Path(path))
        self.finished_to.emit(path)

    @pyqtSlot(str)
    def _on_failed(self, sentence: str) -> None:
        problem = Problem(title=self.tr("The export failed"), message=sentence)
        self._controller.services.reporter.report(problem)

    @pyqtSlot()
    def _on_ended(self) -> None:
        export, self._export = self._export, None
        if export is not None:
            export.deleteLater()
        fetched, self._fetched = self._fetched, None
        if fetched is not None:
            fetched.close()
        self._views.status.show_export(0, 0)
        self.running_changed.emit()


def fetching(session: Session, job_id: str, info: FrameInfo) -> Callable[[int], bytes]:
    """Gets a frame of a job from its daemon, of full size and without loss."""
    options = PictureOptions(encoding="png")

    def fetch(index: int) -> bytes:
        try:
            return session.frame(job_id, "result", index, options).data
        except ClientError as error:
            assert info.path is not None
            raise MediaError(info.path, error.message) from error

    return fetch
