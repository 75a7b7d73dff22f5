"""The runners of a cluster: as many jobs at once as it has devices, all in one worker process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import replace

from fresco_server.errors import NodeUnknown
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.first_answer import wait_ready
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.messages import DrainNode, Ended, Message, Order
from fresco_server.jobs.path_policy import cluster_command
from fresco_server.jobs.runner import Runner
from fresco_server.jobs.shared_process import SharedProcess
from fresco_server.jobs.store import JobStore
from fresco_server.settings import ServerSettings

MOST_JOBS = 16
"""Jobs that are worked on at once; more devices than that share their parts."""
_ID = "cluster"


class ClusterRunners:
    """Runners that hand jobs to the one process that knows the cluster.

    `has_changed` is called when its devices, or what they do, are others. While the process has
    ended for want of work, its devices are those that there were. Which machines are to leave is
    known here, as the process may begin anew.
    """

    def __init__(self, has_changed: Callable[[], None]) -> None:
        self._has_changed = has_changed
        self._lock = threading.Lock()
        self._devices: tuple[DeviceInfo, ...] = ()
        self._shared: SharedProcess | None = None
        self._draining: set[str] = set()

    @property
    def devices(self) -> tuple[DeviceInfo, ...]:
        """The devices of the cluster, and what happens there."""
        with self._lock:
            return tuple(
                replace(device, is_draining=device.node in self._draining)
                for device in self._devices
            )

    def found(
        self, settings: ServerSettings, store: JobStore, folders: DataFolder
    ) -> tuple[Runner, ...]:
        """The runners, none of them started, once the cluster has been joined.

        Raises:
            CannotStart: there is no such cluster.
            WorkerLost: the process that joins it cannot be started, or ends meanwhile.
        """
        self._shared = shared = SharedProcess(
            _ID, cluster_command(settings), folders.looks, self._take, self._first_orders
        )
        inbox: queue.SimpleQueue[Message | Ended] = queue.SimpleQueue()
        line = shared.open(lambda _, message: inbox.put(message))
        wait_ready(line, inbox)
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
        with self._lock:
            known = {device.node for device in self._devices} | self._draining
            if node not in known:
                there = ", ".join(sorted(known)) or "none"
                raise NodeUnknown(f"the cluster has no machine {node!r}; there is {there}")
            (self._draining.discard if is_over else self._draining.add)(node)
        assert self._shared is not None
        self._shared.tell(DrainNode(node=node, is_over=is_over))

    def _first_orders(self) -> tuple[Order, ...]:
        """What a process is to know that begins anew."""
        with self._lock:
            return tuple(DrainNode(node=node, is_over=False) for node in sorted(self._draining))

    def _names(self) -> tuple[str, ...]:
        return tuple(device.id for device in self.devices)

    def _take(self, devices: tuple[DeviceInfo, ...] | None) -> None:
        with self._lock:
            before = self._devices
            self._devices = tuple(map(_stopped, before)) if devices is None else devices
            is_more = len(self._devices) > len(before)
        if is_more:
            self._has_changed()


def _stopped(device: DeviceInfo) -> DeviceInfo:
    """A device whose worker has ended with the process."""
    return DeviceInfo(
        id=device.id,
        name=device.name,
        memory_bytes=device.memory_bytes,
        state="stopped",
        node=device.node,
    )
