"""The runners of a cluster: as many jobs at once as it has devices, all in one worker process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from fresco_server.errors import CannotStart, NodeUnknown, WorkerLost
from fresco_server.jobs import starting
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.messages import Broken, DrainNode, Ended, Message, Ready, Refused
from fresco_server.jobs.path_policy import cluster_command
from fresco_server.jobs.process import WorkerProcess
from fresco_server.jobs.runner import Runner
from fresco_server.jobs.shared_process import SharedProcess
from fresco_server.jobs.starting import cause
from fresco_server.jobs.store import JobStore
from fresco_server.settings import ServerSettings

MOST_JOBS = 16
"""Jobs that are worked on at once; more devices than that share their parts."""
_ID = "cluster"


class ClusterRunners:
    """Runners that hand jobs to the one process that knows the cluster.

    `has_changed` is called when its devices, or what they do, are others.
    """

    def __init__(self, has_changed: Callable[[], None]) -> None:
        self._has_changed = has_changed
        self._lock = threading.Lock()
        self._devices: tuple[DeviceInfo, ...] = ()
        self._shared: SharedProcess | None = None

    @property
    def devices(self) -> tuple[DeviceInfo, ...]:
        """The devices of the cluster, and what happens there."""
        with self._lock:
            return self._devices

    def found(
        self, settings: ServerSettings, store: JobStore, folders: DataFolder
    ) -> tuple[Runner, ...]:
        """The runners, none of them started, once the cluster has been joined.

        Raises:
            CannotStart: there is no such cluster.
            WorkerLost: the process that joins it cannot be started, or ends meanwhile.
        """
        self._shared = shared = SharedProcess(
            _ID, cluster_command(settings), folders.looks, self._take
        )
        inbox: queue.SimpleQueue[Message | Ended] = queue.SimpleQueue()
        line = shared.open(lambda _, message: inbox.put(message))
        _check_start(line, inbox)
        info = DeviceInfo(id=_ID, name=f"Ray cluster {settings.cluster}")
        runners = tuple(
            Runner(info, store, folders, settings, begin=shared.open, names=self._names)
            for _ in range(MOST_JOBS)
        )
        for place, runner in enumerate(runners):
            runner.is_needed = lambda place=place: place < max(1, len(self.devices))
        # The first runner has a line of its own before this one is closed.
        first = shared.open(runners[0].on_message)
        runners[0].adopt(first)
        line.close()
        return runners

    def drain(self, node: str, *, is_over: bool) -> None:
        """Give a machine nothing new to do; or let it work again.

        Raises:
            NodeUnknown: there is no such machine.
        """
        known = sorted({device.node for device in self.devices})
        if node not in known:
            raise NodeUnknown(
                f"the cluster has no machine {node!r}; there is {', '.join(known) or 'none'}"
            )
        assert self._shared is not None
        self._shared.tell(DrainNode(node=node, is_over=is_over))

    def _names(self) -> tuple[str, ...]:
        return tuple(device.id for device in self.devices)

    def _take(self, devices: tuple[DeviceInfo, ...]) -> None:
        with self._lock:
            is_more = len(devices) > len(self._devices)
            self._devices = devices
        if is_more:
            self._has_changed()


def _check_start(line: WorkerProcess, inbox: queue.SimpleQueue[Message | Ended]) -> None:
    try:
        message = inbox.get(timeout=starting.START_PATIENCE_S)
    except queue.Empty:
        line.kill()
        raise WorkerLost("it does not answer") from None
    if isinstance(message, Ready):
        return
    line.close()
    if isinstance(message, Refused):
        raise CannotStart(message.failure.message)
    if isinstance(message, Broken):
        raise WorkerLost(message.message, line.log_tail)
    raise WorkerLost(cause(message.code if isinstance(message, Ended) else 0), line.log_tail)
