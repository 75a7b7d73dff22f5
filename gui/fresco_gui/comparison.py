"""What A and B are in the viewer: each the clip or any result of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from fresco_client import ClientError, Job, JobState, PictureOptions, Session
from PyQt6.QtCore import QObject, pyqtSignal

from fresco_gui.daemon.connection import DaemonConnection
from fresco_gui.jobs.control import JobControl
from fresco_gui.jobs.shown import ShownJob
from fresco_gui.jobs.words import names_of
from fresco_gui.media import ClipFrames, FetchedFrames, FrameInfo, FrameSource, MediaError
from fresco_gui.project.store import ProjectStore
from fresco_gui.viewer import ViewedSide, Viewer

_CLIP = ""


@dataclass(frozen=True)
class Sides:
    """The jobs that A and B are; empty for the clip."""

    a: str = _CLIP
    b: str = _CLIP

    def with_a(self, job_id: str) -> Sides:
        """A is another; where B was that, the two change places."""
        return self.swapped if job_id == self.b else Sides(job_id, self.b)

    def with_b(self, job_id: str) -> Sides:
        """B is another; where A was that, the two change places."""
        return self.swapped if job_id == self.a else Sides(self.a, job_id)

    @property
    def swapped(self) -> Sides:
        """The other way round."""
        return Sides(self.b, self.a)


class Comparison(QObject):
    """Lets the viewer see A and B, and the list of jobs say so.

    One of them is the job that is shown, as long as there is one: the other may be the clip or a
    result that is done.

    Signals:
        changed(): A or B is another, or called otherwise, or can be exchanged now.
        failed(str): what was to be A or B cannot be read; a sentence for the user.
    """

    changed = pyqtSignal()
    failed = pyqtSignal(str)

    def __init__(
        self,
        viewer: Viewer,
        daemon: DaemonConnection,
        project_store: ProjectStore,
        shown_job: ShownJob,
        jobs: JobControl,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._daemon = daemon
        self._project_store = project_store
        self._shown_job = shown_job
        self._jobs = jobs
        self.sides = Sides()
        self.names = ("", "")
        """What A and B are called."""
        self._job_names = ("", "")
        self._wanted: Sides | None = None
        self._shown, self._shown_id = ViewedSide(), _CLIP
        self._other: FrameSource | None = None
        self._other_id = _CLIP
        model = jobs.model
        for signal in (model.dataChanged, model.modelReset, model.rowsInserted, model.rowsRemoved):
            signal.connect(self._on_jobs)

    # What others ask

    @property
    def is_usual(self) -> bool:
        """Whether A is the clip, and B the job that is shown."""
        return self.sides == Sides(_CLIP, self._shown_id)

    @property
    def can_swap(self) -> bool:
        """Whether A and B can change places: what is not done is seen only as the job shown."""
        is_two = self.sides.a != self.sides.b
        return is_two and (self.sides.a == _CLIP or self._is_there(self.sides.b))

    def can_compare(self, job: Job | None) -> bool:
        """Whether this job can be one of the two beside any other."""
        if job is None or job.clip is None or not self._project_store.project.clip:
            return False
        is_of_clip = job.clip.path == self._project_store.project.clip
        return is_of_clip and (job.id == self._shown_id or self._is_there(job.id))

    def put_a(self, job_id: str) -> None:
        """A is to be this job."""
        self._go(self.sides.with_a(job_id))

    def put_b(self, job_id: str) -> None:
        """B is to be this job, which is shown from now on."""
        self._go(self.sides.with_b(job_id))

    def swap(self) -> None:
        """A and B change places."""
        self._go(self.sides.swapped)

    def reset(self) -> None:
        """A is the clip again, and B the job that is shown."""
        self._go(Sides(_CLIP, self._shown_id))

    # What the display says

    def begin(self) -> None:
        """Another clip is shown: A is what it was when that was left."""
        before = self._project_store.project.compared
        self.sides = Sides(before if self._is_there(before) else _CLIP, self.sides.b)
        self._refresh()

    def show(self, shown: ViewedSide, job_id: str) -> None:
        """This job is shown, and seen like this; without a job there is nothing of it."""
        self._shown = shown
        if job_id != self._shown_id:
            self._shown_id = job_id
            a = self._wanted.a if self._wanted is not None else self.sides.a
            self.sides = Sides(a if a != job_id else _CLIP, job_id)
        self._refresh()

    def end(self) -> None:
        """No clip is shown."""
        self._shown, self._shown_id = ViewedSide(), _CLIP
        self.sides = Sides()
        self._refresh()

    # Inside

    def _go(self, wanted: Sides) -> None:
        other = self._beside_shown(wanted)
        if wanted.b not in (_CLIP, self._shown_id):
            if wanted.a == self._shown_id and not self._is_there(wanted.a):
                return  # It is not done: it can only be seen as the job that is shown.
            self._show_job(wanted)
        elif other == _CLIP or self._is_there(other):
            self.sides = wanted
            self._refresh()
        self._project_store.change(compared=self.sides.a)

    def _beside_shown(self, sides: Sides) -> str:
        """That of two which is not the job that is shown, nor the clip unless both are."""
        others = (one for one in (sides.a, sides.b) if one not in (_CLIP, self._shown_id))
        return next(others, _CLIP)

    def _show_job(self, wanted: Sides) -> None:
        job = self._jobs.model.job(wanted.b)
        self._wanted = wanted
        try:
            if job is not None:
                self._shown_job.show(job)
            else:
                self._shown_job.show_version(wanted.b)
        finally:
            self._wanted = None

    def _refresh(self) -> None:
        doomed = self._open_other()
        self._job_names = self._names_of_jobs()
        a = self._side_of(self.sides.a, self._job_names[0])
        b = self._side_of(self.sides.b, self._job_names[1])
        if self.sides.b == self._shown_id == _CLIP and self._shown.frames is not None:
            b = replace(self._shown, name=self._job_names[1])  # A look, before there is a job.
        self.names = a.name, b.name
        self._viewer.set_sides(a, b)
        if doomed is not None:
            doomed.close()
        self._jobs.model.mark_sides(self.sides.a, self.sides.b)
        self.changed.emit()

    def _names_of_jobs(self) -> tuple[str, str]:
        job = self._jobs.model.job
        return names_of(job(self.sides.a), job(self.sides.b))

    def _on_jobs(self) -> None:
        if self._names_of_jobs() != self._job_names:
            self._refresh()
        else:
            self.changed.emit()  # One that has become done can be swapped.

    def _side_of(self, job_id: str, name: str) -> ViewedSide:
        if job_id == _CLIP:
            return ViewedSide(name=self.tr("source"))
        if job_id == self._shown_id:
            return replace(self._shown, name=name)
        return ViewedSide(frames=self._other, name=name, is_outside=self._is_outside)

    def _is_outside(self, index: int) -> bool:
        info = self._other.info if self._other is not None else None
        return info is not None and not info.first_index <= index < info.stop

    # The frames of the one that is not shown

    def _open_other(self) -> FrameSource | None:
        """Have the frames of what is compared with the shown job; those to be closed then."""
        wanted = self._beside_shown(self.sides)
        if wanted == self._other_id:
            return None
        before, self._other, self._other_id = self._other, self._frames_of(wanted), wanted
        if self._other is not None:
            self._other.failed.connect(partial(self._on_failed, wanted))
        return before

    def _is_there(self, job_id: str) -> bool:
        """Whether the result of a job can be had, here or from the daemon."""
        job = self._jobs.model.job(job_id)
        can_fetch = job is not None and job.state is JobState.DONE and job.plan is not None
        return self._file_of(job_id) is not None or (can_fetch and self._daemon.session is not None)

    def _file_of(self, job_id: str) -> tuple[Path, int] | None:
        made = self._project_store.made(job_id)
        if made is None or not made.result or not Path(made.result).exists():
            return None
        return Path(made.result), made.start

    def _frames_of(self, job_id: str) -> FrameSource | None:
        here = self._file_of(job_id)
        if here is not None:
            return ClipFrames(here[0], first_index=here[1])
        job, session = self._jobs.model.job(job_id), self._daemon.session
        if job is None or job.plan is None or job.clip_info is None or session is None:
            return None
        info = FrameInfo(
            path=None,
            frame_count=job.plan.stop - job.plan.start,
            frame_rate=job.clip_info.frame_rate or Fraction(24),
            width=job.clip_info.width,
            height=job.clip_info.height,
            first_index=job.plan.start,
        )
        return FetchedFrames(info, partial(_fetch, session, job.id))

    def _on_failed(self, job_id: str, sentence: str) -> None:
        if job_id == self._other_id:
            self.reset()
            self.failed.emit(sentence)


def _fetch(session: Session, job_id: str, index: int) -> bytes:
    try:
        return session.frame(job_id, "result", index, PictureOptions(encoding="png")).data
    except ClientError as error:
        raise MediaError(Path(job_id), error.message) from error
