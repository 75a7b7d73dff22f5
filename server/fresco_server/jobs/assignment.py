"""The job that a device's worker has: taken from the queue, noted, given back when it must be."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from fresco_client.values import Failure
from fresco_engine.errors import DiskFull, OutputNotWritable

from fresco_server.errors import NotPossible, StoreBusy, reason_of
from fresco_server.jobs.event_recorder import EventRecorder
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import StoredJob
from fresco_server.jobs.messages import JobMessage, JobStopped, RunJob, StopJob
from fresco_server.jobs.starting import cause, worker_lost
from fresco_server.jobs.stopping import release, stop_waiting
from fresco_server.jobs.store import JobStore
from fresco_server.jobs.worker_lifecycle import WorkerLifecycle

_LOGGER = logging.getLogger(__name__)
_CRASHES_ALLOWED = 2
_SHARED_CRASHES_ALLOWED = 20
"""While looks or models were worked on as well, whose fault most of these are."""
_ROOM_PATIENCE_S = 1.0
"""How long the disk has been full when it is tried again."""

Noted = TypeVar("Noted")


class JobAssignment:
    """At most one job at a time; used on its runner's thread.

    Once `closes` is set nothing is waited for any longer. `names` are those by which jobs name
    the device, if there is more than its own.
    """

    def __init__(
        self,
        device_id: str,
        worker: WorkerLifecycle,
        store: JobStore,
        folders: DataFolder,
        closes: threading.Event,
        names: Callable[[], tuple[str, ...]] | None = None,
    ) -> None:
        self.job: StoredJob | None = None
        self._device_id = device_id
        self._names = names or (lambda: (device_id,))
        self._worker = worker
        self._store = store
        self._folders = folders
        self._closes = closes
        self._recorder: EventRecorder | None = None
        self._crashes: dict[str, tuple[int, int, int]] = {}
        self._lacks_room: DiskFull | None = None

    def next(self, *, takes_any: bool = True) -> StoredJob | None:
        """The first in the queue for this device, also of those that any device may do."""
        named = self._names()
        return self._store.next_queued(("", *named) if takes_any else named)

    def begin(self, job: StoredJob) -> None:
        """Have the worker do a job, unless another device has begun with it."""
        recorder = EventRecorder(self._store, job)
        self._store.database.keep_reserve()
        if not self._note(recorder.begin):
            return
        _LOGGER.info("job %s: begins on %s", job.id, self._device_id)
        try:
            folder = self._note(lambda: self._folders.prepare_job(job.id))
        except (NotPossible, OutputNotWritable) as fault:
            reason = reason_of(type(fault).__name__)
            self.fail(job, Failure(reason=reason, message=str(fault), can_resume=True))
            return
        self.job, self._recorder, self._lacks_room = job, recorder, None
        # What clients are answered is nothing to the worker.
        order = replace(job.order, clip_info={}, request={})
        run = RunJob(job=job.id, folder=str(folder), order=order, restarts=job.restarts)
        self._worker.send(run)

    def on_message(self, message: JobMessage) -> None:
        """Take in what the worker says of its job."""
        recorder = self._recorder
        if self.job is None or recorder is None or message.job != self.job.id:
            return
        if isinstance(message, JobStopped):
            self._leave()
            if self._lacks_room is not None and self._store.has(message.job):
                self._fail_for_room(self._store.get(message.job), self._lacks_room)
                return
            # It may be wanted again by now.
            self._note(lambda: release(self._store, message.job, "resumed"))
        elif self._note(lambda: recorder.record(message.event)):
            self._leave()

    def stop(self, job_id: str) -> None:
        """Have what is wanted of a job happen: now, or once the worker that has it has stopped."""
        if self.job is None or self.job.id != job_id:
            self._note(lambda: stop_waiting(self._store, job_id))
            return
        self._worker.send(StopJob(job=job_id))
        self._worker.must_stop()

    def give_back(self, reason: str) -> None:
        """Let the job wait as the first in the queue, or stop as it was to."""
        if self.job is not None:
            release(self._store, self.job.id, reason)

    def recover(self, code: int, log_tail: str, *, was_alone: bool = True) -> None:
        """The job whose worker died goes on, unless it was to stop, or dies again and again.

        Where the worker did something else beside it, that is more likely to be at fault.
        """
        assert self.job is not None
        job = self._store.get(self.job.id) if self._store.has(self.job.id) else None
        self._leave()
        if job is None or not job.state.is_running:
            return
        if self._lacks_room is not None:
            self._fail_for_room(job, self._lacks_room)
        elif job.wanted or self._may_go_on(job, was_alone=was_alone):
            reason = f"the worker process ended ({cause(code)}); trying again"
            self._note(lambda: release(self._store, job.id, reason))
        else:
            self._crashes.pop(job.id, None)
            message = (
                "the process that worked on it ended again and again without getting further "
                f"({cause(code)}); use a smaller size or batch, a clip with smaller pictures, or "
                "look at the log"
            )
            self.fail(job, worker_lost(message, log_tail))

    def fail(self, job: StoredJob, failure: Failure) -> None:
        """End a job that cannot be done."""
        self._note(lambda: EventRecorder(self._store, job).fail(failure))

    def _fail_for_room(self, job: StoredJob, fault: DiskFull) -> None:
        self.fail(job, Failure(reason="DISK_FULL", message=str(fault), can_resume=True))

    def _leave(self) -> None:
        self.job = self._recorder = None
        self._worker.is_free()

    def _may_go_on(self, job: StoredJob, *, was_alone: bool) -> bool:
        """Whether the job's worker has died seldom enough since anything new was made."""
        made = len(job.ready_keyframes) + job.ready_frames
        before, alone, shared = self._crashes.get(job.id, (made, 0, 0))
        if before != made:
            alone = shared = 0
        alone, shared = (alone + 1, shared) if was_alone else (alone, shared + 1)
        self._crashes[job.id] = (made, alone, shared)
        return alone <= _CRASHES_ALLOWED and shared <= _SHARED_CRASHES_ALLOWED

    def _note(self, what: Callable[[], Noted]) -> Noted:
        """Have something written down; on a full disk again and again, lest it is forgotten.

        Raises:
            DiskFull, StoreBusy: the runner closes before it can be.
        """
        while True:
            try:
                return what()
            except StoreBusy as fault:
                _LOGGER.warning("%s: %s", self._device_id, fault)
                if self._closes.wait(_ROOM_PATIENCE_S):
                    raise
            except DiskFull as fault:
                self._make_room(fault)
                if self._closes.wait(_ROOM_PATIENCE_S):
                    raise

    def _make_room(self, fault: DiskFull) -> None:
        """The job that fills the disk ends, and what it has half-written makes room to say so."""
        _LOGGER.warning("%s: %s", self._device_id, fault)
        if self.job is None or not self._worker.is_running:
            return
        self._lacks_room = fault
        if not self._worker.give_up():
            self._worker.send(StopJob(job=self.job.id))
        self._folders.remove_unfinished(self.job.id)
