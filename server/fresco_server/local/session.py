"""The session of a program that does the work itself."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import fresco_client as client
from fresco_client.files import check_free, name_result, part_name
from fresco_client.streams import GeneratorStream
from fresco_engine import __version__, types
from fresco_engine.errors import FrescoError

from fresco_server.local import values
from fresco_server.local.engine import InProcessEngine, PropagationJob
from fresco_server.local.events import EventNumbering
from fresco_server.local.job import LocalDelivery, LocalJob
from fresco_server.local.values import refusing

if TYPE_CHECKING:
    from fresco_engine.settings import RestyleSettings
    from fresco_media.clip import Clip


_LOGGER = logging.getLogger(__name__)


class LocalSession(client.SessionLike):
    """A session whose jobs this process does, in the thread that watches them, while it watches.

    So a job that is no longer watched stops at once, and nothing is made faster than it is taken.
    Jobs end with the session. With a `delivery`, for one job, results go straight to their places;
    without, they are kept in `folder`, or one of the session's own, until they are fetched.
    `opened` are clips that need not be opened again, by their whole paths.
    """

    def __init__(
        self,
        engine: InProcessEngine,
        folder: Path | None = None,
        *,
        delivery: LocalDelivery | None = None,
        opened: Mapping[Path, Clip] | None = None,
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._delivery = delivery
        self._clips = dict(opened or {})
        self._jobs: dict[str, LocalJob] = {}
        self._own_folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def is_delivering(self) -> bool:
        """Whether nothing is to be fetched: results go to their places as they are made."""
        return self._delivery is not None

    def close(self) -> None:
        """Forget the jobs and remove what the session has kept."""
        self._jobs.clear()
        self._clips.clear()
        if self._own_folder is not None:
            self._own_folder.cleanup()
            self._own_folder = self._folder = None

    def server(self) -> client.ServerInfo:
        """What does the work."""
        return client.ServerInfo(
            version=__version__,
            api_major=1,
            api_minor=0,
            devices=(),
            limits=None,
            capabilities=None,
            uptime_s=None,
            open_jobs=sum(not one.job.state.is_ended for one in self._jobs.values()),
            disk_bytes=0,
            free_disk_bytes=0,
            process_id=os.getpid(),
        )

    # Clips

    def describe_clip(self, clip: client.ClipSource) -> client.ClipInfo:
        """What is known of a clip."""
        with refusing():
            return values.clip_info(self._opened(clip))

    def upload(
        self, path: Path | str, on_progress: client.OnProgress | None = None
    ) -> client.ClipSource:
        """The clip where it is."""
        return client.ClipSource(path=str(Path(path).absolute()))

    def _place(self, clip: client.ClipSource) -> Path:
        if clip.path is None or not Path(clip.path).is_absolute():
            raise client.InvalidRequest("clip: give its whole path", "BAD_REQUEST")
        return Path(clip.path)

    def _opened(self, clip: client.ClipSource) -> Clip:
        place = self._place(clip)
        return self._clips.get(place) or self._engine.open_clip(place, clip.frame_rate)

    # Jobs

    def submit(
        self,
        clip: client.ClipSource,
        settings: client.RestyleSettings,
        *,
        model: client.ModelChoice | None = None,
        output: client.OutputOptions | None = None,
        device: str = "",
        title: str = "",
        is_urgent: bool = False,
        job_id: str | None = None,
    ) -> client.Job:
        """Make a job, which is done when it is watched."""
        with refusing():
            opened = self._opened(clip)
            info = values.clip_info(opened)
            chosen = values.engine_settings(settings)

        def start() -> Iterator[types.Event]:
            loaded = self._load(chosen, model, device)
            return self._render(made, opened, chosen, loaded)

        job_id = job_id or uuid.uuid4().hex
        made = self._add(
            client.Job(
                id=job_id,
                title=title or self._place(clip).name,
                clip=clip,
                clip_info=info,
                settings=settings,
                model=model,
                output=output,
                device=device,
            ),
            start,
            None if self.is_delivering else self._made_folder(job_id),
        )
        return made.job

    def propagate(self, wanted: PropagationJob) -> client.Job:
        """Make a job that carries painted keyframes over a clip, straight to its output."""
        job = client.Job(id=uuid.uuid4().hex, title=wanted.clip.name)
        return self._add(job, lambda: self._engine.propagate(wanted), None).job

    def _add(
        self, job: client.Job, start: Callable[[], Iterator[types.Event]], folder: Path | None
    ) -> LocalJob:
        now = datetime.now(timezone.utc)
        added = LocalJob(replace(job, create_time=now, update_time=now), start, folder)
        self._jobs[job.id] = added
        return added

    def _made_folder(self, job_id: str) -> Path:
        if self._folder is None:
            self._own_folder = tempfile.TemporaryDirectory(prefix="fresco-")
            self._folder = Path(self._own_folder.name)
        folder = self._folder / job_id
        folder.mkdir(parents=True)
        return folder

    def _load(
        self, settings: RestyleSettings, model: client.ModelChoice | None, device: str
    ) -> Any:
        model = model or client.ModelChoice()
        return self._engine.load_model(
            model.source or None,
            control=settings.control,
            control_source=model.control_source or None,
            loras=[
                (Path(one.path), 1.0 if one.weight is None else one.weight) for one in model.loras
            ],
            device=device or None,
            vae=model.vae or None,
            folders=model.folders,
            settings=settings.as_dict(),
        )

    def _render(
        self, made: LocalJob, clip: Clip, settings: RestyleSettings, model: Any
    ) -> Iterator[types.Event]:
        kind = (made.job.output.kind if made.job.output else None) or "h264"
        to = self._delivery or LocalDelivery(output=made.result, is_overwriting=True)
        is_kept = made.is_frames and not self.is_delivering
        return self._engine.render(
            clip,
            None if is_kept else to.output,
            settings,
            model,
            codec="images" if kind == "frames" else kind,
            overwrite=to.is_overwriting,
            save_keyframes=to.keyframes,
            originals=to.originals,
        )

    def job(self, job_id: str) -> client.Job:
        """What a job is and how far it has come."""
        return self._job(job_id).job

    def jobs(self, states: Iterable[client.JobState] = ()) -> Iterator[client.Job]:
        """Jobs in these states, or all, the newest first."""
        wanted = set(states)
        for one in reversed(list(self._jobs.values())):
            if not wanted or one.job.state in wanted:
                yield one.job

    def _job(self, job_id: str) -> LocalJob:
        if job_id not in self._jobs:
            raise client.NotFound(f"there is no job {job_id!r}", "JOB_NOT_FOUND")
        return self._jobs[job_id]

    def cancel(self, job_id: str) -> client.Job:
        """End a job for good; its work has stopped when it is no longer watched."""
        return self._moved(job_id, client.JobState.CANCELLED)

    def _moved(self, job_id: str, state: client.JobState) -> client.Job:
        one = self._job(job_id)
        if one.job.state is client.JobState.DONE:
            raise client.NotPossibleNow(f"job {job_id!r} is done", "NOT_POSSIBLE")
        one.job = replace(one.job, state=state)
        return one.job

    def delete(self, job_id: str) -> None:
        """Forget a job and remove what the session has kept of it."""
        folder = self._job(job_id).folder
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        del self._jobs[job_id]

    def watch(
        self,
        job_id: str,
        after: int = 0,
        pictures: client.PictureOptions | None = None,
        *,
        is_replay_only: bool = False,
        patience_s: float | None = None,
        on_connection: Callable[[client.ConnectionState], None] | None = None,
    ) -> client.Stream[client.Event]:
        """Do the job; its events as they happen, or again if it is done. They have no pictures."""
        one = self._job(job_id)
        is_done = one.job.state.is_ended or is_replay_only
        return GeneratorStream(_each(one.events[after:]) if is_done else self._done(one))

    def _done(self, one: LocalJob) -> Generator[client.Event, None, None]:
        """The work; once it is given up it can begin again.

        An error that nobody raised on purpose is let through: it happened in this program.
        """
        numbering = EventNumbering()
        state = client.JobState.ANALYSING
        try:
            yield one.noted(numbering.next(client.StateChanged(state=state)))
            with closing(cast(Any, one.start())) as events:
                for event in events:
                    one.keep_picture(event)
                    yield one.noted(numbering.of(event))
        except FrescoError as error:
            _LOGGER.debug("job %s failed", one.job.id, exc_info=True)
            yield one.noted(numbering.next(client.Failed(failure=values.failure(error))))
        finally:
            if not one.job.state.is_ended:
                one.begin_anew()

    # Pictures and results

    def look(
        self,
        clip: client.ClipSource,
        index: int,
        settings: client.RestyleSettings,
        *,
        model: client.ModelChoice | None = None,
        options: client.PictureOptions | None = None,
        device: str = "",
        client_id: str = "",
        shows_control: bool = False,
    ) -> client.Stream[client.LookProgress | client.LookedPicture]:
        """Restyle one frame now, in the clip's own size, or show what binds; the picture."""

        def made() -> Generator[client.LookProgress | client.LookedPicture, None, None]:
            with refusing():
                chosen = values.engine_settings(settings)
                loaded = self._load(chosen, model, device)
                make = self._engine.look_controls if shows_control else self._engine.look
                made_of = make(self._opened(clip), index, chosen, loaded)
            yield values.looked_picture(made_of, options)

        return GeneratorStream(made())

    def frame(
        self,
        job_id: str,
        kind: client.FrameKind,
        index: int,
        options: client.PictureOptions | None = None,
    ) -> client.Picture:
        """A keyframe, or a frame of a job whose output are frames, in its own size."""
        from fresco_media.stills.images import read_image

        one = self._job(job_id)
        if one.folder is None or not one.picture(kind, index).exists():
            raise client.NotFound("there is no such picture", "ARTEFACT_NOT_FOUND")
        matte = None
        if options and options.has_alpha and one.job.clip:
            with refusing():
                matte = self._engine.matte(self._opened(one.job.clip), index)
        return values.picture(read_image(one.picture(kind, index)), options, matte)

    def fetch_result(
        self,
        job_id: str,
        path: Path | str,
        on_progress: client.OnProgress | None = None,
        *,
        is_overwriting: bool = False,
        before_replacing: Callable[[Path], None] | None = None,
    ) -> client.ResultInfo:
        """Put a finished job's file at this path, whole or not at all."""
        one, path = self._job(job_id), Path(path)
        if before_replacing is not None:
            before_replacing(path)
        check_free(path, is_overwriting=is_overwriting)
        if one.job.result is None or one.folder is None or not one.result.exists():
            raise client.NotFound("there is no such file", "ARTEFACT_NOT_FOUND")
        part = part_name(path, job_id)
        try:
            shutil.copyfile(one.result, part)
            name_result(part, path, is_overwriting=is_overwriting)
        except OSError as error:
            raise client.FileFailed.from_os(path, error) from error
        finally:
            part.unlink(missing_ok=True)
        self.confirm(job_id, one.job.result.sha256)
        return one.job.result

    def confirm(self, job_id: str, sha256: str = "") -> None:
        """Nothing is cleaned up before the session ends."""
        self._job(job_id)

    # Models

    def models(self) -> tuple[client.Model, ...]:
        """Models here and on the hub, the bundled one first."""
        return tuple(values.model(entry) for entry in self._engine.list_models())

    def model_files(self) -> tuple[client.Model, ...]:
        """None: without a daemon there are no folders of models."""
        return ()

    def pull(self, source: str) -> client.Stream[client.PullProgress]:
        """Download a model from the hub; pulling again goes on where it was stopped."""

        def pulled() -> Generator[client.PullProgress, None, None]:
            with refusing():
                for done, total in self._engine.pull(source):
                    yield client.PullProgress(
                        done_bytes=done,
                        total_bytes=total,
                        bytes_per_second=0.0,
                        is_finished=done == total,
                    )

        return GeneratorStream(pulled())


def _each(events: list[client.Event]) -> Generator[client.Event, None, None]:
    yield from events
