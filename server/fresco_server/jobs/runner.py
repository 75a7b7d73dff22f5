"""Who works on jobs: one runner per device, which owns the device's worker process.

A runner is a thread that takes items from its inbox one by one: requests of clients, messages of
the worker, the worker's death. Only it decides what the worker does, so nothing can overlap.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from fresco_engine.errors import DiskFull, OutputNotWritable

from fresco_server.errors import NotPossible, ShuttingDown, StoreBusy, WorkerLost, reason_of
from fresco_server.jobs.devices import DeviceInfo, DeviceState
from fresco_server.jobs.errands import Errands, Load, work_order
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import Job, Values
from fresco_server.jobs.looks import Look
from fresco_server.jobs.narrator import Narrator
from fresco_server.jobs.process import WorkerProcess
from fresco_server.jobs.starting import Starts, cause
from fresco_server.jobs.stopping import apply_wanted, release
from fresco_server.jobs.store import JobStore
from fresco_server.settings import ServerSettings

_LOGGER = logging.getLogger(__name__)
_STOP_PATIENCE_S = 1.2
"""A stop takes effect within two seconds: by then the worker has stopped by itself or is killed."""
_START_PATIENCE_S = 180.0
"""Importing torch from a cold disk takes its time."""
_CRASHES_ALLOWED = 2
_UNEXPECTED = "UNEXPECTED"
_ROOM_PATIENCE_S = 1.0
"""How long the disk has been full when it is tried again."""

Noted = TypeVar("Noted")


class Runner:
    """Works on queued jobs and looks that one device may do.

    After `idle_unload_s` of the settings without work the process
    ends, and with it all memory it holds is free.
    """

    def __init__(
        self, device: DeviceInfo, store: JobStore, folders: DataFolder, settings: ServerSettings
    ) -> None:
        self.device_id = device.id
        self._device = device
        self._store = store
        self._folders = folders
        self._idle_unload_s = settings.idle_unload_s
        self._command = (*settings.worker, "--device", device.id)
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._worker: WorkerProcess | None = None
        self._is_ready = False
        self._model: tuple[str | None] | None = None
        self._job: Job | None = None
        self._narrator: Narrator | None = None
        self._crashes: dict[str, tuple[int, int]] = {}
        self._starts = Starts()
        self._refusal = ""
        self.is_replaceable: Callable[[], bool] = _never
        self._errands = Errands(self._send_if_ready)
        self._kill_at: float | None = None
        self._idle_since = time.monotonic()
        self._is_closing = False
        self._closes = threading.Event()
        self._lacks_room: DiskFull | None = None
        self._thread = threading.Thread(target=self._run, name=f"runner-{device.id}", daemon=True)

    # What others may call, from any thread

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def adopt(self, worker: WorkerProcess) -> None:
        """Take over a worker that has started already; before `start`."""
        self._worker, self._is_ready = worker, True

    def has_failed(self, problem: str, log_tail: str) -> None:
        """Know that a first worker could not be started; before `start`."""
        self._starts.failed(problem, log_tail)

    @property
    def can_start(self) -> bool:
        """Whether nothing is known that keeps the worker from starting."""
        return not self._starts.problem

    def wake(self) -> None:
        """Look whether there is something to do."""
        self._inbox.put(lambda: None)

    def stop_job(self, job_id: str) -> None:
        """Stop the job, if it runs here, as it wants to be."""
        self._inbox.put(lambda: self._stop(job_id))

    def look(self, look: Look) -> None:
        """Work on a look as soon as possible."""
        self._inbox.put(lambda: self._begin_look(look))

    def withdraw(self, look: Look) -> None:
        """Stop working on a look."""
        self._inbox.put(lambda: self._errands.withdraw(look))

    def load(self, source: str | None) -> None:
        """Load a model and wait until it is there.

        Raises:
            ServerError: it cannot be loaded.
        """
        load = Load(source)
        self._inbox.put(lambda: self._begin_load(load))
        load.wait()

    def unload(self) -> bool:
        """End the worker process; whether that was possible."""
        answer: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._inbox.put(lambda: answer.put(self._unload()))
        return answer.get(timeout=10)

    def close(self) -> None:
        """Stop at once; a job that runs stays queued and goes on when the daemon starts again."""
        self._inbox.put(self._begin_closing)
        self._closes.set()
        self._thread.join(5.0)

    @property
    def info(self) -> DeviceInfo:
        """The device and what happens there."""
        job = self._job
        is_busy = job is not None or not self._errands.are_done
        state: DeviceState = "busy" if is_busy else "ready"
        if self._worker is None:
            state = "stopped"
        elif not self._is_ready:
            state = "starting"
        problem = self._starts.problem
        return DeviceInfo(
            id=self._device.id,
            # For whoever asks how the daemon is.
            name=f"{self._device.name} (does not start: {problem})"
            if problem
            else self._device.name,
            memory_bytes=self._device.memory_bytes,
            state=state,
            model_source=self._model[0] if self._model else None,
            has_model=self._model is not None,
            job_id=job.id if job else "",
        )

    def said(self, worker: WorkerProcess, message: Values) -> None:
        """The worker says something; called on the worker's thread."""
        self._inbox.put(lambda: self._hear(worker, message))

    def ended(self, worker: WorkerProcess, code: int) -> None:
        """The worker has ended; called on the worker's thread."""
        self._inbox.put(lambda: self._bury(worker, code))

    # The thread

    def _run(self) -> None:
        while not self._is_closing:
            try:
                self._begin_next()
                self._inbox.get(timeout=self._patience())()
            except queue.Empty:
                self._on_time()
            except (StoreBusy, ShuttingDown) as fault:
                _LOGGER.warning("%s: %s", self.device_id, fault)
                time.sleep(0.2)
            except Exception:
                # One item that cannot be dealt with must not end the device's thread.
                _LOGGER.exception("%s: something unexpected happened", self.device_id)
                time.sleep(0.2)

    def _note(self, what: Callable[[], Noted]) -> Noted:
        """Have something written down; on a full disk again and again, lest it is forgotten.

        Raises:
            DiskFull, StoreBusy: the runner closes before it can be.
        """
        while True:
            try:
                return what()
            except StoreBusy as fault:
                _LOGGER.warning("%s: %s", self.device_id, fault)
                if self._closes.wait(_ROOM_PATIENCE_S):
                    raise
            except DiskFull as fault:
                self._make_room(fault)
                if self._closes.wait(_ROOM_PATIENCE_S):
                    raise

    def _make_room(self, fault: DiskFull) -> None:
        """The job that fills the disk ends, and what it has half-written makes room to say so."""
        _LOGGER.warning("%s: %s", self.device_id, fault)
        if self._job is None or self._worker is None:
            return
        self._lacks_room = fault
        self._worker.kill()
        self._folders.remove_unfinished(self._job.id)

    def _patience(self) -> float:
        waits = [60.0]
        now = time.monotonic()
        if self._kill_at is not None:
            waits.append(self._kill_at - now)
        if self._worker is None and self._starts.wait_s:
            waits.append(self._starts.wait_s)
        if self._is_ready and self._is_idle():
            waits.append(self._idle_since + self._idle_unload_s - now)
        return max(0.0, min(waits))

    def _on_time(self) -> None:
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at and self._worker is not None:
            _LOGGER.info("%s: the worker does not stop; killing it", self.device_id)
            self._kill_at = None
            self._worker.kill()
        elif self._is_ready and self._is_idle() and now >= self._idle_since + self._idle_unload_s:
            self._unload()

    def _is_idle(self) -> bool:
        return self._job is None and self._errands.are_done

    def _begin_next(self) -> None:
        """Give the worker the next job, if it has none and nobody waits for a look."""
        if self._job is not None or self._is_closing:
            return
        job = self._store.next_queued(("", self.device_id))
        if job is None:
            return
        if not self._ensure_worker():
            return
        _LOGGER.info("job %s: begins on %s", job.id, self.device_id)
        self._store.database.keep_reserve()
        try:
            folder = self._note(lambda: self._folders.prepare_job(job.id))
        except (NotPossible, OutputNotWritable) as fault:
            self._fail(job, reason_of(type(fault).__name__), str(fault), "")
            return
        narrator = Narrator(self._store, job)
        self._note(narrator.begin)
        self._job, self._narrator, self._lacks_room = job, narrator, None
        self._send({"do": "run", "job": job.id, "folder": str(folder), **work_order(job)})

    def _ensure_worker(self) -> bool:
        """Start the worker if there is none and it is time for it; whether it is ready."""
        if self._worker is None and not self._starts.wait_s:
            self._is_ready, self._refusal = False, ""
            try:
                self._worker = WorkerProcess(
                    f"worker-{self.device_id}",
                    self._command,
                    self._folders.looks,
                    self.said,
                    self.ended,
                )
            except WorkerLost as fault:
                self._errands.fail(fault)
                self._give_up_starting(str(fault), "")
                return False
            self._kill_at = time.monotonic() + _START_PATIENCE_S
        return self._is_ready

    def _send(self, order: Values) -> None:
        assert self._worker is not None
        self._worker.send(order)

    def _hear(self, worker: WorkerProcess, message: Values) -> None:
        if worker is not self._worker:
            return
        say = message["say"]
        if say == "ready":
            self._become_ready()
        elif say in ("refused", "broken"):
            self._refusal = message["message"]
        elif say == "holds":
            self._model = (message["source"],)
        elif self._errands.hear(message):
            self._idle_since = time.monotonic()
        elif self._job is not None and message.get("job") == self._job.id:
            self._hear_of_job(message)
        if message.get("reason") == _UNEXPECTED:
            # The device may be lost to this process, as after an error of its driver.
            self._unload()

    def _become_ready(self) -> None:
        self._is_ready = True
        self._starts.succeeded()
        self._kill_at = None
        self._idle_since = time.monotonic()
        self._errands.send_all()

    def _hear_of_job(self, message: Values) -> None:
        assert self._job is not None
        assert self._narrator is not None
        if message["say"] == "stopped":
            self._finish_stop()
            return
        narrator = self._narrator
        if self._note(lambda: narrator.tell(message)):
            self._leave_job()

    def _leave_job(self) -> None:
        self._job = self._narrator = None
        self._kill_at = None
        self._idle_since = time.monotonic()

    # Stopping

    def _stop(self, job_id: str) -> None:
        if self._job is None or self._job.id != job_id:
            self._store_stop(job_id)
            return
        self._send({"do": "stop", "job": job_id})
        if self._kill_at is None:
            self._kill_at = time.monotonic() + _STOP_PATIENCE_S

    def _finish_stop(self) -> None:
        assert self._job is not None
        job_id = self._job.id
        self._leave_job()
        self._store_stop(job_id)

    def _store_stop(self, job_id: str) -> None:
        """What was wanted of a job that does not run happens."""
        if not self._store.has(job_id):
            return
        self._note(lambda: apply_wanted(self._store, self._store.get(job_id)))

    # The worker's death

    def _bury(self, worker: WorkerProcess, code: int) -> None:
        if worker is not self._worker:
            return
        _LOGGER.info("%s: the worker ended with %d", self.device_id, code)
        has_started = self._is_ready
        self._worker, self._is_ready, self._model = None, False, None
        self._kill_at = None
        message = f"the worker process ended ({cause(code)}); try again"
        self._errands.fail(WorkerLost(message, worker.log_tail))
        if self._job is not None:
            self._recover(worker, code)
        elif not has_started:
            self._give_up_starting(self._refusal or cause(code), worker.log_tail)

    def _give_up_starting(self, problem: str, log_tail: str) -> None:
        """A worker that cannot even start is tried a few times, then the next job fails for it.

        Jobs that any device may do wait for another one, where there is one.
        """
        self._starts.failed(problem, log_tail)
        _LOGGER.warning("%s: the worker does not start (%s)", self.device_id, problem)
        if not self._starts.is_job_lost():
            return
        others = () if self.is_replaceable() else ("",)
        job = self._store.next_queued((*others, self.device_id))
        if job is not None:
            self._note(lambda: self._starts.fail(self._store, job))

    def _recover(self, worker: WorkerProcess, code: int) -> None:
        """The job whose worker died goes on, unless it was to stop, or dies again and again."""
        assert self._job is not None
        job = self._store.get(self._job.id) if self._store.has(self._job.id) else None
        self._leave_job()
        if job is None:
            return
        if self._lacks_room is not None:
            self._fail(job, "DISK_FULL", str(self._lacks_room), "")
        elif job.wanted or self._count_crash(job) <= _CRASHES_ALLOWED:
            reason = f"the worker process ended ({cause(code)}); trying again"
            self._note(lambda: release(self._store, job.id, reason))
        else:
            self._crashes.pop(job.id, None)
            self._fail(
                job,
                "WORKER_LOST",
                f"the process that worked on it ended {_CRASHES_ALLOWED + 1} times without "
                f"getting further ({cause(code)}); use a smaller size or batch, or look at the "
                "log",
                worker.log_tail,
            )

    def _fail(self, job: Job, reason: str, text: str, log_tail: str) -> None:
        narrator = Narrator(self._store, job)
        self._note(lambda: narrator.fail(reason, text, log_tail=log_tail, can_resume=True))

    def _count_crash(self, job: Job) -> int:
        """How often the job's worker has died since anything new was made."""
        made = len(job.ready_keyframes) + job.ready_frames
        before, count = self._crashes.get(job.id, (made, 0))
        count = 1 if before != made else count + 1
        self._crashes[job.id] = (made, count)
        return count

    # Errands

    def _begin_look(self, look: Look) -> None:
        if self._is_closing:
            look.put(ShuttingDown())
        elif self._cannot_start_now():
            look.put(WorkerLost(self._starts.sentence, self._starts.log_tail))
        else:
            self._errands.add_look(look)
            self._ensure_worker()

    def _begin_load(self, load: Load) -> None:
        if self._cannot_start_now():
            load.end(WorkerLost(self._starts.sentence, self._starts.log_tail))
            return
        self._errands.add_load(load)
        self._ensure_worker()

    def _cannot_start_now(self) -> bool:
        return self._worker is None and self._starts.wait_s > 0

    def _send_if_ready(self, order: Values) -> None:
        if self._is_ready:
            self._send(order)

    def _unload(self) -> bool:
        if not self._is_idle():
            return False
        if self._worker is not None:
            _LOGGER.info("%s: freeing the device's memory", self.device_id)
            worker, self._worker = self._worker, None
            self._model, self._is_ready = None, False
            worker.close()
        return True

    def _begin_closing(self) -> None:
        self._is_closing = True
        self._errands.fail(ShuttingDown())
        if self._worker is not None:
            self._worker.kill()
            self._worker.close()
        if self._job is not None:
            release(self._store, self._job.id, "the daemon was stopped")


def _never() -> bool:
    return False
