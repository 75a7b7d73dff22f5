"""Finding the devices and hiring a runner for each."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from pathlib import Path

from fresco_server.errors import CannotStart
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import Values
from fresco_server.jobs.process import WorkerProcess
from fresco_server.jobs.runner import Runner
from fresco_server.jobs.store import JobStore
from fresco_server.settings import ServerSettings

_PATIENCE_S = 180.0
"""Importing torch from a cold disk takes its time."""


def hire(settings: ServerSettings, store: JobStore, folders: DataFolder) -> tuple[Runner, ...]:
    """A runner for every device, none of them started; the first has its worker already.

    Only a worker knows the devices, as only it loads torch: the first one is asked.

    Raises:
        CannotStart: there is no such device, or the worker cannot be started.
    """
    arguments = ("--device", settings.devices[0]) if settings.devices else ()
    first = _FirstWorker((*settings.worker, *arguments), folders.looks)
    found = first.devices()
    named = [DeviceInfo(id=name, name=name) for name in settings.devices[1:]]
    devices = [*(found[:1] if settings.devices else found), *named]
    runners = tuple(Runner(device, store, folders, settings) for device in devices)
    first.hand_over(runners[0])
    return runners


class _FirstWorker:
    """The worker that is asked for the devices, and then works on the first."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._inbox: queue.SimpleQueue[Values] = queue.SimpleQueue()
        self._runner: Runner | None = None
        self._process = WorkerProcess("worker", command, folder, self._hear, self._bury)

    def devices(self) -> list[DeviceInfo]:
        try:
            message = self._inbox.get(timeout=_PATIENCE_S)
        except queue.Empty:
            self._process.kill()
            raise CannotStart("the worker process does not answer; look at the log") from None
        if message["say"] == "ready":
            return [DeviceInfo(**device) for device in message["devices"]]
        self._process.close()
        raise CannotStart(
            message.get("message")
            or f"the worker process ended while it started:\n{self._process.log_tail}"
        )

    def hand_over(self, runner: Runner) -> None:
        self._process.name = f"worker-{runner.device_id}"
        runner.adopt(self._process)
        self._runner = runner

    def _hear(self, process: WorkerProcess, message: Values) -> None:
        if self._runner is None:
            self._inbox.put(message)
        else:
            self._runner.said(process, message)

    def _bury(self, process: WorkerProcess, code: int) -> None:
        if self._runner is None:
            self._inbox.put({"say": "ended", "code": code})
        else:
            self._runner.ended(process, code)
