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
from functools import partial

from fresco_server.errors import ShuttingDown, StoreBusy, WorkerLost
from fresco_server.jobs.assignment import JobAssignment
from fresco_server.jobs.auxiliary_tasks import AuxiliaryTasks, ModelLoad
from fresco_server.jobs.devices import DeviceInfo, DeviceState
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.looks import QueuedLook
from fresco_server.jobs.messages import (
    Ended,
    JobMoved,
    JobStopped,
    LoadFailed,
    LookFailed,
    LookMade,
    LookMoved,
    Message,
    ModelLoaded,
    Ready,
    failure_in,
)
from fresco_server.jobs.path_policy import worker_command
from fresco_server.jobs.process import OnMessage, WorkerProcess
from fresco_server.jobs.starting import cause, worker_lost
from fresco_server.jobs.store import JobStore
from fresco_server.jobs.worker_lifecycle import WorkerLifecycle
from fresco_server.settings import ServerSettings

_LOGGER = logging.getLogger(__name__)
_UNEXPECTED = "UNEXPECTED"


class Runner:
    """Works on queued jobs and looks that one device may do.

    `begin` starts its worker, if that is not a process of its own; `names` are those by which jobs
    name the device, if there is more than its own.
    """

    def __init__(
        self,
        device: DeviceInfo,
        store: JobStore,
        folders: DataFolder,
        settings: ServerSettings,
        *,
        begin: Callable[[OnMessage], WorkerProcess] | None = None,
        names: Callable[[], tuple[str, ...]] | None = None,
    ) -> None:
        self.device_id = device.id
        self.is_replaceable: Callable[[], bool] = _never
        self.is_needed: Callable[[], bool] = _always
        self._device = device
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._closes = threading.Event()
        command = (*worker_command(settings), "--device", device.id)
        self._worker = WorkerLifecycle(
            device.id,
            begin or partial(WorkerProcess, f"worker-{device.id}", command, folders.looks),
            settings.idle_unload_s,
            self.on_message,
        )
        self._assignment = JobAssignment(
            device.id, self._worker, store, folders, self._closes, names
        )
        self._auxiliary_tasks = AuxiliaryTasks(self._worker.send)
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name=f"runner-{device.id}", daemon=True)

    # What others may call, from any thread

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def adopt(self, worker: WorkerProcess) -> None:
        """Take over a worker that has started already; before `start`."""
        self._worker.adopt(worker)

    def has_failed(self, problem: str, log_tail: str) -> None:
        """Know that a first worker could not be started; before `start`."""
        self._worker.starts.failed(problem, log_tail)

    @property
    def can_start(self) -> bool:
        """Whether nothing is known that keeps the worker from starting."""
        return not self._worker.starts.problem

    def wake(self) -> None:
        """Look whether there is something to do."""
        self._inbox.put(lambda: None)

    def stop_job(self, job_id: str) -> None:
        """Stop the job, if it runs here, as it wants to be."""
        self._inbox.put(lambda: self._assignment.stop(job_id))

    def look(self, look: QueuedLook) -> None:
        """Work on a look as soon as possible."""
        self._inbox.put(lambda: self._begin_look(look))

    def withdraw(self, look: QueuedLook) -> None:
        """Stop working on a look."""
        self._inbox.put(lambda: self._auxiliary_tasks.withdraw(look))

    def load(self, source: str | None, is_wanted: Callable[[], bool]) -> None:
        """Load a model and wait until it is there, as long as it `is_wanted`.

        Raises:
            ServerError: it cannot be loaded.
        """
        load = ModelLoad(source)
        self._inbox.put(lambda: self._begin_load(load))
        load.wait(is_wanted)

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
        job, model, problem = self._assignment.job, self._worker.model, self._worker.starts.problem
        state: DeviceState = "ready" if self._is_idle() else "busy"
        if not self._worker.is_running:
            state = "stopped"
        elif not self._worker.is_ready:
            state = "starting"
        name = self._device.name
        return DeviceInfo(
            id=self._device.id,
            # For whoever asks how the daemon is.
            name=f"{name} (does not start: {problem})" if problem else name,
            memory_bytes=self._device.memory_bytes,
            state=state,
            model_source=model[0] if model else None,
            has_model=model is not None,
            job_id=job.id if job else "",
        )

    def on_message(self, process: WorkerProcess, message: Message | Ended) -> None:
        """The worker says something, or has ended; called on the worker's thread."""
        self._inbox.put(lambda: self._on_message(process, message))

    # The thread

    def _run(self) -> None:
        while not self._is_closing:
            try:
                self._begin_next()
                self._inbox.get(timeout=self._worker.wait_s(is_idle=self._is_idle()))()
            except queue.Empty:
                self._worker.on_time(is_idle=self._is_idle())
            except (StoreBusy, ShuttingDown) as fault:
                _LOGGER.warning("%s: %s", self.device_id, fault)
                time.sleep(0.2)
            except Exception:
                # One item that cannot be dealt with must not end the device's thread.
                _LOGGER.exception("%s: something unexpected happened", self.device_id)
                time.sleep(0.2)

    def _is_idle(self) -> bool:
        return self._assignment.job is None and self._auxiliary_tasks.are_done

    def _begin_next(self) -> None:
        """Give the worker the next job, if it has none."""
        if self._assignment.job is not None or self._is_closing or not self.is_needed():
            return
        job = self._assignment.next()
        if job is not None and self._ensure_worker():
            self._assignment.begin(job)

    def _ensure_worker(self) -> bool:
        """Start the worker if there is none and it is time for it; whether it is ready."""
        try:
            return self._worker.ensure()
        except WorkerLost as fault:
            self._auxiliary_tasks.fail(fault)
            self._give_up_starting(str(fault), "")
            return False

    def _on_message(self, process: WorkerProcess, message: Message | Ended) -> None:
        if not self._worker.is_mine(process):
            return
        match message:
            case Ended():
                self._on_end(process, message.code)
                return
            case JobMoved() | JobStopped():
                self._assignment.on_message(message)
            case LookMoved() | LookMade() | LookFailed() | ModelLoaded() | LoadFailed():
                self._auxiliary_tasks.on_message(message)
                self._worker.has_worked()
            case _:
                self._worker.on_message(message)
                if isinstance(message, Ready):
                    self._auxiliary_tasks.send_all()
        failure = failure_in(message)
        if failure is not None and failure.reason == _UNEXPECTED:
            # The device may be lost to this process, as after an error of its driver.
            self._unload()

    def _on_end(self, process: WorkerProcess, code: int) -> None:
        problem = self._worker.has_ended(process, code)
        message = f"the worker process ended ({cause(code)}); try again"
        was_alone = self._auxiliary_tasks.are_done
        self._auxiliary_tasks.fail(WorkerLost(message, process.log_tail))
        if self._assignment.job is not None:
            self._assignment.recover(code, process.log_tail, was_alone=was_alone)
        elif problem is not None:
            self._give_up_starting(problem, process.log_tail)

    def _give_up_starting(self, problem: str, log_tail: str) -> None:
        """A worker that cannot even start is tried a few times, then the next job fails for it.

        Jobs that any device may do wait for another one, where there is one.
        """
        starts = self._worker.starts
        starts.failed(problem, log_tail)
        _LOGGER.warning("%s: the worker does not start (%s)", self.device_id, problem)
        if not starts.is_job_lost():
            return
        job = self._assignment.next(takes_any=not self.is_replaceable())
        if job is not None:
            self._assignment.fail(job, worker_lost(starts.sentence, starts.log_tail))

    # Looks and models

    def _begin_look(self, look: QueuedLook) -> None:
        if self._is_closing:
            look.put(ShuttingDown())
        elif not self._worker.can_start_now:
            look.put(self._cannot_start())
        else:
            self._auxiliary_tasks.add_look(look)
            self._ensure_worker()

    def _begin_load(self, load: ModelLoad) -> None:
        if not self._worker.can_start_now:
            load.end(self._cannot_start())
            return
        self._auxiliary_tasks.add_load(load)
        self._ensure_worker()

    def _cannot_start(self) -> WorkerLost:
        return WorkerLost(self._worker.starts.sentence, self._worker.starts.log_tail)

    def _unload(self) -> bool:
        if not self._is_idle():
            return False
        self._worker.close()
        return True

    def _begin_closing(self) -> None:
        self._is_closing = True
        self._auxiliary_tasks.fail(ShuttingDown())
        self._worker.kill()
        self._worker.close()
        self._assignment.give_back("the daemon was stopped")


def _never() -> bool:
    return False


def _always() -> bool:
    return True
