"""The session of a program that does the work itself."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import fresco_client as client
from fresco.v1 import settings_pb2
from fresco_client.files import part_name
from fresco_client.messages import message_of
from fresco_client.streams import Generated
from fresco_engine import __version__, types
from fresco_engine.errors import FrescoError
from fresco_media.originals import NO_ORIGINALS, Originals

from fresco_server.errors import reason_of
from fresco_server.local.engine import InProcessEngine, PropagationJob
from fresco_server.local.events import EventNumbering
from fresco_server.rpc.messages.settings import restyle_settings

if TYPE_CHECKING:
    from fresco_engine.settings import RestyleSettings
    from fresco_media.clip import Clip
    from fresco_media.types import Image

SelfT = TypeVar("SelfT", bound="LocalSession")

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Where the results of a session's job go as they are made, so that none lies there twice."""

    output: Path
    is_overwriting: bool = False
    keyframes: Path | None = None
    """A folder for the keyframes, as pictures; None: they are not kept."""
    originals: Originals = NO_ORIGINALS


@dataclass
class LocalJob:
    """A job of this session: what a client sees of it, and the work."""

    job: client.Job
    start: Callable[[], Iterator[types.Event]]
    """Begins the work, which goes on as its events are asked for."""
    folder: Path | None
    """Where what it makes is kept; None for one that delivers it."""
    events: list[client.Event] = field(default_factory=list[client.Event])

    @property
    def result(self) -> Path:
        """The file that is fetched."""
        assert self.folder is not None
        output = self.job.output or client.OutputOptions()
        return self.folder / f"result.{output.container or 'mp4'}"

    def picture(self, kind: client.FrameKind, index: int) -> Path:
        """A picture that is fetched."""
        assert self.folder is not None
        return self.folder / kind / f"{index:06d}.png"


class LocalSession:
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
        delivery: Delivery | None = None,
        opened: Mapping[Path, Clip] | None = None,
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._delivery = delivery
        self._clips = {client.ClipSource(path=str(path)): clip for path, clip in _items(opened)}
        self._jobs: dict[str, LocalJob] = {}
        self._own_folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self: SelfT) -> SelfT:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def address(self) -> str:
        """There is none to connect to."""
        return ""

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
            self._own_folder = None

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
        from fresco_server.worker.media import describe

        with _refusing():
            values = describe(self._opened(clip))
        values["warnings"] = tuple(values["warnings"])
        exact = {name: Fraction(values[name]) for name in ("frame_rate", "duration")}
        return client.ClipInfo(**{**values, **exact})

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
        known = self._clips.get(replace(clip, frame_rate=None))
        return known or self._engine.open_clip(self._place(clip), clip.frame_rate)

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
        info = self.describe_clip(clip)
        with _refusing():
            chosen = _engine_settings(settings)

        def start() -> Iterator[types.Event]:
            loaded = self._load(chosen, model, device)
            return self._render(made, self._opened(clip), chosen, loaded)

        made = self._add(
            client.Job(
                id=job_id or uuid.uuid4().hex,
                title=title or self._place(clip).name,
                clip=clip,
                clip_info=info,
                settings=settings,
                model=model,
                output=output,
                device=device,
            ),
            start,
        )
        return made.job

    def propagate(self, wanted: PropagationJob) -> client.Job:
        """Make a job that carries painted keyframes over a clip, straight to its output."""
        job = client.Job(id=uuid.uuid4().hex, title=wanted.clip.name)
        return self._add(job, lambda: self._engine.propagate(wanted)).job

    def _add(self, job: client.Job, start: Callable[[], Iterator[types.Event]]) -> LocalJob:
        now = datetime.now(timezone.utc)
        folder = None if self._delivery is not None else self._kept_in() / job.id
        if folder is not None:
            folder.mkdir(parents=True)
        added = LocalJob(replace(job, create_time=now, update_time=now), start, folder)
        self._jobs[job.id] = added
        return added

    def _kept_in(self) -> Path:
        if self._folder is not None:
            return self._folder
        if self._own_folder is None:
            self._own_folder = tempfile.TemporaryDirectory(prefix="fresco-")
        return Path(self._own_folder.name)

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
        )

    def _render(
        self, made: LocalJob, clip: Clip, settings: RestyleSettings, model: Any
    ) -> Iterator[types.Event]:
        kind = (made.job.output.kind if made.job.output else None) or "h264"
        codec = "images" if kind == "frames" else kind
        to = self._delivery
        if to is None:
            to = Delivery(output=made.result, is_overwriting=True)
        return self._engine.render(
            clip,
            to.output if self._delivery is not None or codec != "images" else None,
            settings,
            model,
            codec=codec,
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

    def pause(self, job_id: str) -> client.Job:
        """Raises: NotSupported."""
        raise _not_supported()

    def resume(self, job_id: str) -> client.Job:
        """Raises: NotSupported."""
        raise _not_supported()

    def delete(self, job_id: str) -> None:
        """Forget a job and remove what the session has kept of it."""
        folder = self._job(job_id).folder
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        del self._jobs[job_id]

    def reroll(
        self,
        job_id: str,
        changes: Iterable[client.KeyframeChange],
        *,
        new_job_id: str | None = None,
    ) -> client.Job:
        """Raises: NotSupported."""
        raise _not_supported()

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
        is_done = bool(one.events) or is_replay_only
        return Generated(_each(one.events[after:]) if is_done else self._done(one))

    def _done(self, one: LocalJob) -> Generator[client.Event, None, None]:
        """The work; once it is given up it can begin again.

        An error that nobody raised on purpose is let through: it happened in this program.
        """
        numbering = EventNumbering()
        state = client.JobState.ANALYSING
        try:
            yield _noted(one, numbering.made(client.StateChanged, state=state, reason=""))
            with closing(cast(Any, one.start())) as events:
                for event in events:
                    _keep_picture(one, event)
                    yield _noted(one, numbering.of(event))
        except FrescoError as error:
            _LOGGER.debug("job %s failed", one.job.id, exc_info=True)
            yield _noted(one, numbering.made(client.Failed, failure=_failure(error)))
        finally:
            if not one.job.state.is_ended:
                one.events.clear()

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
    ) -> client.Stream[client.LookProgress | client.Picture]:
        """Restyle one frame now, in the clip's own size; the picture."""

        def made() -> Generator[client.LookProgress | client.Picture, None, None]:
            with _refusing():
                chosen = _engine_settings(settings)
                loaded = self._load(chosen, model, device)
                image = self._engine.look(self._opened(clip), index, chosen, loaded)
            yield _picture(image, options)

        return Generated(made())

    def frame(
        self,
        job_id: str,
        kind: client.FrameKind,
        index: int,
        options: client.PictureOptions | None = None,
    ) -> client.Picture:
        """A keyframe, or a frame of a job whose output are frames, in its own size."""
        from fresco_media.images import read_image

        one = self._job(job_id)
        if one.folder is None or not one.picture(kind, index).exists():
            raise client.NotFound("there is no such picture", "ARTEFACT_NOT_FOUND")
        return _picture(read_image(one.picture(kind, index)), options)

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
        if path.exists() and not is_overwriting:
            raise client.FileFailed(path, "There is a file of this name already.")
        if one.job.result is None or one.folder is None or not one.result.exists():
            raise client.NotFound("there is no such file", "ARTEFACT_NOT_FOUND")
        part = part_name(path, job_id)
        try:
            shutil.copyfile(one.result, part)
            part.replace(path)
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
        return tuple(_model(asdict(entry)) for entry in self._engine.list_models())

    def pull(self, source: str) -> client.Stream[client.PullProgress]:
        """Download a model from the hub; pulling again goes on where it was stopped."""

        def pulled() -> Generator[client.PullProgress, None, None]:
            with _refusing():
                for done, total in self._engine.pull(source):
                    yield client.PullProgress(
                        done_bytes=done,
                        total_bytes=total,
                        bytes_per_second=0.0,
                        is_finished=done == total,
                    )

        return Generated(pulled())

    def load(self, source: str = "", device: str = "", timeout_s: float = 600.0) -> None:
        """Raises: NotSupported."""
        raise _not_supported()

    def unload(self, device: str = "") -> None:
        """Raises: NotSupported."""
        raise _not_supported()


def _items(opened: Mapping[Path, Clip] | None) -> Iterable[tuple[Path, Clip]]:
    return () if opened is None else opened.items()


def _each(events: list[client.Event]) -> Generator[client.Event, None, None]:
    yield from events


def _weight(lora: client.Lora) -> float:
    return 1.0 if lora.weight is None else lora.weight


def _engine_settings(settings: client.RestyleSettings) -> RestyleSettings:
    """What a daemon makes of them."""
    return restyle_settings(message_of(settings, settings_pb2.RestyleSettings))


def _noted(one: LocalJob, event: client.Event) -> client.Event:
    """The event, of which the job tells from now on."""
    changes: dict[str, Any] = {"last_sequence": event.sequence, "update_time": event.time}
    match event:
        case client.StateChanged():
            changes["state"] = event.state
        case client.Analysed():
            changes["plan"] = event.plan
        case client.Finished():
            changes |= {"state": client.JobState.DONE, "result": event.result}
        case client.Failed():
            changes |= {"state": client.JobState.FAILED, "failure": event.failure}
        case _:
            pass
    one.job = replace(one.job, **changes)
    one.events.append(event)
    return event


def _keep_picture(one: LocalJob, event: types.Event) -> None:
    """Keeps a picture that can be fetched; those of a video are in its file."""
    if one.folder is None:
        return
    if isinstance(event, types.KeyframeReady):
        _write(one.picture("keyframe", event.index), event.image)
    is_frames = one.job.output is not None and one.job.output.kind == "frames"
    if isinstance(event, types.FrameReady) and is_frames:
        _write(one.picture("result", event.frame.index), event.frame.image)


def _write(path: Path, image: Image) -> None:
    from fresco_media.images import write_image

    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, image)


def _picture(image: Image, options: client.PictureOptions | None) -> client.Picture:
    from fresco_media.images import encode_image

    encoding = (options.encoding if options else None) or "jpeg"
    height, width = image.shape[:2]
    data = encode_image(image, f".{encoding}")
    return client.Picture(encoding=encoding, width=width, height=height, data=data)


def _model(values: dict[str, Any]) -> client.Model:
    values["state"] = values["state"].value
    values["styles"] = tuple(client.Style(**style) for style in values["styles"])
    if values["state"] == "bundled":
        values["source"] = ""
    return client.Model(**{**values, "problem": values["problem"] or ""}, loaded_on=())


def _failure(error: FrescoError) -> client.Failure:
    return client.Failure(
        reason=reason_of(type(error).__name__), message=str(error), log_tail="", can_resume=False
    )


@contextmanager
def _refusing() -> Iterator[None]:
    """The engine's errors inside are outside those that a daemon would answer with."""
    try:
        yield
    except FrescoError as error:
        from fresco_client.errors import error_of_status

        from fresco_server.rpc.status import status_of

        status = status_of(error)
        assert status is not None
        raise error_of_status(
            cast(int, status.code.value[0]), str(error), status.reason, ""
        ) from error


def _not_supported() -> client.NotSupported:
    return client.NotSupported("this needs a daemon; start one with 'fresco serve'")
