"""Gives the parts of jobs to the devices of a cluster."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from itertools import product

from fresco_settings import Remedy, said

from fresco_server.cluster.devices import (
    ClusterDevice,
    ClusterNode,
    ClusterNodes,
    DeviceLost,
    DeviceUnfit,
    new_token,
)
from fresco_server.cluster.errors import PartStopped
from fresco_server.cluster.files import names_of
from fresco_server.cluster.graph import activity_of
from fresco_server.cluster.job_parts import JobParts, TakenPart
from fresco_server.cluster.orders import Installed, LookAnswer, Needs, PartEnded
from fresco_server.errors import WorkerLost
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.job import ModelOrder
from fresco_server.jobs.looks import LookOrder
from fresco_server.worker.faults import failure_of

_LOGGER = logging.getLogger(__name__)
_OF_THE_MACHINE = frozenset({"MODEL_NOT_FOUND", "DISK_FULL", "OUTPUT_NOT_WRITABLE"})
"""Reasons of failures that another machine may not have."""
_UNEXPECTED = "UNEXPECTED"
_LOAD_S = 600.0


class Dispatcher:
    """All devices, and the jobs that they take parts from: of an earlier job first.

    A device that has worked on a job is given a part of it again where there is the choice, as its
    model and its clip are there. `worker` is the class that works on a device, `expected` what it
    says of itself where Fresco is the same. `has_changed` is called when the devices, or what they
    do, are others.
    """

    def __init__(self, worker: type, expected: Installed, has_changed: Callable[[], None]) -> None:
        self._worker = worker
        self._expected = expected
        self._has_changed = has_changed
        self._token = new_token()
        self._lock = threading.RLock()
        self._devices: dict[tuple[str, str], ClusterDevice] = {}
        self._files: dict[str, threading.Lock] = {}
        self._jobs: list[JobParts] = []
        self._looks: dict[str, Needs] = {}
        self._draining: set[str] = set()
        self._nodes = ClusterNodes(self._on_nodes)

    def start(self) -> None:
        """Find the devices."""
        self._nodes.start()

    def devices(self) -> tuple[DeviceInfo, ...]:
        """The devices and what happens there."""
        return tuple(
            replace(device.info, is_draining=device.node.name in self._draining)
            for device in self._all()
        )

    def _all(self) -> list[ClusterDevice]:
        with self._lock:
            return sorted(self._devices.values(), key=lambda device: device.id)

    # Jobs

    def add(self, parts: JobParts) -> None:
        """Give the parts of a job to devices, after those of jobs that were added before."""
        with self._lock:
            self._jobs.append(parts)
        self.wake()

    def remove(self, parts: JobParts) -> None:
        """No more of them; what is made of them is stopped."""
        parts.stop()
        with self._lock:
            self._jobs = [job for job in self._jobs if job is not parts]
        for device in self._all():
            device.stop(parts.job_id)

    def wake(self) -> None:
        """Give parts to devices that have nothing to do."""
        with self._lock:
            for parts in self._jobs:
                while (device := self._device_for(parts)) is not None:
                    taken = parts.take()
                    if taken is None:
                        break
                    work = partial(self._make, parts, taken)
                    device.begin(parts.job_id, activity_of(taken.order.part), work)

    def _device_for(self, parts: JobParts) -> ClusterDevice | None:
        idle = [device for device in self._devices.values() if device.is_idle]
        fitting = [device for device in idle if self._may_make(device, parts)]
        return min(fitting, key=lambda d: (d.last_job != parts.job_id, d.id), default=None)

    def _may_make(self, device: ClusterDevice, parts: JobParts) -> bool:
        is_wanted = parts.device in ("", device.id)
        return (
            is_wanted and device.id not in parts.barred and device.node.name not in self._draining
        )

    def _make(self, parts: JobParts, taken: TakenPart, device: ClusterDevice) -> None:
        """Have a device make a part; on the device's thread."""
        try:
            device.send_files(parts.needs, lambda: not device.stops, self._in_use)
            for answer in device.work("make", taken.order.token, taken.order):
                if isinstance(answer, PartEnded) and answer.lacks_files:
                    raise PartStopped
                failure = answer.failure if isinstance(answer, PartEnded) else None
                if failure is not None and failure.reason in _OF_THE_MACHINE:
                    raise DeviceUnfit(failure)
                parts.hand_in(taken, answer)
                if failure is not None and failure.reason == _UNEXPECTED:
                    device.begin_anew()
        except PartStopped:
            parts.give_back(taken)
        except DeviceUnfit as fault:
            self._bar(parts, device, fault)
            parts.give_back(taken)
        except DeviceLost as fault:
            if device.stops or not self._nodes.is_there(device.node):
                parts.give_back(taken)
            else:
                parts.lose(taken, str(fault))
            raise
        except Exception as error:  # noqa: BLE001 - such as a clip that is gone: told of the job
            parts.hand_in(taken, PartEnded(failure=failure_of(error)))

    def _bar(self, parts: JobParts, device: ClusterDevice, fault: DeviceUnfit) -> None:
        parts.bar(device.id, fault.failure)
        with self._lock:
            if self._can_be_done(parts):
                parts.warn(f"{device.node.name} does not work on this job: {fault}")
        self._give_up_hopeless()

    def _can_be_done(self, parts: JobParts) -> bool:
        devices = self._devices.values()
        return any(device.can_work and self._may_make(device, parts) for device in devices)

    def _give_up_hopeless(self) -> None:
        """End jobs that none of the machines can do; one for which there is no machine waits."""
        with self._lock:
            for parts in self._jobs:
                barred = [parts.barred.get(device.id) for device in self._devices.values()]
                failure = next(filter(None, barred), None)
                if failure is not None and not self._can_be_done(parts):
                    parts.give_up(failure)

    # Looks and models

    def look(
        self, token: str, order: LookOrder, needs: Needs, is_wanted: Callable[[], bool]
    ) -> Generator[LookAnswer, None, None]:
        """The answers to a look; of a busy device, if none is idle.

        Raises:
            WorkerLost: there is no device, or its worker ends.
        """
        device = self._best(order.device)
        with self._lock:
            self._looks[token] = needs
        try:
            with device.attending():
                yield from self._looked(device, token, order, needs, is_wanted)
        except PartStopped:
            return
        except DeviceUnfit as fault:
            yield LookAnswer(failure=fault.failure)
        except DeviceLost as fault:
            raise WorkerLost(f"the worker process ended ({fault}); try again") from fault
        finally:
            with self._lock:
                del self._looks[token]

    def _looked(
        self,
        device: ClusterDevice,
        token: str,
        order: LookOrder,
        needs: Needs,
        is_wanted: Callable[[], bool],
    ) -> Generator[LookAnswer, None, None]:
        lacks_files = True
        while lacks_files:
            lacks_files = False
            device.send_files(needs, is_wanted, self._in_use)
            for answer in device.ask("look", token, is_wanted, token, order, needs):
                lacks_files = answer.lacks_files
                if not lacks_files:
                    yield answer
                if answer.picture is not None or answer.failure is not None:
                    return

    def _in_use(self) -> frozenset[str]:
        """The names of the copies that work needs."""
        with self._lock:
            needed = [*(parts.needs for parts in self._jobs), *self._looks.values()]
        return frozenset[str]().union(*map(names_of, needed))

    def load(self, model: ModelOrder, needs: Needs) -> PartEnded:
        """Load a model ahead of its first use, on one device.

        Raises:
            WorkerLost: there is no device, or its worker ends.
        """
        device = self._best("")
        try:
            with device.attending():
                return device.call("load", model, needs, timeout_s=_LOAD_S)
        except DeviceLost as fault:
            raise WorkerLost(f"the worker process ended ({fault}); try again") from fault

    def _best(self, wanted: str) -> ClusterDevice:
        devices = [device for device in self._all() if wanted in ("", device.id)]
        staying = [device for device in devices if device.node.name not in self._draining]
        if devices and not staying:
            which = wanted or "every machine of the cluster"
            raise WorkerLost(f"{which} is given nothing new, as it is to leave; let one work again")
        started = [device for device in staying if device.has_started]
        if not started:
            raise WorkerLost(f"no machine of the cluster is ready; {said(Remedy.DIAGNOSE)}")
        return min(started, key=lambda device: not device.is_idle)

    # Machines

    def drain(self, node: str, *, is_over: bool) -> None:
        """Give a machine nothing new to do, so that it can leave; or let it work again."""
        with self._lock:
            (self._draining.discard if is_over else self._draining.add)(node)
        self._on_device()

    def _on_nodes(self, nodes: tuple[ClusterNode, ...]) -> None:
        wanted = {(node.id, name): node for node in nodes for name in node.devices}
        with self._lock:
            gone = [self._devices.pop(key) for key in list(self._devices) if key not in wanted]
            for device, parts in product(gone, self._jobs):
                parts.unbar(device.id)
            for key, node in wanted.items():
                if key not in self._devices:
                    self._devices[key] = self._device(node, key[1])
        for device in gone:
            _LOGGER.info("%s has left the cluster", device.id)
            device.leave()
        self._on_device()

    def _device(self, node: ClusterNode, name: str) -> ClusterDevice:
        lock = self._files.setdefault(node.id, threading.Lock())
        return ClusterDevice(
            node, name, self._worker, self._token, lock, self._expected, self._on_device
        )

    def _on_device(self) -> None:
        self._give_up_hopeless()
        self.wake()
        self._has_changed()
