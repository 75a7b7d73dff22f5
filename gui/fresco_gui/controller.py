"""Joins the daemon, the project and what is being made. Knows no widgets."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import cast

from fresco_client import (
    ClientError,
    Job,
    JobState,
    KeyframeChange,
    ModelChoice,
    OutputOptions,
    PictureOptions,
    Session,
    TransferProgress,
)
from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from fresco_gui import clips
from fresco_gui.clips import ReachedClip
from fresco_gui.connection import Connection, DaemonState, DaemonView
from fresco_gui.estimate import Estimate, Measured, estimate, measured_of, work_of
from fresco_gui.faults import Problem, problem_of, problem_of_failure
from fresco_gui.jobs.follower import JobFollower
from fresco_gui.jobs.model import JobsModel
from fresco_gui.looks.maker import LookMaker, LookOrder, LookPicture
from fresco_gui.preferences import DaemonChoice, Folders, Preferences
from fresco_gui.project import (
    Made,
    Project,
    ProjectUnreadable,
    find_moved,
    fingerprint_of,
    load,
    save,
)
from fresco_gui.project.document import SUFFIX
from fresco_gui.stream import Workers
from fresco_gui.values import OF_ONE_CLIP, Values, settings_of, values_of

_log = logging.getLogger(__name__)
_JOBS_MS = 1500
_JOBS_SHOWN = 200
_AUTOSAVE_MS = 800
_LOOK_AFTER_CLIP_MS = 3000
_OPEN = frozenset(state for state in JobState if not state.is_ended)
CLIP_GONE = "CLIP_GONE"
DAEMON_AWAY = "DAEMON_AWAY"
FETCH_FAILED = "FETCH_FAILED"
AUTOSAVE_FAILED = "AUTOSAVE_FAILED"


class Controller(QObject):
    """The app without its window.

    Signals:
        daemon_changed(DaemonState, str): how the daemon is, and why.
        daemon_seen(DaemonView): what it is and has.
        clip_opened(Path): this clip is to be shown; the project is set.
        clip_reached(ReachedClip): the daemon can read it.
        clip_closed(): there is no clip any more.
        sending(TransferProgress): the clip is on its way to the daemon.
        job_followed(JobFollower): this job is shown from now on.
        result_here(Made): its result can be shown.
        estimated(Estimate): what a restyle will cost; None without a clip.
        project_changed(): the project has other content or another place.
        problem(Problem, str): something went wrong; the text of a button that may help, or "".
        problem_over(str): problems of this reason are over.
        possible_changed(): whether something can be started may have changed.
    """

    daemon_changed = pyqtSignal(object, str)
    daemon_seen = pyqtSignal(object)
    clip_opened = pyqtSignal(object)
    clip_reached = pyqtSignal(object)
    clip_closed = pyqtSignal()
    sending = pyqtSignal(object)
    job_followed = pyqtSignal(object)
    result_here = pyqtSignal(object)
    estimated = pyqtSignal(object)
    project_changed = pyqtSignal()
    problem = pyqtSignal(object, str)
    problem_over = pyqtSignal(str)
    possible_changed = pyqtSignal()

    def __init__(
        self, preferences: Preferences, folders: Folders, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.preferences = preferences
        self.folders = folders
        self.workers = Workers(self)
        self.jobs = JobsModel(self)
        self.looks = LookMaker(self.workers, self)
        self.session: Session | None = None
        self.view: DaemonView | None = None
        self.state = DaemonState.STARTING
        self.project = Project()
        self.project_path: Path | None = None
        self.clip: ReachedClip | None = None
        self.follower: JobFollower | None = None
        self._connection: Connection | None = None
        self._is_closing = False
        self._is_listing = False
        self._is_submitting = False
        self._is_gone = False
        self._has_told_of_autosave = False
        self._look_s: float | None = None
        self._measured: dict[str, Measured | None] = {}
        self._jobs_timer = self._timer(_JOBS_MS, self.refresh_jobs)
        self._clip_timer = self._timer(_LOOK_AFTER_CLIP_MS, self._look_after_clip)
        self._autosave = self._timer(_AUTOSAVE_MS, self.autosave, is_single=True)
        self._estimate_timer = self._timer(150, self._estimate, is_single=True)
        self.looks.arrived.connect(self._on_look_arrived)
        self.looks.failed.connect(self._on_look_failed)
        self.jobs.refreshed.connect(self._estimate_timer.start)

    def _timer(self, span_ms: int, run: object, *, is_single: bool = False) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(span_ms)
        timer.setSingleShot(is_single)
        timer.timeout.connect(run)  # type: ignore[arg-type]
        return timer

    # The daemon

    def start(self, choice: DaemonChoice | None = None) -> None:
        """Look for the daemon, and start it if none runs."""
        if self._connection is not None:
            self._connection.stop()
            self._connection.wait(5000)
        connection = Connection(choice or self.preferences.daemon, self)
        connection.state_changed.connect(self._on_state)
        connection.opened.connect(self._on_opened)
        connection.seen.connect(self._on_seen)
        self._connection = connection
        connection.start()
        self._jobs_timer.start()
        self._clip_timer.start()

    def close(self) -> None:
        """End all work here; jobs of the daemon go on."""
        self._is_closing = True
        for timer in (self._jobs_timer, self._clip_timer, self._estimate_timer, self._autosave):
            timer.stop()
        self.autosave()
        if self.follower is not None:
            self.follower.stop()
        self.looks.cancel()
        self.workers.stop_all()
        if self._connection is not None:
            self._connection.stop()
            self._connection.wait(5000)
        if not self.workers.wait_all(5000):
            _log.warning("some threads have not ended in time")
        self.preferences.save()

    def look_at_daemon(self) -> None:
        """Ask the daemon anew what it has."""
        if self._connection is not None:
            self._connection.look_now()

    def _on_state(self, state: DaemonState, why: str) -> None:
        self.state = state
        if state.is_connected:
            self.problem_over.emit(DAEMON_AWAY)
        elif why:
            title = self.tr("No daemon")
            self._tell(Problem(title=title, message=why, reason=DAEMON_AWAY), self.tr("Try again"))
        self.daemon_changed.emit(state, why)
        self.possible_changed.emit()

    def _on_opened(self, session: object) -> None:
        assert isinstance(session, Session)
        self.session = session
        self.refresh_jobs()
        if self.project.clip:
            self.reach_clip()
        self.resume_following()

    def _on_seen(self, view: DaemonView) -> None:
        self.view = view
        self.daemon_seen.emit(view)
        self.possible_changed.emit()

    # Jobs

    def refresh_jobs(self) -> None:
        """List the daemon's jobs."""
        session = self.session
        if session is None or self._is_listing or self._is_closing or not self.state.is_connected:
            return
        self._is_listing = True
        self.workers.call(
            lambda: list(islice(session.jobs(), _JOBS_SHOWN)), self._on_jobs, self._on_jobs_failed
        )

    def _on_jobs(self, jobs: object) -> None:
        self._is_listing = False
        self.jobs.show(cast(list[Job], jobs))

    def _on_jobs_failed(self, error: Exception) -> None:
        self._is_listing = False
        _log.info("jobs cannot be listed: %s", error)

    def open_jobs(self) -> list[Job]:
        """Jobs that run or wait to."""
        return [
            job
            for job in self.jobs.jobs
            if not job.state.is_ended and job.state is not JobState.PAUSED
        ]

    def pause(self, job: Job) -> None:
        """Let a job stop for now."""
        self._act(job, "pause", self.tr("The job cannot be paused"))

    def resume(self, job: Job) -> None:
        """Let a job go on."""
        self._act(job, "resume", self.tr("The job cannot go on"))

    def cancel(self, job: Job) -> None:
        """End a job for good."""
        self._act(job, "cancel", self.tr("The job cannot be cancelled"))

    def _act(self, job: Job, verb: str, title: str) -> None:
        session = self.session
        if session is None:
            return
        act = getattr(session, verb)

        def done(changed: object) -> None:
            if isinstance(changed, Job):
                self.jobs.put(changed)
                if verb == "resume" and self._shown_id() == job.id:
                    self.follow(job.id)

        self.workers.call(lambda: act(job.id), done, lambda error: self.tell(error, title))

    def delete(self, job: Job) -> None:
        """Forget a job and what the daemon has of it."""
        session = self.session
        if session is None:
            return
        title = self.tr("The job cannot be deleted")
        self.workers.call(
            lambda: session.delete(job.id),
            lambda _: self.jobs.remove(job.id),
            lambda error: self.tell(error, title),
        )

    def _shown_id(self) -> str:
        return self.follower.job_id if self.follower else ""

    def shown_job(self) -> Job | None:
        """The job whose result is shown."""
        return self.jobs.job(self._shown_id())

    # The clip

    def open_path(self, path: Path) -> None:
        """Open a project, or a clip with the project that was autosaved for it."""
        if path.suffix == SUFFIX:
            self.open_project(path)
        else:
            self.open_clip(path)

    def open_clip(self, path: Path, frame_rate: Fraction | None = None) -> None:
        """Open a clip; what was chosen for it before is there again."""
        path = path.expanduser().absolute()
        place = self._autosaved(path)
        project = Project()
        if place.exists():
            try:
                project = load(place)
            except ProjectUnreadable as error:
                self.tell(error, self.tr("The autosaved project cannot be read"))
        elif self.project.values:
            # The look is carried on to the next clip; what belongs to a clip is not.
            carried = {
                name: one for name, one in self.project.values.items() if name not in OF_ONE_CLIP
            }
            project = replace(project, values=carried, model=self.project.model)
        rate = str(frame_rate) if frame_rate else project.frame_rate
        self._open(replace(project, clip=str(path), frame_rate=rate), place)
        self.preferences.add_recent(path)

    def open_project(self, path: Path) -> None:
        """Open a project file."""
        try:
            project = load(path)
        except ProjectUnreadable as error:
            self.tell(error, self.tr("The project cannot be opened"))
            return
        self._open(project, path)
        self.preferences.add_recent(path)

    def save_project_as(self, path: Path) -> None:
        """Keep the project at a place of the user's from now on."""
        path = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
        self.project_path = path
        self.preferences.last_project = path
        self.preferences.add_recent(path)
        self.autosave()
        self.project_changed.emit()

    def restore(self) -> None:
        """Open what was open when the app was last closed."""
        path = self.preferences.last_project
        if path is not None and path.exists() and self.preferences.restores_session:
            self.open_project(path)

    def close_clip(self) -> None:
        """Go back to the empty window."""
        self.autosave()
        self._let_go()
        self.project, self.project_path = Project(), None
        self.preferences.last_project = None
        self.clip_closed.emit()
        self.possible_changed.emit()

    def relink(self, path: Path) -> None:
        """The clip is elsewhere now."""
        self.project = replace(self.project, clip=str(path))
        self._is_gone = False
        self.problem_over.emit(CLIP_GONE)
        self.clip = None
        self.touch()
        self.clip_opened.emit(path)
        self.reach_clip()

    def reach_clip(self) -> None:
        """Have the daemon look at the clip."""
        session, path = self.session, Path(self.project.clip)
        if session is None or not self.project.clip:
            return
        rate = self.project.rate
        self.workers.call(
            lambda: clips.reach(session, path, rate, self._on_transfer),
            self._on_reached,
            self._on_unreachable,
        )

    def _on_transfer(self, progress: TransferProgress) -> None:
        # On the worker's thread; the signal brings it to the GUI thread.
        self.sending.emit(progress)

    def _open(self, project: Project, place: Path) -> None:
        self.autosave()
        self._let_go()
        self.project, self.project_path = project, place
        self.preferences.last_project = place
        path = Path(project.clip)
        self.project_changed.emit()
        if not path.exists() and "%" not in path.name:
            self._look_for_moved(path)
            return
        self.clip_opened.emit(path)
        self.reach_clip()
        self._keep_fingerprint(path)
        self.resume_following()
        self.touch()

    def _let_go(self) -> None:
        if self.follower is not None:
            self.follower.stop()
            self.follower = None
        self.looks.cancel()
        self.clip = None
        self._is_gone = False
        self._look_s = None
        self.problem_over.emit(CLIP_GONE)

    def _on_reached(self, clip: object) -> None:
        assert isinstance(clip, ReachedClip)
        if str(clip.path) != self.project.clip:
            return
        self.clip = clip
        self.clip_reached.emit(clip)
        self._estimate_timer.start()
        self.possible_changed.emit()

    def _on_unreachable(self, error: Exception) -> None:
        if not Path(self.project.clip).exists():
            self._tell_gone()
            return
        self.tell(error, self.tr("The clip cannot be opened"))

    def _keep_fingerprint(self, path: Path) -> None:
        def known(fingerprint: object) -> None:
            if str(path) == self.project.clip and fingerprint:
                self.project = replace(self.project, clip_fingerprint=str(fingerprint))
                self.touch()

        self.workers.call(lambda: fingerprint_of(path), known)

    def _look_for_moved(self, path: Path) -> None:
        place, fingerprint = self.project_path, self.project.clip_fingerprint
        folders = [path.parent, path.parent.parent, *(one.parent for one in self._recent())]
        if place is not None:
            folders.insert(0, place.parent)

        def found(moved: object) -> None:
            if self.project.clip != str(path):
                return
            if isinstance(moved, Path):
                self.relink(moved)
                self.resume_following()
            else:
                self._tell_gone()

        self.workers.call(lambda: find_moved(path, fingerprint, folders), found)

    def _recent(self) -> Iterable[Path]:
        return self.preferences.recent

    def _look_after_clip(self) -> None:
        """Tell when the clip's file is gone, and when it is back."""
        path = Path(self.project.clip)
        if not self.project.clip or "%" in path.name:
            return

        def known(is_there: object) -> None:
            if str(path) != self.project.clip or bool(is_there) is not self._is_gone:
                return
            if is_there:
                self._is_gone = False
                self.problem_over.emit(CLIP_GONE)
                self.reach_clip()
            else:
                self._tell_gone()

        self.workers.call(path.exists, known)

    def _tell_gone(self) -> None:
        self._is_gone = True
        message = self.tr(
            "{name} is not where it was. Put it back, or say where it is now; results and settings "
            "are kept."
        ).format(name=Path(self.project.clip).name)
        problem = Problem(
            title=self.tr("The clip is gone"),
            message=message,
            details=self.project.clip,
            reason=CLIP_GONE,
        )
        self._tell(problem, self.tr("Locate…"))
        self.possible_changed.emit()

    # The project

    def touch(self) -> None:
        """The project has changed: save it soon."""
        if self.project_path is not None and not self._is_closing:
            self._autosave.start()
        self._estimate_timer.start()

    def change(self, **changes: object) -> None:
        """Change fields of the project."""
        changed = replace(self.project, **changes)  # type: ignore[arg-type]
        if changed != self.project:
            self.project = changed
            self.touch()

    def remember_frame(self, frame: int) -> None:
        """The frame that is shown; saved with the next change, for playing is none."""
        self.project = replace(self.project, frame=frame)

    def autosave(self) -> None:
        """Save the project now."""
        self._autosave.stop()
        if self.project_path is None or not self.project.clip:
            return
        try:
            save(self.project, self.project_path)
        except OSError as error:
            if not self._has_told_of_autosave:
                self._has_told_of_autosave = True
                problem = problem_of(error, self.tr("The project cannot be saved"))
                self._tell(replace(problem, reason=AUTOSAVE_FAILED), self.tr("Try again"))
            return
        if self._has_told_of_autosave:
            self._has_told_of_autosave = False
            self.problem_over.emit(AUTOSAVE_FAILED)

    def save_again(self) -> None:
        """Try to save once more, and tell if it fails again."""
        self._has_told_of_autosave = False
        self.autosave()

    def _autosaved(self, clip: Path) -> Path:
        """Where the project of a clip is autosaved until it gets a place of its own."""
        mark = hashlib.sha256(str(clip).encode()).hexdigest()[:8]
        stem = clip.stem.replace("%", "_") or "clip"
        return self.folders.state / "projects" / f"{stem}-{mark}{SUFFIX}"

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
        self.project_changed.emit()

    # Making

    def why_not(self) -> str:
        """Why nothing can be started now; empty if it can."""
        if not self.project.clip:
            return self.tr("Open a clip first.")
        if self._is_gone:
            return self.tr("The clip is gone.")
        if not self.state.is_connected:
            return self.tr("The daemon is not there yet.")
        if self.clip is None:
            return self.tr("The daemon looks at the clip.")
        if self._is_submitting:
            return self.tr("The job is being handed over.")
        values = self.project.values
        if not (str(values.get("prompt") or "").strip() or values.get("style")):
            return self.tr("Write a prompt or choose a style first.")
        return ""

    def _model(self) -> ModelChoice | None:
        return ModelChoice(source=self.project.model) if self.project.model else None

    def look(self, frame: int, count: int) -> None:
        """Restyle a frame with several seeds."""
        if self.session is None or self.clip is None or self.why_not():
            return
        first = int(self.project.values.get("seed") or 0)
        settings = settings_of({**self.project.values, "start": None, "stop": None})
        self.looks.make(
            self.session,
            LookOrder(
                clip=self.clip.source,
                index=frame,
                settings=settings,
                model=self._model(),
                seeds=tuple(first + offset for offset in range(count)),
            ),
        )

    def _on_look_arrived(self, look: LookPicture) -> None:
        self._look_s = look.seconds
        self._estimate_timer.start()

    def _on_look_failed(self, error: Exception) -> None:
        self.tell(error, self.tr("The look could not be made"))

    def restyle(self) -> None:
        """Have the clip, or its range, restyled."""
        session, clip = self.session, self.clip
        if session is None or clip is None or self.why_not():
            return
        settings = settings_of(self._values_with_range())
        is_lossless = self.preferences.is_lossless
        output = OutputOptions(kind="lossless" if is_lossless else "h264", container="mp4")
        title, model = clip.path.name, self._model()
        self._submit(
            lambda: session.submit(clip.source, settings, model=model, output=output, title=title),
            self.tr("The job could not be started"),
        )

    def reroll(self, changes: tuple[KeyframeChange, ...]) -> None:
        """Translate keyframes of the finished job anew; only what depends on them is recomputed."""
        session, job_id = self.session, self._shown_id()
        if session is None or not job_id:
            return
        self._submit(
            lambda: session.reroll(job_id, changes), self.tr("The keyframe cannot be rerolled")
        )

    def reroll_unlocked(self) -> None:
        """Reroll all keyframes of the finished job but the locked ones."""
        job = self.shown_job()
        if job is None or job.plan is None:
            return
        free = [index for index in job.plan.keyframes if index not in self.project.locked]
        if free:
            self.reroll(tuple(KeyframeChange(index=index) for index in free))

    def _submit(self, submit: object, title: str) -> None:
        self._is_submitting = True
        self.possible_changed.emit()

        def done(job: object) -> None:
            self._is_submitting = False
            assert isinstance(job, Job)
            self.jobs.put(job)
            start = (job.settings.start if job.settings else None) or 0
            made = Made(job_id=job.id, title=job.title, start=start)
            self.change(made=self.project.with_made(made).made)
            self.autosave()
            self.follow(job.id)
            self.possible_changed.emit()

        def failed(error: Exception) -> None:
            self._is_submitting = False
            self.tell(error, title)
            self.possible_changed.emit()

        self.workers.call(submit, done, failed)  # type: ignore[arg-type]

    def _values_with_range(self) -> Values:
        values = dict(self.project.values)
        if self.project.range_in is not None:
            values["start"] = self.project.range_in
        if self.project.range_out is not None:
            values["stop"] = self.project.range_out + 1
        return values

    # Following

    def resume_following(self) -> None:
        """Show the newest job of the project, from its result or from the daemon."""
        if not self.project.made or not self.project.clip or self._is_gone:
            return
        made = self.project.made[0]
        if self.follower is None and made.result and Path(made.result).exists():
            self.result_here.emit(made)
        if self.session is not None and self.follower is None:
            self.follow(made.job_id)

    def follow(self, job_id: str) -> None:
        """Show a job from now on."""
        if self.session is None:
            return
        if self.follower is not None:
            self.follower.stop()
            self.follower.deleteLater()
        made = self._made(job_id)
        is_here = made is not None and bool(made.result) and Path(made.result).exists()
        side = self.preferences.preview_side
        pictures = None if is_here else PictureOptions(encoding="jpeg", long_side=side)
        follower = JobFollower(self.session, job_id, self.workers, pictures, self)
        self.follower = follower
        follower.progressed.connect(partial(self.jobs.move_on, job_id))
        follower.state_changed.connect(self._on_job_state)
        follower.finished.connect(self._on_finished)
        follower.fetched.connect(self._on_fetched)
        follower.fetch_failed.connect(self._on_fetch_failed)
        follower.job_failed.connect(self._on_job_failed)
        follower.failed.connect(self._on_follow_failed)
        self.job_followed.emit(follower)
        follower.start()

    def fetch_again(self) -> None:
        """Try once more to put the result here."""
        self._on_finished(None)

    def result_path(self, job_id: str) -> Path:
        """Where the result of a job is put."""
        folder = self.preferences.results or self.folders.results
        stem = Path(self.project.clip).stem.replace("%", "_") or "result"
        return folder / f"{stem}-{job_id[:8]}.mp4"

    def _made(self, job_id: str) -> Made | None:
        return next((made for made in self.project.made if made.job_id == job_id), None)

    def _on_job_state(self, state: JobState) -> None:
        self.refresh_jobs()
        self.possible_changed.emit()
        if state in _OPEN:
            return
        self._estimate_timer.start()

    def _on_finished(self, _: object) -> None:
        follower = self.follower
        if follower is None:
            return
        made = self._made(follower.job_id)
        if made is not None and made.result and Path(made.result).exists():
            self.result_here.emit(made)
            return
        follower.fetch(self.result_path(follower.job_id))

    def _on_fetched(self, path: object) -> None:
        follower = self.follower
        made = self._made(follower.job_id) if follower else None
        if follower is None:
            return
        job = self.jobs.job(follower.job_id)
        start = job.plan.start if job and job.plan else made.start if made else 0
        title = made.title if made else ""
        whole = Made(job_id=follower.job_id, title=title, result=str(path), start=start)
        self.change(made=self.project.with_made(whole).made)
        self.autosave()
        self.problem_over.emit(FETCH_FAILED)
        self.result_here.emit(whole)

    def _on_fetch_failed(self, error: object) -> None:
        assert isinstance(error, Exception)
        problem = problem_of(error, self.tr("The result could not be put here"))
        text = self.tr("{message} The daemon keeps the result; nothing is lost.").format(
            message=problem.message
        )
        self._tell(replace(problem, message=text, reason=FETCH_FAILED), self.tr("Fetch again"))

    def _on_job_failed(self, failure: object) -> None:
        follower = self.follower
        if follower is None:
            return
        problem = problem_of_failure(
            failure,  # type: ignore[arg-type]
            follower.job_id,
            self.tr("The job has failed"),
        )
        self._tell(problem, self.tr("Go on") if problem.can_resume else "")

    def _on_follow_failed(self, error: object) -> None:
        assert isinstance(error, Exception)
        job_id = self._shown_id()
        self.follower = None
        made = self._made(job_id)
        if made is not None and made.result:
            # Deleted at the daemon, which takes nothing from what is here.
            _log.info("job %s cannot be followed: %s", job_id, error)
            return
        self.tell(error, self.tr("The job cannot be followed"))

    def reuse(self, job: Job) -> Values:
        """Take over a job's settings; they are given back for the form."""
        values = values_of(job.settings) if job.settings else {}
        start, stop = values.pop("start", None), values.pop("stop", None)
        self.change(
            values=values,
            model=job.model.source if job.model else "",
            range_in=start,
            range_out=None if stop is None else stop - 1,
        )
        return values

    def show_job(self, job: Job) -> None:
        """Show a job of the history, with its clip."""
        path = job.clip.path if job.clip else None
        if path and path != self.project.clip and Path(path).exists():
            self.open_clip(Path(path))
        if not path or path != self.project.clip:
            message = self.tr("The clip of this job is not on this machine, or is gone.")
            self._tell(Problem(title=self.tr("The job cannot be shown"), message=message))
            return
        if self._made(job.id) is None:
            start = job.plan.start if job.plan else 0
            made = Made(job_id=job.id, title=job.title, start=start)
            self.change(made=self.project.with_made(made).made)
        made = self._made(job.id)
        if made is not None:
            others = tuple(one for one in self.project.made if one.job_id != job.id)
            self.change(made=(made, *others))
        self.follow(job.id)

    # Costs

    def _estimate(self) -> None:
        if self.clip is None or self._is_closing:
            self.estimated.emit(None)
            return
        for job in self.jobs.jobs:
            if job.state is JobState.DONE and job.id not in self._measured:
                self._measured[job.id] = measured_of(job)
        values, info = self._values_with_range(), self.clip.info
        stop = int(values.get("stop") or info.frame_count)
        frames = max(stop - int(values.get("start") or 0), 1)
        models = self.view.models if self.view else ()
        model = next((one for one in models if one.source == self.project.model), None)
        found: Estimate = estimate(
            work_of(frames, info.width, info.height, values),
            values,
            self.project.model,
            [one for one in self._measured.values() if one is not None],
            look_s=self._look_s,
            model_bytes=model.memory_bytes if model else 0,
        )
        self.estimated.emit(found)

    # Telling

    def tell(self, error: Exception, title: str) -> None:
        """An error becomes something the user sees."""
        if self._is_closing:
            return
        if not isinstance(error, ClientError | OSError | ProjectUnreadable):
            _log.error("an unexpected fault", exc_info=error)
        self._tell(problem_of(error, title))

    def _tell(self, problem: Problem, action: str = "") -> None:
        _log.warning("%s: %s", problem.title, problem.message)
        self.problem.emit(problem, action)
