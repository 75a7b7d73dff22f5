"""Keeps the project that is open, and saves it by itself."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fresco_client import FileFailed, Job, values_of
from fresco_media.files.disk import short_stem
from fresco_settings import titles
from PyQt6.QtCore import QCoreApplication, QObject, QTimer, pyqtSignal

from fresco_gui.problems.problem import Problem, problem_of
from fresco_gui.problems.reporter import AUTOSAVE_FAILED, PROJECT_CHANGED, PROJECT_SHARED
from fresco_gui.project.document import SUFFIX, Project, ProjectJob, ProjectLook
from fresco_gui.project.files import ProjectFiles
from fresco_gui.project.history import Fields, History, ProjectChange, UndoableStep
from fresco_gui.services import Services
from fresco_gui.values import Values

_AUTOSAVE_MS = 800


class ProjectStore(QObject):
    """The project; everybody reads it here, and changes it by `change` and its kin.

    Signals:
        replaced(): settings were chosen elsewhere than in the form, which is to show them.
        touched(): it has changed, and is saved soon.
        saved(): it is on disk as it is now.
    """

    replaced = pyqtSignal()
    touched = pyqtSignal()
    saved = pyqtSignal()

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self.project = Project()
        self.path: Path | None = None
        self.files = ProjectFiles(services.folders.state / "open")
        self.opened = 0
        """How often something was opened: the same number is the same project, wherever it is."""
        self.other: Path | None = None
        """Another state of the project, by another window or from outside."""
        self._is_told_of_other = False
        self.history = History(self)
        """Of what is open: settings, range, locks and versions."""
        self._is_closed = False
        self._has_told = False
        self._autosave = QTimer(self)
        self._autosave.setInterval(_AUTOSAVE_MS)
        self._autosave.setSingleShot(True)
        self._autosave.timeout.connect(self.save)

    def begin(self, project: Project, path: Path) -> None:
        """Keep this one from now on, at this place."""
        self._set(project, path)
        if not self.files.hold(project, path):
            self._tell_shared(path)
        self.replaced.emit()

    def end(self) -> None:
        """Keep none."""
        self._set(Project(), None)
        self.files.let_go()

    def _set(self, project: Project, path: Path | None) -> None:
        self.project, self.path = project, path
        self.opened += 1
        self._is_told_of_other = False
        self._services.reporter.over.emit(PROJECT_SHARED)
        self.history.clear()
        self._services.preferences.last_project = path

    def close(self) -> None:
        """Save what there is; nothing is saved by itself any more."""
        self._is_closed = True
        self.history.blockSignals(True)
        self.save()
        self.files.let_go()

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

    def do(self, text: str, **changes: object) -> None:
        """Change fields of the project in a way that can be undone; `text` says what in the menu.

        Changes of one text, one after the other, are one.
        """
        before = {name: getattr(self.project, name) for name in changes}
        if before == changes:
            return
        self.project = replace(self.project, **changes)  # type: ignore[arg-type]
        self.history.push(ProjectChange(text, text, before, changes, self._restore))
        self.touch()

    def choose(self, values: Values, model: str) -> None:
        """Take settings that were chosen, in a way that can be undone."""
        changed = _changed(self.project.values, values)
        if model != self.project.model:
            self.history.seal()
            text = self.tr("model")
        elif len(changed) == 1:
            if changed[0] not in values:
                self.history.seal()  # Going back to the default is a change of its own.
            text = QCoreApplication.translate("Setting", titles().get(changed[0], changed[0]))
        else:
            self.history.seal()  # Several at once are taken over, not typed.
            text = self.tr("settings")
        self.do(text, values=values, model=model)

    def _restore(self, fields: Fields) -> None:
        self.project = replace(self.project, **fields)  # type: ignore[arg-type]
        self.touch()
        self.replaced.emit()

    def remember_frame(self, frame: int) -> None:
        """The frame that is shown; saved with the next change, for playing is none."""
        self.project = replace(self.project, frame=frame)

    def reuse(self, job: Job) -> None:
        """Take over a job's settings and range."""
        values = values_of(job.settings) if job.settings else {}
        start, stop = values.pop("start", None), values.pop("stop", None)
        self.do(
            self.tr("settings of a job"),
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

    # Looks of the project

    def change_look(
        self, text: str, file: str, change: Callable[[ProjectLook], ProjectLook | None]
    ) -> None:
        """Change a look, or with None keep it no longer; undoing touches no look but this one."""
        before = next((one for one in self.project.looks if one.file == file), None)
        if before is None:
            return
        place, after = self.project.looks.index(before), change(before)

        def put(one: ProjectLook | None) -> None:
            others = [other for other in self.project.looks if other.file != file]
            if one is not None:
                others.insert(place, one)
            self.change(looks=tuple(others))
            self.replaced.emit()

        put(after)
        self.history.seal()
        self.history.push(UndoableStep(text, lambda: put(before), lambda: put(after)))

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

    def forget_made(self, job_id: str) -> None:
        """A job was given up: what was shown before it is shown again next time."""
        self.change(made=self.project.without_made(job_id).made)

    # Keyframes

    def toggle_lock(self, index: int) -> bool:
        """Lock or unlock a keyframe; whether it is locked now."""
        locked = set(self.project.locked)
        locked.symmetric_difference_update({index})
        self.do(self.tr("lock of keyframe {index}").format(index=index), locked=_sorted(locked))
        return index in locked

    def chosen_keyframes(self) -> tuple[int, ...]:
        """Keyframes that were chosen by hand for the next job."""
        return tuple(self.project.values.get("keyframes") or ())

    def choose_keyframes(self, indices: tuple[int, ...]) -> None:
        """Choose keyframes by hand; none leaves the choice to the daemon."""
        values = {name: one for name, one in self.project.values.items() if name != "keyframes"}
        chosen = {**values, "keyframes": list(indices)} if indices else values
        self.history.seal()
        self.do(self.tr("choice of keyframes"), values=chosen)
        self.replaced.emit()

    # Saving

    @property
    def has_own_place(self) -> bool:
        """Whether its user has chosen where it is saved."""
        return self.path is not None and self.path.parent != self._own_place

    @property
    def _own_place(self) -> Path:
        return self._services.folders.state / "projects"

    def autosaved_path(self, clip: Path) -> Path:
        """Where the project of a clip is saved until it gets a place of its own."""
        mark = hashlib.sha256(os.fsencode(clip)).hexdigest()[:8]
        stem = short_stem(clip) or "clip"
        return self._own_place / f"{stem}-{mark}{SUFFIX}"

    def save_as(self, path: Path) -> None:
        """Keep the project at a place of the user's from now on, whatever is there."""
        self.files.agree(path)
        self.path = path
        self._services.preferences.last_project = path
        self._services.preferences.add_recent(path)
        self.save()
        self.replaced.emit()

    def save(self) -> None:
        """Save the project now; a failure is told of once.

        Where its file holds another state by now, or another window has it open, what was changed
        here goes on in a copy beside it.
        """
        self._autosave.stop()
        if self.path is None or not self.project.clip:
            return
        try:
            self._save_at(self.path)
        except FileFailed as error:
            self._tell_once(error)
            return
        self.saved.emit()
        if self._has_told:
            self._has_told = False
            self._services.reporter.over.emit(AUTOSAVE_FAILED)

    def _save_at(self, path: Path) -> None:
        if self.files.is_ours(path):
            self.files.save(self.project, path)
            self._services.reporter.over.emit(PROJECT_SHARED)
        elif self.files.has_own(self.project, path):
            self._go_on_in_copy(path)
        elif self.files.is_changed(path):
            self._tell_changed(path)

    def _go_on_in_copy(self, path: Path) -> None:
        copy = self.files.save_copy(self.project, path)
        self.files.hold(self.project, copy)
        self.path, self.other = copy, path
        self._services.preferences.last_project = copy
        self._services.preferences.add_recent(copy)
        self._services.reporter.over.emit(PROJECT_SHARED)
        self._report_other(self.copy_sentence(path, copy))

    def copy_sentence(self, path: Path, copy: Path) -> str:
        """That what was changed here goes on in `copy`."""
        return self.tr(
            "{name} is open in another window, or was changed from outside. What you have here is "
            "kept as {copy} beside it and goes on there."
        ).format(name=self._name_of(path), copy=copy.name)

    def _tell_changed(self, path: Path) -> None:
        """Nothing was changed here that could be lost; the other state is not shown yet."""
        if self._is_told_of_other:
            return
        self._is_told_of_other, self.other = True, path
        self._report_other(
            self.tr(
                "{name} was changed by another window, or from outside, since it was opened here. "
                "Open it again to see what it holds now."
            ).format(name=self._name_of(path))
        )

    def _name_of(self, path: Path) -> str:
        """What its user calls the project at `path`: by its clip, until it has a name."""
        is_named = path.parent != self._own_place
        return path.name if is_named else Path(self.project.clip).name

    def _report_other(self, message: str) -> None:
        problem = Problem(
            title=self.tr("The project has another state"),
            message=message,
            details=str(self.other),
            reason=PROJECT_CHANGED,
        )
        self._services.reporter.report(problem, self.tr("Open the other"))

    def _tell_shared(self, path: Path) -> None:
        message = self.tr(
            "Another window has {name} open. What you change here is kept as a copy beside it, so "
            "that neither window takes anything from the other."
        ).format(name=self._name_of(path))
        title = self.tr("The project is open in another window")
        problem = Problem(title=title, message=message, details=str(path), reason=PROJECT_SHARED)
        self._services.reporter.report(problem)

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


def _changed(before: Values, after: Values) -> list[str]:
    """Names of settings that differ."""
    names = dict.fromkeys((*before, *after))
    return [name for name in names if before.get(name) != after.get(name)]


def _sorted(indices: set[int]) -> tuple[int, ...]:
    return tuple(sorted(indices))
