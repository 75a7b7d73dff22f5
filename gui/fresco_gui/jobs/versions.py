"""Versions of a result: a change of keyframes makes a new one, and none takes an old one away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fresco_client import Job, JobState, KeyframeChange
from PyQt6.QtCore import QCoreApplication, QObject

from fresco_gui.jobs.control import JobControl
from fresco_gui.jobs.shown import ShownJob
from fresco_gui.jobs.starter import JobStarter
from fresco_gui.project import ProjectJob
from fresco_gui.project.history import UndoableStep
from fresco_gui.project.store import ProjectStore

Spans = tuple[tuple[int, int], ...]
translate = QCoreApplication.translate


class Versions(QObject):
    """Makes versions, and goes back from one to the one before."""

    def __init__(
        self,
        project_store: ProjectStore,
        jobs: JobControl,
        starter: JobStarter,
        shown_job: ShownJob,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project_store = project_store
        self._jobs = jobs
        self._starter = starter
        self._shown_job = shown_job
        self._changes: dict[str, UndoableStep] = {}
        starter.submitted.connect(self._on_submitted)
        shown_job.cancelled.connect(self._on_cancelled)

    def make(self, changes: Sequence[KeyframeChange]) -> None:
        """Have keyframes of the job that is shown changed; what depends on them is made anew."""
        job = self._shown_job.job()
        if job is None or job.plan is None:
            return
        spans = remade_spans(
            job.plan.keyframes, [(shot.start, shot.stop) for shot in job.plan.shots], changes
        )
        version = ProjectJob(
            job_id="",
            title=job.title,
            start=job.plan.start,
            parent=job.id,
            changes=tuple((change.kind, change.index) for change in changes),
            remade=spans,
        )
        self._project_store.history.seal()
        self._starter.reroll(version, tuple(changes), lambda made: self._add(made, changes))

    def _add(self, version: ProjectJob, changes: Sequence[KeyframeChange]) -> None:
        """A version is being made: undoing gives it up, or shows the one before."""
        shown = [version]

        def undo() -> None:
            self._leave(shown[0])

        def redo() -> None:
            known = self._project_store.made(shown[0].job_id)
            if known is not None:
                self._shown_job.show_version(known.job_id)
            else:
                self._starter.reroll(shown[0], tuple(changes), made_again)

        def made_again(made: ProjectJob) -> None:
            shown.insert(0, made)
            self._changes[made.job_id] = change

        change = UndoableStep(words_of_changes(version.changes), undo, redo)
        self._changes[version.job_id] = change
        self._project_store.history.push(change)

    def _leave(self, version: ProjectJob) -> None:
        """Show what was there before; what is not done yet is given up."""
        self._shown_job.show_version(version.parent)
        job, known = (
            self._jobs.model.job(version.job_id),
            self._project_store.made(version.job_id),
        )
        is_done = job is not None and job.state is JobState.DONE
        if known is not None and not known.result and not is_done:
            self._project_store.forget_made(version.job_id)
        if job is not None and not job.state.is_ended:
            self._jobs.cancel(job)

    def _on_submitted(self, job: Job, version: ProjectJob) -> None:
        self._shown_job.take(job, version)

    def _on_cancelled(self, job_id: str) -> None:
        """What was shown before is shown again; without anything before, what there is stays."""
        history, made = self._project_store.history, self._project_store.project.made
        if history.index() and history.command(history.index() - 1) is self._changes.get(job_id):
            history.undo()
            return
        before = next((one.job_id for one in made if one.result and one.job_id != job_id), "")
        if before:
            self._project_store.forget_made(job_id)
            self._shown_job.show_version(before)


def remade_spans(
    keyframes: Iterable[int], shots: Iterable[tuple[int, int]], changes: Iterable[KeyframeChange]
) -> Spans:
    """The frames that a change of keyframes makes anew: up to the neighbours that stay.

    Args:
        keyframes: those before the change, source frames.
        shots: first frame and one past the last.
        changes: what is done to them.
    """
    listed = tuple(changes)
    before = set(keyframes)
    gone = {one.index for one in listed if one.kind == "remove"}
    added = {one.index for one in listed if one.kind in ("add", "replace")}
    found: set[int] = set()
    for keys, wanted in (
        (before, {one.index for one in listed} & before),
        ((before - gone) | added, {one.index for one in listed} - gone),
    ):
        for key in wanted:
            first, stop = next((a, b) for a, b in shots if a <= key < b)
            inside = [other for other in keys if first <= other < stop]
            left = max((other for other in inside if other < key), default=key - 1)
            right = min((other for other in inside if other > key), default=key + 1)
            found.update(range(left + 1, right))
    return _spans(sorted(found))


def _spans(indices: Sequence[int]) -> Spans:
    spans: list[tuple[int, int]] = []
    for index in indices:
        if spans and spans[-1][1] == index:
            spans[-1] = (spans[-1][0], index + 1)
        else:
            spans.append((index, index + 1))
    return tuple(spans)


def words_of_changes(changes: Sequence[tuple[str, int]]) -> str:
    """What makes a version another one than its parent, for menus and cards."""
    kinds = {kind for kind, _ in changes}
    if kinds == {"add", "remove"} and len(changes) == 2:
        places = dict(changes)
        return translate("versions", "keyframe {a} moved to {b}").format(
            a=places["remove"], b=places["add"]
        )
    if len(changes) > 1:
        return translate("versions", "{count} keyframes anew").format(count=len(changes))
    if not changes:
        return translate("versions", "another version")
    ((kind, index),) = changes
    words = {
        "reroll": translate("versions", "keyframe {index} anew"),
        "add": translate("versions", "keyframe {index} added"),
        "remove": translate("versions", "keyframe {index} removed"),
        "replace": translate("versions", "keyframe {index} painted"),
    }
    return words.get(kind, "{index}").format(index=index)
