"""Jobs in memory that nobody works on: tests say what happens to them."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from fresco_client.events import Event, Failed, Finished, FrameReady, KeyframeReady, StateChanged
from fresco_client.settings import KeyframeChange
from fresco_client.values import Failure, FrameRange, JobState, Plan, ResultInfo
from fresco_engine.checkpoint import FolderCheckpoint, Kind, StoredPlan
from fresco_engine.settings import RestyleSettings
from fresco_media.files.state import ClipState
from fresco_media.stills.png import encode_png
from fresco_media.types import Image
from fresco_server.errors import (
    BadRequest,
    DaemonLimitReached,
    DeviceUnknown,
    EngineRefused,
    JobExists,
    JobNotFound,
    NodeUnknown,
    NotPossible,
    ServerError,
    ShuttingDown,
    WorkerLost,
)
from fresco_server.jobs.codec import strict_json
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.job import JobOrder, StoredJob, Values
from fresco_server.jobs.looks import LookOrder, LookPictureMade, LookStepDone, QueuedLook
from fresco_server.jobs.messages import ClipDescribed, NamingFiles, WantedMask
from fresco_server.jobs.pulls import PullStep
from fresco_server.jobs.uploads import Uploads
from fresco_server.settings import ServerSettings
from fresco_server.worker.files import file_states
from numpy.typing import NDArray

WIDTH, HEIGHT, FRAMES = 96, 64, 24
KEYFRAMES = (0, 8, 16)
INFO: dict[str, Any] = {
    "width": WIDTH,
    "height": HEIGHT,
    "frame_count": FRAMES,
    "frame_rate": "24/1",
    "duration": "1/1",
    "has_audio": True,
    "is_variable_rate": False,
    "is_sequence": False,
    "first_number": 0,
    "bit_depth": 8,
    "has_alpha": False,
    "codec": "h264",
    "warnings": [],
}
PLAN = Plan(
    start=0,
    stop=FRAMES,
    shots=(FrameRange(start=0, stop=FRAMES),),
    keyframes=KEYFRAMES,
    working_width=WIDTH,
    working_height=HEIGHT,
)
MODELS: list[dict[str, Any]] = [
    {
        "source": "/somewhere/fresco-small",
        "name": "fresco-small",
        "state": "bundled",
        "size_bytes": 30_000_000,
        "memory_bytes": 60_000_000,
        "styles": [
            {
                "name": "watercolour",
                "words": "a watercolour painting",
                "prompt": "watercolour",
                "negative_prompt": "",
                "strength": 0.75,
                "guidance_scale": None,
                "picture": "",
            }
        ],
        "problem": None,
    },
    {
        "source": "owner/name",
        "name": "A model",
        "state": "available",
        "size_bytes": 4 << 30,
        "memory_bytes": 4 << 30,
        "styles": [],
        "problem": None,
    },
]


def picture(shade: int, width: int = WIDTH, height: int = HEIGHT) -> Image:
    """A picture with a level of its own and some structure."""
    image = np.full((height, width, 3), shade, np.uint8)
    image[: height // 2, : width // 2, 0] = 255 - shade
    return image


class FakeMedia:
    """Knows every file; one named `broken...` is no clip, one named `crash...` takes it down."""

    def describe(
        self,
        path: Path,
        frame_rate: str | None,
        is_wanted: Callable[[], bool] = lambda: True,
        mask: WantedMask | None = None,
        naming: NamingFiles | None = None,
    ) -> ClipDescribed:
        """The same clip for every file."""
        if mask is not None:
            try:
                self.describe(Path(mask.mask), None)
            except EngineRefused as error:
                error.field = "subject_mask"
                raise
        if path.name.startswith("crash"):
            raise WorkerLost(f"{path}: reading it made the decoder crash")
        if path.name.startswith("broken"):
            raise EngineRefused(f"{path}: it is not a video", reason="CLIP_UNREADABLE")
        told = {"frame_rate": frame_rate or "24/1", "warnings": ["it was filmed upright"]}
        state = ClipState(file_count=1, size_bytes=path.stat().st_size, sample=path.name)
        return ClipDescribed(
            ask=0,
            info={**INFO, **told},
            state=state,
            mask_state=None if mask is None else replace(state, sample=Path(mask.mask).name),
            file_states=() if naming is None else file_states(naming),
        )


class FakeJobs:
    """What `fresco_server.jobs.service.Jobs` offers, with jobs that stay as tests put them.

    `refusal`, if set, is raised by the next call that begins work. `look_parts` is what a look
    says; an empty one says nothing until it is cancelled.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.root = settings.data
        self.uploads = Uploads(self.root / "uploads", settings.limits, self.make_room)
        self.media = FakeMedia()
        self.is_closing = False
        self.touches = 0
        self.refusal: ServerError | None = None
        self.look_steps = 3
        self.look_mask: NDArray[np.bool_] | None = None
        self.is_look_silent = False
        self.looks: list[QueuedLook] = []
        self.loaded: list[tuple[str | None, str]] = []
        self.drained: list[tuple[str, bool]] = []
        self.pulls_closed = 0
        self.pull_steps: list[PullStep] = []
        self._jobs: dict[str, StoredJob] = {}
        self._events: dict[str, list[Event]] = {}
        self._news = threading.Condition()

    # What tests do

    def put(self, job_id: str, state: JobState = JobState.QUEUED, **changes: Any) -> StoredJob:
        """A job in `state`, with one event that says so."""
        order = JobOrder(
            clip="/clips/clip.mp4",
            settings=RestyleSettings(prompt="ink").as_dict(),
            title="clip.mp4",
            clip_info=INFO,
            request={
                "job_id": job_id,
                "clip": {"path": "/clips/clip.mp4"},
                "settings": {"prompt": "ink"},
            },
        )
        now = time.time()
        values = {"order": order, "created": now, "updated": now, **changes}
        with self._news:
            self._jobs[job_id] = StoredJob(id=job_id, state=state, **values)
        self.happen(job_id, StateChanged(state=state))
        return self.get(job_id)

    def happen(self, job_id: str, what: Event) -> Event:
        """Something happens to a job."""
        with self._news:
            job = self._jobs[job_id]
            events = self._events.setdefault(job_id, [])
            number = len(events) + 1
            event = replace(what, sequence=number, time=datetime.now(timezone.utc))
            events.append(event)
            self._jobs[job_id] = replace(job, last_sequence=event.sequence)
            self._news.notify_all()
            return event

    def change(self, job_id: str, **changes: Any) -> StoredJob:
        """Change what is known of a job without an event."""
        with self._news:
            self._jobs[job_id] = replace(self._jobs[job_id], **changes)
            self._news.notify_all()
            return self._jobs[job_id]

    def plan(self, job_id: str) -> FolderCheckpoint:
        """The job has been analysed; its checkpoint."""
        checkpoint = FolderCheckpoint(self.folder(job_id))
        checkpoint.save_plan(
            StoredPlan(
                frame_count=FRAMES,
                width=WIDTH,
                height=HEIGHT,
                frame_rate=Fraction(24),
                settings=RestyleSettings(prompt="ink", size=HEIGHT),
                model="",
                device="cpu",
                start=0,
                stop=FRAMES,
                shots=((0, FRAMES),),
                keyframes=KEYFRAMES,
            )
        )
        self.change(job_id, plan=PLAN)
        return checkpoint

    def make_picture(self, job_id: str, kind: Kind, index: int, image: Image) -> None:
        """A keyframe or frame is there and announced."""
        self.plan(job_id).save(kind, index, image)
        if kind == "keyframes":
            self.happen(job_id, KeyframeReady(index=index))
        else:
            time = Fraction(index, 24)
            self.happen(job_id, FrameReady(index=index, clip_time=time, is_keyframe=False))

    def finish(self, job_id: str, data: bytes, report: Values | None = None) -> ResultInfo:
        """The job is done, with `data` for a result; without any its output are frames."""
        result = ResultInfo(
            file_name="clip.mp4" if data else "",
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest() if data else "",
            report_json=strict_json(report or {"model": "fresco-small"}),
        )
        folder = self.folder(job_id)
        folder.mkdir(parents=True, exist_ok=True)
        if data:
            (folder / result.file_name).write_bytes(data)
        self.change(job_id, state=JobState.DONE, result=result)
        self.happen(job_id, Finished(result=result))
        return result

    def fail(self, job_id: str, *, can_resume: bool) -> None:
        """The job has failed."""
        failure = Failure(reason="DISK_FULL", message="the disk is full", can_resume=can_resume)
        self.change(job_id, state=JobState.FAILED, failure=failure)
        self.happen(job_id, Failed(failure=replace(failure, log_tail="the last line")))

    def close(self) -> None:
        """The daemon is about to end."""
        with self._news:
            self.is_closing = True
            self._news.notify_all()

    # What the daemon offers

    def create(self, job_id: str, order: JobOrder, *, is_urgent: bool = False) -> StoredJob:
        self._begin_work(order.device)
        if len(self.list([JobState.QUEUED], 10_000)) >= self.settings.limits.queued_jobs:
            raise DaemonLimitReached("the queue is full; wait until jobs have ended")
        if job_id in self._jobs:
            if self._jobs[job_id].order.request != order.request:
                raise JobExists(job_id)
            return self._jobs[job_id]
        return self.put(job_id, order=order)

    def _begin_work(self, device: str) -> None:
        if self.is_closing:
            raise ShuttingDown
        if device not in ("", "cpu"):
            raise DeviceUnknown(f"there is no device {device!r}; there is cpu")
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal

    def get(self, job_id: str) -> StoredJob:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise JobNotFound(job_id) from None

    def list(
        self,
        states: Collection[JobState] = (),
        limit: int = 50,
        before: tuple[float, str] | None = None,
    ) -> list[StoredJob]:
        jobs = sorted(self._jobs.values(), key=lambda job: (job.created, job.id), reverse=True)
        return [
            job
            for job in jobs
            if (not states or job.state in states)
            and (before is None or (job.created, job.id) < before)
        ][:limit]

    def cancel(self, job_id: str) -> StoredJob:
        job = self.get(job_id)
        if job.state in (JobState.DONE, JobState.FAILED):
            raise NotPossible(f"job {job_id!r} is {job.state.value}, so it cannot be cancelled")
        return self._enter(job_id, JobState.CANCELLED)

    def pause(self, job_id: str) -> StoredJob:
        job = self.get(job_id)
        if job.state.is_ended:
            raise NotPossible(f"job {job_id!r} is {job.state.value}, so it cannot be paused")
        return self._enter(job_id, JobState.PAUSED)

    def resume(self, job_id: str) -> StoredJob:
        job = self.get(job_id)
        has_failed = job.failure is not None and job.failure.can_resume
        if job.state.is_ended and not has_failed:
            raise NotPossible(f"job {job_id!r} is {job.state.value} and cannot go on")
        if self.refusal is not None:
            raise self.refusal
        self.change(job_id, failure=None)
        return self._enter(job_id, JobState.QUEUED)

    def _enter(self, job_id: str, state: JobState) -> StoredJob:
        if self.get(job_id).state is not state:
            self.change(job_id, state=state)
            self.happen(job_id, StateChanged(state=state))
        return self.get(job_id)

    def delete(self, job_id: str) -> None:
        self.get(job_id)
        with self._news:
            del self._jobs[job_id]
            del self._events[job_id]
            self._news.notify_all()

    def reroll(
        self, job_id: str, new_job_id: str, changes: Sequence[KeyframeChange], request: Values
    ) -> StoredJob:
        parent = self.get(job_id)
        self._begin_work("")
        if parent.state is not JobState.DONE:
            raise NotPossible(f"job {job_id!r} is {parent.state.value}; wait until it is done")
        seeds = {str(change.index): change.seed or 99 for change in changes}
        pictures = {
            str(change.index): change.picture_path for change in changes if change.picture_path
        }
        prompts = {str(change.index): change.prompt for change in changes if change.prompt}
        settings = {
            **parent.order.settings,
            "keyframe_seeds": seeds,
            "keyframe_prompts": prompts,
            "keyframe_pictures": pictures,
        }
        order = replace(parent.order, parent_id=job_id, request=request, settings=settings)
        return self.create(new_job_id, order)

    def events(self, job_id: str, after: int, limit: int = 100) -> list[Event]:
        self.get(job_id)
        with self._news:
            return self._events[job_id][after : after + limit]

    def wait(self, job_id: str, after: int, timeout_s: float) -> bool:
        def has_news() -> bool:
            return self.get(job_id).last_sequence > after

        with self._news:
            happened = self._news.wait_for(lambda: self.is_closing or has_news(), timeout_s)
            if self.is_closing:
                raise ShuttingDown
            return happened

    def confirm(self, job_id: str, sha256: str) -> None:
        job = self.get(job_id)
        if job.result is None:
            raise NotPossible(f"job {job_id!r} is {job.state.value}, so it has no result")
        if job.result.sha256 != sha256:
            raise BadRequest("sha256", "it is not that of the result; fetch the result again")
        self.change(job_id, is_fetched=True)

    def folder(self, job_id: str) -> Path:
        return self.root / "jobs" / job_id

    def look(self, order: LookOrder) -> QueuedLook:
        self._begin_work(order.device)
        path = self.root / f"look{len(self.looks)}.png"
        path.write_bytes(encode_png(picture(order.index), mask=self.look_mask))
        look = QueuedLook(f"{len(self.looks)}", order, path, lambda _: None)
        for older in self.looks:
            if order.client_id and older.order.client_id == order.client_id:
                older.supersede()
        self.looks.append(look)
        if not self.is_look_silent:
            for step in range(1, self.look_steps + 1):
                look.put(LookStepDone(step, self.look_steps))
            look.put(LookPictureMade(path))
        return look

    def load(
        self, source: str | None, device: str, is_wanted: Callable[[], bool] = lambda: True
    ) -> None:
        self._begin_work(device)
        self.loaded.append((source, device))

    def unload(self, device: str) -> None:
        self._begin_work(device)
        self.loaded.clear()

    def drain(self, node: str, *, is_over: bool) -> None:
        if node != "studio2":
            raise NodeUnknown(f"the cluster has no machine {node!r}; there is studio2")
        self.drained.append((node, is_over))

    def devices(self) -> list[DeviceInfo]:
        return [
            DeviceInfo(
                id="cpu",
                name="A processor",
                memory_bytes=8 << 30,
                state="ready",
                model_source=None,
                has_model=True,
            )
        ]

    def list_models(self) -> list[dict[str, Any]]:
        return MODELS

    def pull(self, source: str) -> Generator[PullStep, None, None]:
        self._begin_work("")
        return self._pull()

    def _pull(self) -> Generator[PullStep, None, None]:
        try:
            yield from self.pull_steps
        finally:
            self.pulls_closed += 1

    def disk_bytes(self, job_id: str | None = None) -> int:
        folder = self.root if job_id is None else self.folder(job_id)
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    def free_disk_bytes(self) -> int:
        return 1 << 40

    def uploads_in_use(self) -> set[str]:
        jobs = [job for job in self._jobs.values() if not job.state.is_ended]
        return {job.order.upload for job in jobs if job.order.upload is not None}

    def make_room(self, wanted_bytes: int) -> None:
        if wanted_bytes > self.settings.limits.disk_bytes:
            raise DaemonLimitReached(
                "there is no room; fetch results or delete jobs", reason="NO_ROOM"
            )

    def tidy(self) -> None:
        """Nothing here gets old."""

    def open_jobs(self) -> int:
        return sum(not job.state.is_ended for job in self._jobs.values())

    def touched(self) -> None:
        self.touches += 1
