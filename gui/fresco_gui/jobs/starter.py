"""Orders what is to be made: looks at a frame, restyles of a clip, new versions of keyframes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from fresco_client import (
    Job,
    KeyframeChange,
    ModelChoice,
    OutputOptions,
    settings_of,
)
from PyQt6.QtCore import QObject, pyqtSignal

from fresco_gui.clips import ClipOpener, with_files
from fresco_gui.daemon.connection import DaemonConnection
from fresco_gui.looks.kept import LookFiles
from fresco_gui.looks.maker import LookMaker, LookRequest
from fresco_gui.looks.styles import StyleLooks
from fresco_gui.project import ProjectJob
from fresco_gui.project.store import ProjectStore
from fresco_gui.services import Services
from fresco_gui.values import Values


class JobStarter(QObject):
    """Says what can be started, and starts it.

    Signals:
        submitting_changed(): a job is being handed over, or no longer.
        submitted(Job, ProjectJob): the daemon has it; what the project is to know of it.
    """

    submitting_changed = pyqtSignal()
    submitted = pyqtSignal(object, object)

    def __init__(
        self,
        services: Services,
        daemon: DaemonConnection,
        opener: ClipOpener,
        project_store: ProjectStore,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._daemon = daemon
        self._opener = opener
        self._project_store = project_store
        self._is_submitting = False
        self.looks = LookMaker(services.workers, self)
        self.looks.failed.connect(self._on_look_failed)
        self.styles = StyleLooks(services.workers, LookFiles(services.folders.looks), self)
        opener.leaving.connect(self.looks.cancel)
        opener.leaving.connect(self.styles.stop)

    @property
    def is_busy(self) -> bool:
        """Whether a job is being handed over."""
        return self._is_submitting

    def why_not(self) -> str:
        """Why nothing can be started now; empty if it can."""
        project = self._project_store.project
        if not project.clip:
            return self.tr("Open a clip first.")
        if self._opener.is_gone:
            return self.tr("The clip is gone.")
        if self._opener.is_replaced:
            return self.tr("The clip is another one now: reload it first.")
        if not self._daemon.state.is_connected:
            return self.tr("The daemon is not there yet.")
        if self._opener.clip is None:
            return self.tr("The daemon looks at the clip.")
        if self._is_submitting:
            return self.tr("The job is being handed over.")
        if not (str(project.values.get("prompt") or "").strip() or project.values.get("style")):
            return self.tr("Write a prompt or choose a style first.")
        return ""

    def look(
        self, frame: int, variants: Sequence[Values] = ({},), *, shows_control: bool = False
    ) -> None:
        """Restyle a frame as it is chosen, once with each of these beside it; or show what binds.

        `variants` are settings that take the place of those that are chosen.
        """
        session, clip = self._daemon.session, self._opener.clip
        if session is None or clip is None or self.why_not():
            return
        self._project_store.history.seal()
        values = {**self._project_store.project.values, "start": None, "stop": None}
        order = LookRequest(
            clip=clip.source,
            index=frame,
            variants=tuple(settings_of({**values, **one}) for one in variants),
            model=self._model(),
            shows_control=shows_control,
        )
        self.looks.make(session, order)

    def show_styles(self, frame: int) -> None:
        """Have a frame made in every style of the model."""
        session, clip, view = self._daemon.session, self._opener.clip, self._daemon.view
        if session is None or clip is None or view is None:
            return
        model = self._project_store.project.model
        found = next((one for one in view.models if one.source == model), None)
        names = [style.name for style in found.styles] if found is not None else []
        self.styles.show(session, clip, frame, model, names)

    def restyle(self) -> None:
        """Have the clip, or its range, restyled."""
        session, clip = self._daemon.session, self._opener.clip
        if session is None or clip is None or self.why_not():
            return
        self._project_store.history.seal()
        settings = settings_of(self._project_store.values_with_range())
        kind = "lossless" if self._services.preferences.is_lossless else "h264"
        output = OutputOptions(kind=kind, container="mp4")
        title, model = clip.path.name, self._model()

        def submit() -> Job:
            reached = with_files(session, settings, ("subject_mask", "reference"))
            return session.submit(clip.source, reached, model=model, output=output, title=title)

        made = ProjectJob(job_id="", title=title, start=settings.start or 0)
        self._submit(submit, self.tr("The job could not be started"), made)

    def reroll(
        self,
        version: ProjectJob,
        changes: tuple[KeyframeChange, ...],
        on_done: Callable[[ProjectJob], object],
    ) -> None:
        """Make keyframes of a finished job anew; only what depends on them is computed again."""
        session = self._daemon.session
        if session is None:
            return
        self._submit(
            lambda: session.reroll(version.parent, changes),
            self.tr("The keyframe cannot be changed"),
            version,
            on_done,
        )

    def _model(self) -> ModelChoice | None:
        source = self._project_store.project.model
        return ModelChoice(source=source) if source else None

    def _submit(
        self,
        submit: Callable[[], Job],
        title: str,
        made: ProjectJob,
        on_done: Callable[[ProjectJob], object] = lambda _: None,
    ) -> None:
        self._set_submitting(True)
        opened = self._project_store.opened

        def done(job: object) -> None:
            assert isinstance(job, Job)
            self._is_submitting = False
            if self._project_store.opened == opened:  # else another clip was opened meanwhile
                whole = replace(made, job_id=job.id)
                self.submitted.emit(job, whole)
                on_done(whole)
            self.submitting_changed.emit()

        def failed(error: Exception) -> None:
            self._is_submitting = False
            self._services.reporter.tell(error, title)
            self.submitting_changed.emit()

        self._services.workers.call(submit, done, failed)

    def _set_submitting(self, is_submitting: bool) -> None:
        self._is_submitting = is_submitting
        self.submitting_changed.emit()

    def _on_look_failed(self, error: Exception) -> None:
        self._services.reporter.tell(error, self.tr("The look could not be made"))
