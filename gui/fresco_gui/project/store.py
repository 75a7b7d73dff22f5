"""Keeps the project that is open, and saves it by itself."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from fresco_client import FileFailed, Job, values_of
from fresco_media.files.disk import short_stem
from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from fresco_gui.problems.problem import problem_of
from fresco_gui.problems.reporter import AUTOSAVE_FAILED
from fresco_gui.project.document import SUFFIX, Project, ProjectJob, save
from fresco_gui.services import Services
from fresco_gui.values import Values

_AUTOSAVE_MS = 800


class ProjectStore(QObject):
    """The project; everybody reads it here, and changes it by `change` and its kin.

    Signals:
        replaced(): settings were chosen elsewhere than in the form, which is to show them.
        touched(): it has changed, and is saved soon.
    """

    replaced = pyqtSignal()
    touched = pyqtSignal()

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self.project = Project()
        self.path: Path | None = None
        self._is_closed = False
        self._has_told = False
        self._autosave = QTimer(self)
        self._autosave.setInterval(_AUTOSAVE_MS)
        self._autosave.setSingleShot(True)
        self._autosave.timeout.connect(self.save)

    def begin(self, project: Project, path: Path) -> None:
        """Keep this one from now on, at this place."""
        self.project, self.path = project, path
        self._services.preferences.last_project = path
        self.replaced.emit()

    def end(self) -> None:
        """Keep none."""
        self.project, self.path = Project(), None
        self._services.preferences.last_project = None

    def close(self) -> None:
        """Save what there is; nothing is saved by itself any more."""
        self._is_closed = True
        self.save()

    # Changing

    def touch(self) -> None:
        """The project has changed: save it soon."""
        if self.path is not None and not self._is_closed:
            self._autosave.start()
        self.touched.emit()

    def change(self, **changes: object) -> None:
        """Change fields of the project."""
        changed = replace(self.project, **changes)  # type: ignore[arg-type]
        if changed != self.project:
            self.project = changed
            self.touch()

    def remember_frame(self, frame: int) -> None:
        """The frame that is shown; saved with the next change, for playing is none."""
        self.project = replace(self.project, frame=frame)

    def reuse(self, job: Job) -> None:
        """Take over a job's settings and range."""
        values = values_of(job.settings) if job.settings else {}
        start, stop = values.pop("start", None), values.pop("stop", None)
        self.change(
            values=values,
            model=job.model.source if job.model else "",
            range_in=start,
            range_out=None if stop is None else stop - 1,
        )
        self.replaced.emit()

    def values_with_range(self) -> Values:
        """The settings, with the range between in and out points."""
        values = dict(self.project.values)
        if self.project.range_in is not None:
            values["start"] = self.project.range_in
        if self.project.range_out is not None:
            values["stop"] = self.project.range_out + 1
        return values

    # Jobs of the project

    def made(self, job_id: str) -> ProjectJob | None:
        """What is known of a job of the project."""
        return next((made for made in self.project.made if made.job_id == job_id), None)

    def keep_made(self, made: ProjectJob) -> None:
        """Keep a job, or what is new about it; saved at once, for a user waited for it."""
        self.change(made=self.project.with_made(made).made)
        self.save()

    def put_first(self, made: ProjectJob) -> None:
        """This job is the one that is shown when the project is opened again."""
        others = tuple(one for one in self.project.made if one.job_id != made.job_id)
        self.change(made=(made, *others))

    # Keyframes

    def toggle_lock(self, index: int) -> bool:
        """Lock or unlock a keyframe; whether it is locked now."""
        locked = set(self.project.locked)
        locked.symmetric_difference_update({index})
        self.change(locked=tuple(sorted(locked)))
        return index in locked

    def chosen_keyframes(self) -> tuple[int, ...]:
        """Keyframes that were chosen by hand for the next job."""
        return tuple(self.project.values.get("keyframes") or ())

    def choose_keyframes(self, indices: tuple[int, ...]) -> None:
        """Choose keyframes by hand; none leaves the choice to the daemon."""
        values = {name: one for name, one in self.project.values.items() if name != "keyframes"}
        self.change(values={**values, "keyframes": list(indices)} if indices else values)
        self.replaced.emit()

    # Saving

    def autosaved_path(self, clip: Path) -> Path:
        """Where the project of a clip is saved until it gets a place of its own."""
        mark = hashlib.sha256(os.fsencode(clip)).hexdigest()[:8]
        stem = short_stem(clip) or "clip"
        return self._services.folders.state / "projects" / f"{stem}-{mark}{SUFFIX}"

    def save_as(self, path: Path) -> None:
        """Keep the project at a place of the user's from now on."""
        path = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
        self.path = path
        self._services.preferences.last_project = path
        self._services.preferences.add_recent(path)
        self.save()
        self.replaced.emit()

    def save(self) -> None:
        """Save the project now; a failure is told of once."""
        self._autosave.stop()
        if self.path is None or not self.project.clip:
            return
        try:
            save(self.project, self.path)
        except FileFailed as error:
            self._tell_once(error)
            return
        if self._has_told:
            self._has_told = False
            self._services.reporter.over.emit(AUTOSAVE_FAILED)

    def save_again(self) -> None:
        """Try to save once more, and tell if it fails again."""
        self._has_told = False
        self.save()

    def _tell_once(self, error: FileFailed) -> None:
        if self._has_told:
            return
        self._has_told = True
        problem = problem_of(error, self.tr("The project cannot be saved"))
        self._services.reporter.report(
            replace(problem, reason=AUTOSAVE_FAILED), self.tr("Try again")
        )
