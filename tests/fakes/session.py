"""A session without a daemon: jobs are run by the test's engine when they are watched."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import fresco_client as client
from fresco_cli.engine import Engine
from fresco_cli.options import DaemonOptions
from fresco_media.images import read_image

from tests.fakes.session_jobs import (
    Run,
    Work,
    described,
    engine_settings,
    load_model,
    new_job,
    picture_of,
    refusing,
)


class FakeSession(client.Session):
    """Has the surface of a session; what is asked of it is kept for the test to see.

    `connection_states` are told to whoever watches before the first event, `refusal` is raised
    by `submit`, `lost` in the middle of watching.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.works: dict[str, Work] = {}
        self.asked: list[str] = []
        self.uploads: dict[str, Path] = {}
        self.confirmed: list[str] = []
        self.rerolled: list[client.KeyframeChange] = []
        self.connection_states: tuple[client.ConnectionState, ...] = ()
        self.refusal: client.ClientError | None = None
        self.lost: client.ClientError | None = None
        self.has_file_access = True
        self.hub_models: tuple[client.Model, ...] = ()

    @property
    def address(self) -> str:
        return "127.0.0.1:7400"

    def close(self) -> None:
        self.asked.append("close")

    def server(self) -> client.ServerInfo:
        device = client.Device(
            id="cpu",
            name="Processor",
            memory_bytes=8_000_000_000,
            state="ready",
            model_source="",
            has_model=True,
            job_id="",
        )
        return client.ServerInfo(
            version="0.1.0",
            api_major=1,
            api_minor=0,
            devices=(device,),
            limits=None,
            capabilities=client.Capabilities(
                parameters=(),
                presets=(),
                controls=(),
                outputs=(),
                has_file_access=self.has_file_access,
            ),
            uptime_s=125.0,
            open_jobs=sum(not work.job.state.is_ended for work in self.works.values()),
            disk_bytes=0,
            free_disk_bytes=5_000_000_000,
            process_id=0,
        )

    def describe_clip(self, clip: client.ClipSource) -> client.ClipInfo:
        with refusing():
            return described(self.engine, self._place(clip), clip)

    def _place(self, clip: client.ClipSource) -> Path:
        if clip.upload_sha256 is not None:
            return self.uploads[clip.upload_sha256]
        assert clip.path is not None
        assert Path(clip.path).is_absolute()
        return Path(clip.path)

    def upload(
        self, path: Path | str, on_progress: client.OnProgress | None = None
    ) -> client.ClipSource:
        data = Path(path).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        self.folder.mkdir(exist_ok=True)
        self.uploads[digest] = Path(shutil.copy(path, self.folder / Path(path).name))
        if on_progress is not None:
            size = len(data)
            on_progress(client.TransferProgress(stage="sending", done_bytes=size, total_bytes=size))
        return client.ClipSource(upload_sha256=digest)

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
        if self.refusal is not None:
            raise self.refusal
        assert job_id is not None
        with refusing():
            info = described(self.engine, self._place(clip), clip)
        job = new_job(
            job_id,
            title=self._place(clip).name,
            clip=clip,
            clip_info=info,
            settings=settings,
            model=model,
            output=output,
            device=device,
        )
        return self.add(job).job

    def add(self, job: client.Job) -> Work:
        """A job that is there."""
        folder = self.folder / job.id
        folder.mkdir(parents=True)
        clip = self._place(job.clip) if job.clip else Path("/nowhere/clip.mp4")
        self.works[job.id] = Work(job, clip, folder)
        return self.works[job.id]

    def job(self, job_id: str) -> client.Job:
        return self._work(job_id).job

    def jobs(self, states: Iterable[client.JobState] = ()) -> Iterator[client.Job]:
        yield from [work.job for work in reversed(self.works.values())]

    def _work(self, job_id: str) -> Work:
        if job_id not in self.works:
            raise client.NotFound(f"there is no job {job_id!r}", "JOB_NOT_FOUND")
        return self.works[job_id]

    def _moved(self, verb: str, job_id: str, state: client.JobState) -> client.Job:
        self.asked.append(f"{verb} {job_id}")
        work = self._work(job_id)
        if work.job.state is client.JobState.DONE:
            raise client.NotPossibleNow(f"job {job_id!r} is done", "NOT_POSSIBLE")
        work.job = replace(work.job, state=state)
        return work.job

    def cancel(self, job_id: str) -> client.Job:
        return self._moved("cancel", job_id, client.JobState.CANCELLED)

    def pause(self, job_id: str) -> client.Job:
        return self._moved("pause", job_id, client.JobState.PAUSED)

    def resume(self, job_id: str) -> client.Job:
        return self._moved("resume", job_id, client.JobState.QUEUED)

    def delete(self, job_id: str) -> None:
        self.asked.append(f"delete {job_id}")
        del self.works[job_id]

    def reroll(
        self,
        job_id: str,
        changes: Iterable[client.KeyframeChange],
        *,
        new_job_id: str | None = None,
    ) -> client.Job:
        self.rerolled += changes
        parent = self._work(job_id).job
        new = replace(
            parent, id="rerolled" + job_id, parent_id=job_id, state=client.JobState.QUEUED
        )
        return self.add(new).job

    def watch(
        self,
        job_id: str,
        after: int = 0,
        pictures: client.PictureOptions | None = None,
        *,
        is_replay_only: bool = False,
        patience_s: float | None = None,
        on_connection: Callable[[client.ConnectionState], None] | None = None,
    ) -> client.Watch:
        for state in self.connection_states:
            assert on_connection is not None
            on_connection(state)
        work = self._work(job_id)
        return _FakeWatch(iter(work.events) if work.events else self._made(work))

    def _made(self, work: Work) -> Iterator[client.Event]:
        for event in Run(self.engine, work).events():
            work.events.append(event)
            yield event
            if self.lost is not None and isinstance(event, client.FrameReady):
                raise self.lost

    def frame(
        self,
        job_id: str,
        kind: client.FrameKind,
        index: int,
        options: client.PictureOptions | None = None,
    ) -> client.Picture:
        work = self._work(job_id)
        keyframes = work.folder / "keyframes"
        path = keyframes / f"{index:06d}.png"
        if kind == "result":
            first = work.job.clip_info.first_number if work.job.clip_info else 0
            path = Path(str(work.result) % (first + index))
        if not path.exists():
            raise client.NotFound("there is no such picture", "ARTEFACT_NOT_FOUND")
        return picture_of(read_image(path))

    def fetch_result(
        self,
        job_id: str,
        path: Path | str,
        on_progress: client.OnProgress | None = None,
        *,
        is_overwriting: bool = False,
        before_replacing: Callable[[Path], None] | None = None,
    ) -> client.ResultInfo:
        job, path = self._work(job_id).job, Path(path)
        if before_replacing is not None:
            before_replacing(path)
        if path.exists() and not is_overwriting:
            raise client.FileFailed(path, "There is a file of this name already.")
        shutil.copy(self._work(job_id).result, path)
        assert job.result is not None
        self.confirm(job_id, job.result.sha256)
        return job.result

    def confirm(self, job_id: str, sha256: str = "") -> None:
        result = self._work(job_id).job.result
        assert result is not None
        assert result.sha256 == sha256
        self.confirmed.append(job_id)

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
    ) -> client.Look:
        if self.refusal is not None:
            raise self.refusal
        assert options is not None
        assert options.encoding == "png"
        opened = self.engine.open_clip(self._place(clip), clip.frame_rate)
        loaded = load_model(self.engine, settings, model, device)
        image = self.engine.look(opened, index, engine_settings(settings), loaded)
        return _FakeLook(picture_of(image))

    def models(self) -> tuple[client.Model, ...]:
        return self.hub_models

    def pull(self, source: str) -> client.Pull:
        return _FakePull()

    def load(self, source: str = "", device: str = "", timeout_s: float = 600.0) -> None:
        self.asked.append(f"load {source or 'bundled'} on {device or 'any'}")

    def unload(self, device: str = "") -> None:
        self.asked.append(f"unload {device or 'all'}")


@dataclass
class FakeConnect:
    """Gives out `session`; `error` instead, if there is one. `runs`: whether one runs already."""

    session: FakeSession
    runs: bool = True
    error: client.ClientError | None = None
    wanted: list[DaemonOptions] = field(default_factory=list[DaemonOptions])

    def __call__(
        self, wanted: DaemonOptions, *, start: bool, tell: Callable[[str], None]
    ) -> client.Session:
        self.wanted.append(wanted)
        if self.error is not None:
            raise self.error
        if not self.runs and not start:
            raise client.DaemonNotFound(Path("/data"))
        if not self.runs:
            tell("Starting the Fresco daemon.")
        self.runs = True
        return self.session


class _FakeWatch(client.Watch):
    def __init__(self, events: Iterator[client.Event]) -> None:
        self._events = events

    def __next__(self) -> client.Event:
        return next(self._events)

    def close(self) -> None:
        with suppress(AttributeError):
            getattr(self._events, "close")()  # noqa: B009 - only generators have it


class _FakeLook(client.Look):
    def __init__(self, picture: client.Picture) -> None:
        self._items = iter([client.LookProgress(done=1, total=1), picture])

    def __next__(self) -> client.LookProgress | client.Picture:
        return next(self._items)

    def close(self) -> None:
        """Nothing is open."""


class _FakePull(client.Pull):
    def __init__(self) -> None:
        self._steps = iter((1_000_000, 2_000_000))

    def __next__(self) -> client.PullProgress:
        done = next(self._steps)
        return client.PullProgress(
            done_bytes=done,
            total_bytes=2_000_000,
            bytes_per_second=1.0,
            is_finished=done == 2_000_000,
        )

    def close(self) -> None:
        """Nothing is open."""
