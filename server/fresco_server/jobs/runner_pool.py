"""The runners of all devices: found in the background, and asked as one."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from fresco_engine.errors import DiskFull

from fresco_server.errors import (
    CannotStart,
    DeviceUnknown,
    NotPossible,
    ServerError,
    WorkerLost,
)
from fresco_server.jobs import starting
from fresco_server.jobs.cluster_runners import ClusterRunners
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.first_answer import wait_ready
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.messages import Ended, Message
from fresco_server.jobs.path_policy import worker_command
from fresco_server.jobs.process import WorkerProcess
from fresco_server.jobs.runner import Runner
from fresco_server.jobs.starting import StartBackoff
from fresco_server.jobs.stopping import stop_waiting
from fresco_server.jobs.store import JobStore
from fresco_server.settings import ServerSettings

_LOGGER = logging.getLogger(__name__)
_RANKS = {"ready": 0, "stopped": 1, "starting": 2, "busy": 3}
_AT_WORK = ("starting", "busy")


class RunnerPool:
    """Runners, none of them until the devices are known; `failure` says why there will be none."""

    def __init__(self, settings: ServerSettings, store: JobStore, folders: DataFolder) -> None:
        self._settings = settings
        self._store = store
        self._folders = folders
        self._runners: tuple[Runner, ...] = ()
        self._is_complete = threading.Event()
        self._closes = threading.Event()
        self._starts = StartBackoff()
        self._cluster = None if settings.cluster is None else ClusterRunners(self.wake)
        self.failure: CannotStart | None = None

    def start(self) -> None:
        """Find the devices, and begin to work on the queue."""
        threading.Thread(target=self._complete, name="runner-pool", daemon=True).start()

    def close(self) -> None:
        """Stop all work; what runs stays in the queue."""
        self._closes.set()
        for runner in self._runners:
            runner.close()

    def _complete(self) -> None:
        while not self._closes.is_set():
            try:
                self._install(self._found())
            except CannotStart as error:
                self.failure = error
            except WorkerLost as fault:
                if not self._settings.devices:
                    self._wait_for_devices(fault)
                    continue
                # Named ones need not be asked for: each is tried on its own.
                self._install(_runners_named(self._settings, self._store, self._folders, fault))
            break
        self._is_complete.set()

    def _found(self) -> tuple[Runner, ...]:
        if self._cluster is not None:
            return self._cluster.found(self._settings, self._store, self._folders)
        return _runners_found(self._settings, self._store, self._folders)

    def _install(self, runners: tuple[Runner, ...]) -> None:
        for runner in runners:
            others = [other for other in runners if other is not runner]
            runner.is_replaceable = lambda others=others: any(other.can_start for other in others)
            runner.start()
        self._runners = runners
        self._starts.succeeded()
        if self._closes.is_set():
            self.close()

    def _wait_for_devices(self, fault: WorkerLost) -> None:
        """The worker that knows the devices does not start: later, perhaps."""
        self._starts.failed(str(fault), fault.log_tail)
        _LOGGER.warning("the devices are not known yet: %s", fault)
        try:
            if self._starts.is_job_lost():
                job = self._store.next_queued(self._store.devices_wanted())
                if job is not None:
                    self._starts.fail(self._store, job)
        except (DiskFull, ServerError) as trouble:
            _LOGGER.warning("the job that waits cannot be told: %s", trouble)
        self._closes.wait(self._starts.wait_s)

    def _all(self) -> tuple[Runner, ...]:
        """The runners, waited for.

        Raises:
            WorkerLost: there are none.
        """
        ends = time.monotonic() + starting.START_PATIENCE_S
        while not self._is_complete.wait(0.1):
            if self._starts.problem:
                raise WorkerLost(self._starts.sentence, self._starts.log_tail)
            if time.monotonic() > ends:
                break
        if not self._runners:
            raise WorkerLost("the worker process does not start; look at the log")
        return self._runners

    def check(self, device: str) -> None:
        """Raises: DeviceUnknown when `device` is named and not there."""
        if not device:
            return
        known = [info.id for info in self._infos(self._all())]
        if device not in known:
            raise DeviceUnknown(f"there is no device {device!r}; there is {', '.join(known)}")

    def runner_for(self, device: str, *, is_first: bool = False) -> Runner:
        """The runner of `device`; where none is named the first, or the one with least to do."""
        runners = self._all()
        # The process of a cluster has all devices, and finds the right one.
        is_any = device == "" or self._cluster is not None
        fitting = [runner for runner in runners if is_any or device == runner.device_id]
        return fitting[0] if is_first else min(fitting, key=lambda r: _RANKS[r.info.state])

    def wake(self) -> None:
        """Let everybody look whether there is something to do."""
        for runner in self._runners:
            runner.wake()

    def stop_job(self, job_id: str) -> None:
        """Stop a job as it wants to be, whoever works on it."""
        for runner in self._runners:
            runner.stop_job(job_id)
        if not self._runners:
            stop_waiting(self._store, job_id)

    def unload(self, device: str) -> None:
        """Free the memory of `device`, or of all that are not in use.

        Raises:
            NotPossible: the device is in use.
        """
        if device and self._cluster is not None:
            raise NotPossible("the devices of a cluster are freed together; name none")
        for runner in self._all():
            if device in ("", runner.device_id) and not runner.unload() and device:
                raise NotPossible(f"{device} is in use; pause or cancel its job first")

    def drain(self, node: str, *, is_over: bool) -> None:
        """Give a machine of the cluster nothing new to do; or let it work again.

        Raises:
            NotPossible: there is no cluster.
            NodeUnknown: it has no such machine.
        """
        if self._cluster is None:
            raise NotPossible(
                "this daemon works with the devices of its own machine only; start one that works "
                "with a cluster"
            )
        self._cluster.drain(node, is_over=is_over)

    def devices(self) -> list[DeviceInfo]:
        """The devices and what happens there; none while they are not known."""
        if not self._runners and self._starts.problem:
            problem = f"the worker process does not start: {self._starts.problem}"
            return [DeviceInfo(id="none", name=problem)]
        return self._infos(self._runners)

    def _infos(self, runners: tuple[Runner, ...]) -> list[DeviceInfo]:
        if self._cluster is None:
            return [runner.info for runner in runners]
        # Without devices it is said how the cluster is.
        return list(self._cluster.devices) or [runner.info for runner in runners[:1]]

    @property
    def is_busy(self) -> bool:
        """Whether anybody works, or is about to."""
        is_starting = not self._is_complete.is_set() and not self._starts.problem
        infos = (*self.devices(), *(runner.info for runner in self._runners))
        return is_starting or any(info.state in _AT_WORK for info in infos)


def _runners_found(
    settings: ServerSettings, store: JobStore, folders: DataFolder
) -> tuple[Runner, ...]:
    """A runner for every device, none of them started; the first has its worker already.

    Only a worker knows the devices, as only it loads torch: the first one is asked.

    Raises:
        CannotStart: there is no such device.
        WorkerLost: the worker cannot be started, or ends while it starts.
    """
    arguments = ("--device", settings.devices[0]) if settings.devices else ()
    first = _DeviceDiscovery((*worker_command(settings), *arguments), folders.looks)
    found = first.devices()
    named = [DeviceInfo(id=name, name=name) for name in settings.devices[1:]]
    devices = [*(found[:1] if settings.devices else found), *named]
    runners = tuple(Runner(device, store, folders, settings) for device in devices)
    first.hand_over(runners[0])
    return runners


def _runners_named(
    settings: ServerSettings, store: JobStore, folders: DataFolder, fault: WorkerLost
) -> tuple[Runner, ...]:
    """A runner for every device that the user named; the first has failed to start once."""
    devices = [DeviceInfo(id=name, name=name) for name in settings.devices]
    runners = tuple(Runner(device, store, folders, settings) for device in devices)
    runners[0].has_failed(str(fault), fault.log_tail)
    return runners


class _DeviceDiscovery:
    """The worker that is asked for the devices, and then works on the first."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._inbox: queue.SimpleQueue[Message | Ended] = queue.SimpleQueue()
        self._runner: Runner | None = None
        self._process = WorkerProcess("worker", command, folder, self._on_message)

    def devices(self) -> list[DeviceInfo]:
        found = wait_ready(self._process, self._inbox).devices
        if not found:
            self._process.close()
            raise WorkerLost("it names no device to work on", self._process.log_tail)
        return list(found)

    def hand_over(self, runner: Runner) -> None:
        self._process.name = f"worker-{runner.device_id}"
        runner.adopt(self._process)
        self._runner = runner

    def _on_message(self, process: WorkerProcess, message: Message | Ended) -> None:
        if self._runner is None:
            self._inbox.put(message)
        else:
            self._runner.on_message(process, message)
