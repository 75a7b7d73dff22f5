"""The session of this process in the place of one with a daemon: what it is asked for is kept."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import fresco_client as client
from fresco_cli.options import DaemonOptions
from fresco_client.streams import GeneratorStream
from fresco_server.local.engine import InProcessEngine
from fresco_server.local.session import LocalSession

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


class RecordingSession(LocalSession):
    """Jobs stay when it is closed, as a daemon's do.

    `connection_states` are told to whoever watches before the first event, `refusal` is raised
    by what is asked for, `lost` in the middle of watching; with `can_resume`, jobs that fail can
    go on.
    """

    def __init__(self, engine: InProcessEngine, folder: Path) -> None:
        super().__init__(engine, folder)
        self.folder = folder
        self.asked: list[str] = []
        self.uploads: dict[str, Path] = {}
        self.confirmed: list[str] = []
        self.rerolled: list[client.KeyframeChange] = []
        self.connection_states: tuple[client.ConnectionState, ...] = ()
        self.refusal: client.ClientError | None = None
        self.lost: client.ClientError | None = None
        self.can_resume = False
        self.has_file_access = True
        self.files: tuple[client.Model, ...] = ()
        self.hub_models: tuple[client.Model, ...] = ()

    @property
    def address(self) -> str:
        return "127.0.0.1:7400"

    @property
    def job_ids(self) -> list[str]:
        """In the order in which they were made."""
        return [job.id for job in self.jobs()][::-1]

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
        capabilities = client.Capabilities(
            parameters=(),
            presets=(),
            controls=(),
            outputs=(),
            has_file_access=self.has_file_access,
        )
        return replace(
            super().server(),
            devices=(device,),
            capabilities=capabilities,
            uptime_s=125.0,
            free_disk_bytes=5_000_000_000,
            process_id=0,
        )

    def upload(
        self, path: Path | str, on_progress: client.OnProgress | None = None
    ) -> client.ClipSource:
        data = Path(path).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        self.folder.mkdir(exist_ok=True)
        if digest not in self.uploads:  # it keeps the name that it was first sent by
            self.uploads[digest] = Path(shutil.copy(path, self.folder / Path(path).name))
        if on_progress is not None:
            size = len(data)
            on_progress(client.TransferProgress(stage="sending", done_bytes=size, total_bytes=size))
        return client.ClipSource(upload_sha256=digest)

    def _place(self, clip: client.ClipSource) -> Path:
        if clip.upload_sha256 is not None:
            return self.uploads[clip.upload_sha256]
        return super()._place(clip)

    def submit(self, *given: Any, **named: Any) -> client.Job:
        if self.refusal is not None:
            raise self.refusal
        return super().submit(*given, **named)

    def add(self, job: client.Job) -> client.Job:
        """A job that is there."""
        self._add(job, lambda: iter(()), self._made_folder(job.id))
        self._job(job.id).job = job
        return job

    def cancel(self, job_id: str) -> client.Job:
        self.asked.append(f"cancel {job_id}")
        return super().cancel(job_id)

    def pause(self, job_id: str) -> client.Job:
        self.asked.append(f"pause {job_id}")
        return self._moved(job_id, client.JobState.PAUSED)

    def resume(self, job_id: str) -> client.Job:
        self.asked.append(f"resume {job_id}")
        return self._moved(job_id, client.JobState.QUEUED)

    def delete(self, job_id: str) -> None:
        self.asked.append(f"delete {job_id}")
        super().delete(job_id)

    def reroll(
        self,
        job_id: str,
        changes: Iterable[client.KeyframeChange],
        *,
        new_job_id: str | None = None,
    ) -> client.Job:
        self.rerolled += changes
        return self.add(replace(self.job(job_id), id="rerolled" + job_id, parent_id=job_id))

    def watch(
        self,
        job_id: str,
        *given: Any,
        on_connection: Callable[[client.ConnectionState], None] | None = None,
        **named: Any,
    ) -> client.Stream[client.Event]:
        for state in self.connection_states:
            assert on_connection is not None
            on_connection(state)
        return GeneratorStream(self._passed_on(super().watch(job_id, *given, **named)))

    def _passed_on(
        self, events: client.Stream[client.Event]
    ) -> Generator[client.Event, None, None]:
        with events:
            for event in events:
                if isinstance(event, client.Failed) and self.can_resume:
                    failure = replace(event.failure, can_resume=True)
                    yield replace(event, failure=failure)
                    continue
                yield event
                if self.lost is not None and isinstance(event, client.FrameReady):
                    raise self.lost

    def confirm(self, job_id: str, sha256: str = "") -> None:
        super().confirm(job_id, sha256)
        self.confirmed.append(job_id)

    def model_files(self) -> tuple[client.Model, ...]:
        """What `self.files` says."""
        return self.files

    def models(self) -> tuple[client.Model, ...]:
        return self.hub_models

    def pull(self, source: str) -> client.Stream[client.PullProgress]:
        return GeneratorStream(
            client.PullProgress(
                done_bytes=done,
                total_bytes=2_000_000,
                bytes_per_second=1.0,
                is_finished=done == 2_000_000,
            )
            for done in (1_000_000, 2_000_000)
        )

    def load(self, source: str = "", device: str = "", timeout_s: float = 600.0) -> None:
        self.asked.append(f"load {source or 'bundled'} on {device or 'any'}")

    def unload(self, device: str = "") -> None:
        self.asked.append(f"unload {device or 'all'}")

    def drain(self, node: str, *, is_over: bool = False) -> None:
        self.asked.append(f"drain {node}{' no more' if is_over else ''}")


@dataclass
class FakeConnect:
    """Gives out `session`; `error` instead, if there is one. `runs`: whether one runs already."""

    session: RecordingSession
    runs: bool = True
    error: client.ClientError | None = None
    wanted: list[DaemonOptions] = field(default_factory=list[DaemonOptions])

    def __call__(
        self, wanted: DaemonOptions, *, start: bool, tell: Callable[[str], None]
    ) -> client.SessionLike:
        self.wanted.append(wanted)
        if self.error is not None:
            raise self.error
        if not self.runs and not start:
            raise client.DaemonNotFound(Path("/data"))
        if not self.runs:
            tell("Starting the Fresco daemon.")
        self.runs = True
        return self.session


def new_job(job_id: str, **changes: Any) -> client.Job:
    """A job as a daemon describes it when it has just been made."""
    made = client.Job(id=job_id, create_time=NOW, update_time=NOW, title="clip.mp4")
    return replace(made, **changes)
