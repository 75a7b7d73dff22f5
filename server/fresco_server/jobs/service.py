"""What the daemon can be asked about jobs: the one door of this package."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection, Generator, Sequence
from pathlib import Path
from typing import Any

from fresco_client.events import Event
from fresco_client.settings import KeyframeChange
from fresco_client.values import JobState

from fresco_server.errors import (
    BadRequest,
    CannotStart,
    DaemonLimitReached,
    EngineRefused,
    JobExists,
    NotPossible,
    ShuttingDown,
    WorkerLost,
)
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.disk_quota import DiskQuota
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import JobOrder, StoredJob, Values
from fresco_server.jobs.looks import LookOrder, QueuedLook
from fresco_server.jobs.media import MediaProcesses
from fresco_server.jobs.path_policy import worker_command
from fresco_server.jobs.pulls import Pulls, PullStep
from fresco_server.jobs.reconciling import reconcile
from fresco_server.jobs.records import Records
from fresco_server.jobs.reroll import (
    changed_order,
    check_changes,
    check_uploads,
    take_over,
    unpainted,
)
from fresco_server.jobs.runner_pool import RunnerPool
from fresco_server.jobs.stopping import release, stop_waiting
from fresco_server.jobs.store import JobStore
from fresco_server.jobs.uploads import Uploads
from fresco_server.settings import ServerSettings

_LOGGER = logging.getLogger(__name__)
_STOP_PATIENCE_S = 3.0
_LEAST_JOB_BYTES = 16 << 20


class Jobs:
    """Jobs, looks, uploads and models. Every method may be called from any thread.

    Making one takes up what an earlier daemon left; `start` begins to work. Until the devices are
    known, which takes seconds, jobs are taken and wait. `failure` is set if there are none.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._folders = DataFolder(settings.data)
        self._folders.make()
        self._records = Records(self._folders)
        self._store = JobStore(self._folders.database, self._records)
        try:
            self._recover()
            self.uploads = Uploads(self._folders.uploads, settings.limits, self.make_room)
        except BaseException:
            self._store.close()
            raise
        self.media = MediaProcesses(worker_command(settings), self._folders.looks)
        self._pulls = Pulls(worker_command(settings), self._folders.looks)
        self._quota = DiskQuota(self._store, self._folders, self.uploads, settings.limits)
        self._runner_pool = RunnerPool(settings, self._store, self._folders)
        self._creating = threading.Lock()
        self._looks: dict[str, QueuedLook] = {}
        self._looks_lock = threading.Lock()
        self._touched = time.monotonic()
        self.is_closing = False

    def _recover(self) -> None:
        """Take up the work where a killed daemon left it."""
        reconcile(self._store, self._records)
        self._folders.settle()
        self._folders.sweep(self._store.ids())
        running = [state for state in JobState if state.is_running]
        for job in self._store.list(running, limit=1_000_000):
            release(self._store, job.id, "the daemon was restarted")
        for job in self._store.list([JobState.QUEUED], limit=1_000_000):
            stop_waiting(self._store, job.id)

    def start(self) -> None:
        """Begin to work on the queue as soon as there is somebody to do it."""
        self._runner_pool.start()

    def close(self) -> None:
        """Stop all work; what runs stays in the queue and goes on at the next start."""
        if self.is_closing:
            return
        self.is_closing = True
        self._runner_pool.close()
        self.media.close()
        self._pulls.close()
        self._store.close()

    # Jobs

    def create(self, job_id: str, order: JobOrder, *, is_urgent: bool = False) -> StoredJob:
        """A new job in the queue; or the one there is, if it was asked for by the same request.

        Raises:
            JobExists: the id is taken by a job with another request.
            LimitReached: the queue, the quota or the disk is full.
            DeviceUnknown: the device is not there.
            ShuttingDown: the daemon is about to end.
        """
        self._check_open()
        self._runner_pool.check(order.device)
        with self._creating, self._quota.holding(order):
            if not self._store.has(job_id):
                self._store.check_queue(self._settings.limits.queued_jobs)
                self._quota.make_room(_LEAST_JOB_BYTES)
            return self._add(job_id, order, is_urgent=is_urgent)

    def _add(self, job_id: str, order: JobOrder, *, is_urgent: bool = False) -> StoredJob:
        job = self._store.add(
            job_id, order, is_urgent=is_urgent, most_queued=self._settings.limits.queued_jobs
        )
        _LOGGER.info("job %s: queued (%s)", job_id, order.title)
        self._runner_pool.wake()
        return job

    def _check_open(self) -> None:
        if self.is_closing:
            raise ShuttingDown

    def get(self, job_id: str) -> StoredJob:
        """A job.

        Raises:
            JobNotFound: there is none of that id.
        """
        return self._store.get(job_id)

    def list(
        self,
        states: Collection[JobState] = (),
        limit: int = 50,
        before: tuple[float, str] | None = None,
    ) -> list[StoredJob]:
        """Jobs, the newest first; `before` holds creation time and id of the last one known."""
        return self._store.list(states, limit, before)

    def cancel(self, job_id: str) -> StoredJob:
        """End a job for good.

        Raises:
            JobNotFound, NotPossible: there is none, or it has ended.
        """
        job = self._store.get(job_id)
        if job.state in (JobState.DONE, JobState.FAILED):
            raise NotPossible(f"job {job_id!r} is {job.state.value}, so it cannot be cancelled")
        return job if job.state is JobState.CANCELLED else self._stop(job_id, "cancel")

    def pause(self, job_id: str) -> StoredJob:
        """Stop a job so that it can go on.

        Raises:
            JobNotFound, NotPossible: there is none, or it has ended.
        """
        job = self._store.get(job_id)
        if job.state.is_ended:
            raise NotPossible(f"job {job_id!r} is {job.state.value}, so it cannot be paused")
        return job if job.state is JobState.PAUSED else self._stop(job_id, "pause")

    def _stop(self, job_id: str, wanted: str) -> StoredJob:
        """Ask for it, and wait until it has happened or the time for it is over."""
        self._store.want(job_id, wanted)
        self._runner_pool.stop_job(job_id)
        return self._store.wait_until(job_id, lambda job: not job.wanted, _STOP_PATIENCE_S)

    def resume(self, job_id: str) -> StoredJob:
        """Put a paused job, or a failed one that can go on, back into the queue.

        Raises:
            JobNotFound, NotPossible: there is none, or it cannot go on.
            LimitReached: the queue is full.
        """
        self._check_open()
        job = self._store.get(job_id)
        if job.wanted == "pause":
            self._store.want(job_id, "")
        if job.state is JobState.QUEUED or job.state.is_running:
            return self._store.get(job_id)
        has_failed = job.failure is not None and job.failure.can_resume
        if job.state is not JobState.PAUSED and not has_failed:
            raise NotPossible(
                f"job {job_id!r} is {job.state.value} and cannot go on; create a new job"
            )
        self._store.check_queue(self._settings.limits.queued_jobs)
        job = self._store.requeue(job_id, "resumed", is_first=False)
        self._runner_pool.wake()
        return job

    def delete(self, job_id: str) -> None:
        """Forget a job and all it has made.

        Raises:
            JobNotFound: there is none of that id.
            NotPossible: it does not stop.
        """
        job = self._store.get(job_id)
        if not job.state.is_ended:
            job = self._stop(job_id, "cancel")
        if job.state.is_running:
            raise NotPossible(f"job {job_id!r} does not stop; try again in a moment")
        self._store.delete(job_id)
        self._folders.remove_job(job_id)
        _LOGGER.info("job %s: deleted", job_id)

    def reroll(
        self, job_id: str, new_job_id: str, changes: Sequence[KeyframeChange], request: Values
    ) -> StoredJob:
        """A new job with all of a finished one but some keyframes and what depends on them.

        Raises:
            JobNotFound, NotPossible, UploadNotFound: there is none, it is not done, or not there.
            InvalidSettings, BadRequest: the changes name frames that are no keyframes, or none.
            EngineRefused: its clip or another of its files is gone, or another by now.
            JobExists, LimitReached, ShuttingDown: as for `create`.
        """
        self._check_open()
        parent = self._store.get(job_id)
        if parent.state is not JobState.DONE:
            raise NotPossible(f"job {job_id!r} is {parent.state.value}; wait until it is done")
        check_changes(changes)
        if not self._store.has(new_job_id):
            self._check_files(parent.order)
        with self._creating, self._quota.holding(parent):
            parent = self._store.get(job_id)
            if self._store.has(new_job_id):
                return self._same_request(new_job_id, request)
            check_uploads(parent.order, self.uploads)
            self._store.check_queue(self._settings.limits.queued_jobs)
            self._quota.make_room(_LEAST_JOB_BYTES)
            order = changed_order(parent, changes, self._folders.job(new_job_id), request)
            with self._folders.filling(new_job_id) as target:
                take_over(parent, self._folders.job(parent.id), target, changes)
            return self._add(new_job_id, order)

    def _check_files(self, order: JobOrder) -> None:
        """Raises at once what a job would end with whose files are others by now, or gone."""
        check_uploads(order, self.uploads)
        try:
            self.media.check(unpainted(order))
        except WorkerLost as error:
            if self.is_closing:
                raise ShuttingDown from error
            raise EngineRefused(str(error), reason="CLIP_UNREADABLE") from error

    def _same_request(self, job_id: str, request: Values) -> StoredJob:
        job = self._store.get(job_id)
        if dict(job.order.request) != dict(request):
            raise JobExists(job_id)
        return job

    def events(self, job_id: str, after: int, limit: int = 100) -> list[Event]:
        """Events with a sequence number above `after`, in order.

        Raises:
            JobNotFound: the job was deleted.
        """
        return self._store.events(job_id, after, limit)

    def wait(self, job_id: str, after: int, timeout_s: float) -> bool:
        """Wait for an event beyond `after`; whether there is one.

        Raises:
            JobNotFound: the job was deleted.
            ShuttingDown: the daemon is about to end.
        """
        return self._store.wait(job_id, after, timeout_s)

    def confirm(self, job_id: str, sha256: str) -> None:
        """Note that a client has the result.

        Raises:
            JobNotFound, NotPossible: there is none, or it is not done.
            BadRequest: what the client has is something else.
        """
        job = self._store.get(job_id)
        if job.state is not JobState.DONE or job.result is None:
            raise NotPossible(f"job {job_id!r} is {job.state.value}, so it has no result")
        if job.result.sha256 != sha256:
            raise BadRequest("sha256", "it is not that of the result; fetch the result again")
        self._store.set_fetched(job_id)

    def folder(self, job_id: str) -> Path:
        """A job's folder: a checkpoint of the engine, and the result."""
        return self._folders.job(job_id)

    # Looks

    def look(self, order: LookOrder) -> QueuedLook:
        """Restyle one frame now; an older look of the same client ends.

        Raises:
            LimitReached: too many looks wait.
            DeviceUnknown, ShuttingDown: as for `create`.
        """
        self._check_open()
        self._runner_pool.check(order.device)
        with self._looks_lock:
            self._looks = {key: look for key, look in self._looks.items() if not look.has_ended}
            older = self._looks.get(order.client_id) if order.client_id else None
            most = self._settings.limits.queued_looks
            if older is None and len(self._looks) >= most:
                raise DaemonLimitReached(
                    f"{most} looks wait already; try again in a moment", reason="TOO_MANY_LOOKS"
                )
            runner = self._runner_pool.runner_for(order.device)
            look_id = secrets.token_hex(8)
            look = QueuedLook(look_id, order, self._folders.look(look_id), runner.withdraw)
            self._looks[order.client_id or look_id] = look
        if older is not None:
            older.supersede()
        runner.look(look)
        return look

    # Models and devices

    def load(
        self, source: str | None, device: str, is_wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """Load a model ahead of its first use, and wait until it is there, if it `is_wanted`.

        Raises:
            ServerError: it cannot be loaded.
        """
        self._check_open()
        self._runner_pool.check(device)
        self._runner_pool.runner_for(device, is_first=True).load(source, is_wanted)

    def unload(self, device: str) -> None:
        """Free a device's memory, or that of all devices that are not in use.

        Raises:
            NotPossible: the device is in use.
        """
        self._runner_pool.check(device)
        self._runner_pool.unload(device)

    def drain(self, node: str, *, is_over: bool) -> None:
        """As `RunnerPool.drain`."""
        self._runner_pool.drain(node, is_over=is_over)

    def devices(self) -> list[DeviceInfo]:
        """The devices and what happens there; none while they are not known yet."""
        return self._runner_pool.devices()

    def list_models(self) -> list[dict[str, Any]]:
        """The models on this machine and known ones on the hub, as plain values.

        One that is half downloaded is none yet.
        """
        coming = self._pulls.sources
        found = self.media.list_models([str(folder) for folder in self._settings.model_folders])
        return [entry for entry in found if entry["source"] not in coming]

    def pull(self, source: str) -> Generator[PullStep, None, None]:
        """Download a model; closing the generator stops it.

        Raises:
            EngineRefused, WorkerLost: it cannot be had.
        """
        self._check_open()
        return self._pulls.pull(source)

    # The daemon itself

    def disk_bytes(self, job_id: str | None = None) -> int:
        """Bytes of one job's files, or of all jobs and uploads."""
        return self._folders.all_bytes() if job_id is None else self._folders.job_bytes(job_id)

    def free_disk_bytes(self) -> int:
        """Bytes free on the disk."""
        return self._folders.free_bytes()

    def uploads_in_use(self) -> set[str]:
        """Digests of the uploads that jobs need which may still run."""
        return self._quota.uploads_in_use()

    def make_room(self, wanted_bytes: int) -> None:
        """See to it that `wanted_bytes` more may be stored.

        Raises:
            LimitReached: there is no room, and nothing that may go.
        """
        self._quota.make_room(wanted_bytes)

    def tidy(self) -> None:
        """Now and then remove what nobody needs any more; quick where there is nothing."""
        self.uploads.sweep_now_and_then()

    def open_jobs(self) -> int:
        """How many jobs wait or run."""
        return self._store.count_open()

    def touched(self) -> None:
        """Note that a client is there."""
        self._touched = time.monotonic()

    @property
    def failure(self) -> CannotStart | None:
        """Why nothing can go on: there is no such device, or the list of jobs was damaged."""
        return self._store.database.fault or self._runner_pool.failure

    @property
    def idle_s(self) -> float:
        """Seconds since a client was last there or anything was worked on."""
        if self._runner_pool.is_busy or self.open_jobs():
            self.touched()
        return time.monotonic() - self._touched
