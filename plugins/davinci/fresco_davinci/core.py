"""What the commands do. There is no Resolve in it: `Host` is all it knows of that."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from fresco_client import (
    CallFailed,
    ClipSource,
    FileFailed,
    Job,
    JobState,
    NotFound,
    NotPossibleNow,
    OutputOptions,
    Picture,
    PictureOptions,
    RestyleSettings,
    Session,
)

from fresco_davinci.choices import StoredChoices, save_choices
from fresco_davinci.clips import ClipRange, PlacedResult, TimelineInfo
from fresco_davinci.errors import CannotRestyle, HostRefused, NotReady, RenderFailed, ResolveError
from fresco_davinci.host import Host
from fresco_davinci.pending_jobs import PendingJob, PendingJobStore
from fresco_davinci.plugin_folders import PluginFolders
from fresco_davinci.remedies import in_resolve
from fresco_davinci.results import fetch
from fresco_davinci.sources import FileSource, RenderSource, source_of

Wait = Callable[[float], None]
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ReadableFrames:
    """Frames of a part that the daemon can read: `first` counts as the daemon does."""

    clip: ClipSource
    first: int
    rendered: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a pending job: placed, failed, or still at work."""

    pending: PendingJob
    job: Job | None
    placed: PlacedResult | None = None
    problem: str = ""
    """A sentence; empty if all is well."""


class Restyler:
    """Restyles clips of the timeline that `host` shows, with jobs of the daemon of `session`.

    `wait` is how it waits for Resolve, `tell` is told sentences that may interest the editor.
    """

    def __init__(
        self, host: Host, session: Session, plugin_folders: PluginFolders, *, wait: Wait, tell: Tell
    ) -> None:
        self._host = host
        self._session = session
        self._folders = plugin_folders
        self._store = PendingJobStore(plugin_folders.pending_jobs)
        self._wait = wait
        self._tell = tell

    def current(self) -> ClipRange:
        """The whole clip under the playhead."""
        clip = self._host.current_clip()
        return ClipRange(clip=clip, first=clip.start, count=clip.duration)

    def marked(self, choices: StoredChoices) -> list[ClipRange]:
        """Parts of clips between the marks; whole clips if the results are to be takes."""
        parts = self._host.clips_between_marks()
        if choices.place != "take":
            return parts
        return [replace(part, first=part.clip.start, count=part.clip.duration) for part in parts]

    def restyle(self, parts: Sequence[ClipRange], choices: StoredChoices) -> list[PendingJob]:
        """Hand parts of clips to the daemon. The choices become the last settings.

        Of several, those that cannot be restyled are told of and passed over.

        Raises:
            ResolveError, ClientError: the first that failed; those before it are at work.
        """
        if not choices.is_complete:
            raise NotReady("Say first what the clip is to look like: a prompt or a style.")
        timeline = self._host.timeline()
        pending_jobs: list[PendingJob] = []
        refused: list[CannotRestyle] = []
        for part in parts:
            try:
                pending_jobs.append(self._hand_over_range(part, timeline, choices))
            except CannotRestyle as error:
                refused.append(error)
        if not pending_jobs and refused:
            raise refused[0]
        for error in refused:
            self._tell(in_resolve(error))
        save_choices(self._folders.choices, choices)
        return pending_jobs

    def _hand_over_range(
        self, part: ClipRange, timeline: TimelineInfo, choices: StoredChoices
    ) -> PendingJob:
        job_id = uuid.uuid4().hex
        ready = self._ready(part, timeline, choices, job_id)
        pending = PendingJob(
            job_id=job_id,
            project_id=timeline.project_id,
            timeline_id=timeline.timeline_id,
            item_id=part.clip.item_id,
            name=part.clip.name,
            start=part.clip.start,
            duration=part.clip.duration,
            left=part.clip.left,
            first=part.first,
            count=part.count,
            rate=str(timeline.rate),
            color=part.clip.color,
            choices=choices,
            rendered=str(ready.rendered or ""),
            is_sequence=not timeline.reads_h264,
        )
        with self._store.held(), self._taken_back_on_failure(pending):
            self._store.save(pending)
            self._host.mark(pending)
            self._submit(pending, ready)
            return self._store.submitted(pending)

    @contextmanager
    def _taken_back_on_failure(self, pending: PendingJob) -> Generator[None, None, None]:
        try:
            yield
        except BaseException:
            # Where Resolve does not let itself be tidied up now, the next update does it.
            with suppress(ResolveError):
                self._finish(pending)
            raise

    def _submit(self, pending: PendingJob, ready: ReadableFrames) -> None:
        self._session.submit(
            ready.clip,
            pending.choices.settings(ready.first, ready.first + pending.count),
            output=OutputOptions(kind="frames") if pending.is_sequence else OutputOptions(),
            title=pending.title,
            job_id=pending.job_id,
        )

    def _ready(
        self, part: ClipRange, timeline: TimelineInfo, choices: StoredChoices, name: str
    ) -> ReadableFrames:
        source = source_of(part, timeline.rate, choices.pixels)
        if isinstance(source, FileSource):
            found = self._in_file(source)
            if found is not None:
                return found
            if choices.pixels == "file":
                raise CannotRestyle(
                    part.clip.name,
                    "is in a file that Resolve and Fresco count differently. Choose automatic or "
                    "render as the source of frames.",
                )
            source = RenderSource(reason="is in a file that Fresco cannot read frame by frame")
        return self._rendered(part, source, name)

    def _in_file(self, source: FileSource) -> ReadableFrames | None:
        """The frames in their file; None if the daemon cannot read it, or counts differently."""
        try:
            info = self._session.describe_clip(source.clip)
        except CallFailed:
            return None
        first = source.first_index(info)
        return None if first is None else ReadableFrames(clip=source.clip, first=first)

    def _rendered(self, part: ClipRange, source: RenderSource, name: str) -> ReadableFrames:
        self._tell(f"“{part.clip.name}” {source.reason}, so that Resolve renders it first.")
        self._folders.renders.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="render-", dir=self._folders.renders))
        try:
            file = self._host.render(part, folder, self._wait)
            info = self._session.describe_clip(ClipSource(path=str(file)))
            if info.frame_count != part.count:
                raise RenderFailed(
                    f"DaVinci Resolve rendered {info.frame_count} frames instead of {part.count}. "
                    "Look at the in and out points on its Deliver page, then try again."
                )
            kept = self._folders.renders / f"{name}{file.suffix}"
            file.replace(kept)
            return ReadableFrames(clip=ClipSource(path=str(kept)), first=0, rendered=kept)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def look(
        self, choices: StoredChoices, on_step: Callable[[int, int], None] | None = None
    ) -> Picture:
        """The frame under the playhead, restyled.

        Raises:
            NotReady: there is no prompt or no clip there.
        """
        if not choices.is_complete:
            raise NotReady("Say first what the clip is to look like: a prompt or a style.")
        with self._frame(choices) as (clip, index):
            settings = replace(choices.settings(0, 1), start=None, stop=None)
            return self._looked(clip, index, settings, on_step)

    def _looked(
        self,
        clip: ClipSource,
        index: int,
        settings: RestyleSettings,
        on_step: Callable[[int, int], None] | None,
    ) -> Picture:
        options = PictureOptions(encoding="png")
        with self._session.look(
            clip, index, settings, options=options, client_id="resolve"
        ) as steps:
            picture = steps.picture(on_step)
        if picture is None:
            raise NotReady("The look ended without a picture. Try again.")
        return picture

    @contextmanager
    def _frame(self, choices: StoredChoices) -> Generator[tuple[ClipSource, int], None, None]:
        """The frame under the playhead: in its media file, or as Resolve writes it out."""
        clip, at = self._host.current_clip(), self._host.playhead()
        part = ClipRange(clip=clip, first=at, count=1)
        source = source_of(part, self._host.timeline().rate, choices.pixels)
        ready = self._in_file(source) if isinstance(source, FileSource) else None
        if ready is not None:
            yield ready.clip, ready.first
            return
        with tempfile.TemporaryDirectory(prefix="fresco-") as folder:
            still = Path(folder) / "frame_0000.png"
            self._host.export_frame(still)
            yield ClipSource(path=str(still), frame_rate=Fraction(24)), 0

    def update(self) -> list[Outcome]:
        """Bring in what is done of this project's pending jobs, and tell of all of them.

        Does the same whenever it is called: what is in the project already stays as it is.
        """
        timeline = self._host.timeline()
        with self._store.held():
            self._store.drop_renders(self._folders.renders)
            pending_jobs = list(self._store.of_project(timeline.project_id))
            return [self._updated(pending, timeline) for pending in pending_jobs]

    def waiting(self) -> list[PendingJob]:
        """Pending jobs of the project that is open."""
        return list(self._store.of_project(self._host.timeline().project_id))

    def _updated(self, pending: PendingJob, timeline: TimelineInfo) -> Outcome:
        try:
            job = self._session.job(pending.job_id)
        except NotFound:
            return self._lost(pending)
        if not pending.is_submitted:
            pending = self._store.submitted(pending)
        if job.state is JobState.DONE:
            return self._brought_in(pending, job, timeline)
        if job.state in (JobState.CANCELLED, JobState.FAILED):
            return self._ended(pending, job)
        return Outcome(pending=pending, job=job)

    def _lost(self, pending: PendingJob) -> Outcome:
        self._finish(pending)
        problem = (
            "The daemon no longer has this job. Restyle the clip again."
            if pending.is_submitted
            else "It was interrupted before the daemon had it. Restyle the clip again."
        )
        return Outcome(pending=pending, job=None, problem=problem)

    def _ended(self, pending: PendingJob, job: Job) -> Outcome:
        if job.failure is not None and job.failure.can_resume:
            again = f" Put that right, then run “fresco jobs resume {job.id[:8]}”."
            return Outcome(
                pending=pending, job=job, problem=in_resolve(job.failure.message) + again
            )
        self._finish(pending)
        problem = in_resolve(job.failure.message) if job.failure else "It was cancelled."
        return Outcome(pending=pending, job=job, problem=problem)

    def _brought_in(self, pending: PendingJob, job: Job, timeline: TimelineInfo) -> Outcome:
        try:
            path = fetch(self._session, pending, job, self._folders, timeline.project_name)
            placed = self._host.place(pending, path)
        except (ResolveError, CallFailed, FileFailed) as error:
            return Outcome(pending=pending, job=job, problem=in_resolve(error))
        problem = placed.note
        if not self._finish(pending):
            problem = f"{problem} Its marker is still there; run “Update results” again.".strip()
        return Outcome(pending=pending, job=job, placed=placed, problem=problem)

    def _finish(self, pending: PendingJob) -> bool:
        """Forget a pending job and its marker; if that cannot be now, it is tried again later."""
        try:
            is_unmarked = self._host.unmark(pending)
        except HostRefused:
            return False
        if is_unmarked:
            self._store.remove(pending)
        return is_unmarked

    def cancel(self, pending: PendingJob) -> None:
        """End a pending job for good, and want its result no more."""
        with suppress(NotFound, NotPossibleNow):
            self._session.cancel(pending.job_id)
        self._finish(pending)
