"""The devices of a cluster: found as machines join, worked with, let go of as they leave.

Each device has an actor of Ray's, bound to its machine, and a thread here that gives it work.
"""

from __future__ import annotations

import logging
import os
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import ray
from fresco_client.values import Failure
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from fresco_server.cluster.errors import PartStopped
from fresco_server.cluster.files import pieces_of
from fresco_server.cluster.orders import Installed, Needs, SourceFile, WorkerFacts
from fresco_server.jobs import starting
from fresco_server.jobs.devices import DeviceInfo, DeviceState
from fresco_server.jobs.starting import StartBackoff

_LOGGER = logging.getLogger(__name__)
_POLL_S = 0.1
_LOOK_S = 1.0
_STOP_PATIENCE_S = 1.0
"""A stop takes effect within two seconds: by then the worker has stopped, or it is killed."""
_WAITING_ANSWERS = 16
"""What a worker has told and nobody has taken in yet; then it waits."""
_CALL_S = 30.0
_CALLS_AT_ONCE = 32
"""A worker hears of a stop also while looks wait there for their turn."""


class DeviceLost(Exception):
    """The device's worker, or its machine, is gone; the text says what is known."""


class DeviceUnfit(Exception):
    """The device cannot work on a job."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True)
class ClusterNode:
    """A machine of the cluster; `devices` are the names that it knows its devices by."""

    id: str
    name: str
    devices: tuple[str, ...]


@dataclass
class _Work:
    """What a device's thread is to do; `stops` ends it."""

    do: Callable[[ClusterDevice], None]
    job_id: str
    activity: str
    stops: threading.Event = field(default_factory=threading.Event)


class ClusterDevice:
    """One device; `worker` is the class that works on it, `files` locks a machine's files.

    `has_changed` is called whenever what `info` says, or whether it is idle, is something else.
    """

    def __init__(
        self,
        node: ClusterNode,
        device: str,
        worker: type,
        token: str,
        files: threading.Lock,
        expected: Installed,
        has_changed: Callable[[], None],
    ) -> None:
        self.node = node
        self.id = f"{node.name}/{device}"
        self.last_job = ""
        self._device = device
        self._worker = worker
        self._token = token
        self._files = files
        self._expected = expected
        self._has_changed = has_changed
        self._actor: Any = None
        self._facts: WorkerFacts | None = None
        self._problem = ""
        self._is_gone = threading.Event()
        self._starts = StartBackoff()
        self._inbox: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._work: _Work | None = None
        self._errands = 0
        self._counting = threading.Lock()
        self._state: DeviceState = "starting"
        self._thread = threading.Thread(target=self._run, name=f"device-{self.id}", daemon=True)
        self._thread.start()

    # From any thread

    @property
    def is_idle(self) -> bool:
        """Whether it can be given work."""
        return self._state == "ready" and self._work is None and not self._is_gone.is_set()

    @property
    def job_id(self) -> str:
        """The job that it works on; empty if there is none."""
        work = self._work
        return work.job_id if work else ""

    @property
    def has_started(self) -> bool:
        """Whether there is a worker, which may have work."""
        return self._facts is not None

    @property
    def can_work(self) -> bool:
        """Whether it works, or nothing is known that keeps it from starting."""
        return not self._is_gone.is_set() and not self._problem

    @property
    def info(self) -> DeviceInfo:
        """The device and what happens there."""
        facts, problem = self._facts, self._problem
        usual = "Processor" if self._device == "cpu" else self._device
        device = facts.device if facts else DeviceInfo(id=self._device, name=usual)
        work = self._work
        is_busy = self._state == "ready" and (work is not None or self._errands > 0)
        state: DeviceState = "busy" if is_busy else self._state
        return replace(
            device,
            id=self.id,
            name=f"{device.name} (not used: {problem})" if problem else device.name,
            state=state,
            job_id=self.job_id,
            node=self.node.name,
            activity=work.activity if work else "",
        )

    def begin(self, job_id: str, activity: str, do: Callable[[ClusterDevice], None]) -> None:
        """Have work done on the device's thread, `activity` in words; only while it is idle."""
        self._work = work = _Work(do, job_id, activity)
        self.last_job = job_id
        self._inbox.put(work)

    @contextmanager
    def attending(self) -> Iterator[None]:
        """Inside the device makes a look, or loads a model, beside its work."""
        with self._counting:
            self._errands += 1
        self._has_changed()
        try:
            yield
        finally:
            with self._counting:
                self._errands -= 1
            self._has_changed()

    def stop(self, job_id: str) -> None:
        """End the work on a job, within two seconds."""
        work = self._work
        if work is not None and work.job_id == job_id:
            work.stops.set()

    def leave(self) -> None:
        """The machine is gone: there is no more work for it."""
        self._is_gone.set()
        self._inbox.put(None)

    def ask(
        self, method: str, token: str, goes_on: Callable[[], bool], *arguments: object
    ) -> Iterator[Any]:
        """What a generator of the worker's yields.

        If it does not go on, the worker is told by `token`, and what it says then is not waited
        for.

        Raises:
            DeviceLost: it ends before its answer does.
        """
        with suppress(PartStopped):
            yield from self._asked(method, token, goes_on, *arguments)

    # On its thread, for the work that it does

    def work(self, method: str, token: str, *arguments: object) -> Iterator[Any]:
        """The same; if the work is to stop and goes on, its worker is killed.

        Raises:
            DeviceLost: it ends before its answer does.
        """
        work = self._work
        assert work is not None
        try:
            yield from self._asked(method, token, lambda: not work.stops.is_set(), *arguments)
        except PartStopped:
            self._kill()
            raise DeviceLost("it did not stop in time") from None

    def _asked(
        self, method: str, token: str, goes_on: Callable[[], bool], *arguments: object
    ) -> Iterator[Any]:
        """Raises `PartStopped` if it goes on for too long after it was told not to."""
        ends = None
        try:
            call = self._method(method).options(
                num_returns="streaming", _generator_backpressure_num_objects=_WAITING_ANSWERS
            )
            answers = call.remote(*arguments)
            while True:
                ready, _ = ray.wait([answers], timeout=_POLL_S, fetch_local=False)
                if ends is None and not goes_on():
                    ends = time.monotonic() + _STOP_PATIENCE_S
                    self._method("stop").remote(token)
                if ends is not None and time.monotonic() > ends:
                    raise PartStopped
                if self._is_gone.is_set():
                    raise DeviceLost("its machine is gone")
                if ready:
                    try:
                        yield ray.get(next(answers), timeout=_CALL_S)
                    except StopIteration:
                        return
        except RayError as error:
            raise DeviceLost(_first_line(error)) from error

    def begin_anew(self) -> None:
        """End its worker, whose device may be lost to it, as after an error of the driver.

        Raises:
            DeviceLost: always.
        """
        raise DeviceLost("it failed in a way that nobody expected")

    def call(self, method: str, *arguments: object, timeout_s: float = _CALL_S) -> Any:
        """What a method of the worker's returns.

        Raises:
            DeviceLost: it ends, or does not answer.
        """
        try:
            return ray.get(self._method(method).remote(*arguments), timeout=timeout_s)
        except RayError as error:
            raise DeviceLost(_first_line(error)) from error

    def _method(self, name: str) -> Any:
        actor = self._actor  # It may end on another thread.
        if actor is None:
            raise DeviceLost("its worker has ended")
        return getattr(actor, name)

    def send_files(
        self, needs: Needs, goes_on: Callable[[], bool], in_use: Callable[[], frozenset[str]]
    ) -> None:
        """Send what the machine lacks of the files that a job reads, once for all its devices.

        Copies that are not `in_use` may make room for them.

        Raises:
            PartStopped: it does not go on, which is asked before every piece.
            DeviceLost: it ends meanwhile.
            DeviceUnfit: the machine cannot store them.
            ClipChanged, OSError: a file is another one by now, or cannot be read here.
        """
        # Another device of the machine may be sending for long.
        while not self._files.acquire(timeout=_POLL_S):
            if not goes_on():
                raise PartStopped
        try:
            self._send_missing(needs, goes_on, in_use)
        finally:
            self._files.release()

    def _send_missing(
        self, needs: Needs, goes_on: Callable[[], bool], in_use: Callable[[], frozenset[str]]
    ) -> None:
        missing: tuple[SourceFile, ...] = self.call("missing", needs)
        if missing:
            self.call("make_room", in_use(), sum(file.size_bytes for file in missing))
        for file in missing:
            _LOGGER.info("%s: sending %s", self.node.name, file.path)
            for offset, data in pieces_of(file):
                if not goes_on():
                    raise PartStopped
                failure = self.call("receive", file, offset, data)
                if failure is not None:
                    raise DeviceUnfit(failure)

    @property
    def stops(self) -> bool:
        """Whether the work that is done is to end."""
        return self._work is not None and self._work.stops.is_set()

    # The thread

    def _run(self) -> None:
        while not self._is_gone.is_set():
            if self._actor is None and not self._start():
                self._is_gone.wait(min(5.0, self._starts.wait_s))
                continue
            try:
                work = self._inbox.get(timeout=1.0)
            except queue.Empty:
                self._check()
                continue
            if work is not None:
                self._do(work)
        self._state = "stopped"
        if self._work is not None:  # Given in the moment that it left.
            self._do(self._work)
        self._has_changed()

    def _do(self, work: _Work) -> None:
        self._has_changed()
        try:
            work.do(self)
        except DeviceLost as fault:
            self._lost(str(fault))
        # One piece of work that cannot be dealt with must not end the device's thread.
        except Exception:
            _LOGGER.exception("%s: something unexpected happened", self.id)
        finally:
            self._work = None
            self._has_changed()

    def _start(self) -> bool:
        self._state = "starting"
        try:
            self._begin_actor()
            facts: WorkerFacts = self._awaited(self._actor.facts.remote())
        except (RayError, DeviceLost) as error:
            self._failed(_first_line(error))
            return False
        if facts.installed != self._expected:
            self._failed(_difference(facts.installed, self._expected))
            return False
        self._facts, self._problem, self._state = facts, "", "ready"
        self._starts.succeeded()
        _LOGGER.info("%s: a worker has started there, process %d", self.id, facts.process_id)
        self._has_changed()
        return True

    def _begin_actor(self) -> None:
        is_gpu = self._device != "cpu"
        actor = ray.remote(self._worker).options(
            num_gpus=1 if is_gpu else 0,
            num_cpus=0 if is_gpu else 1,
            max_concurrency=_CALLS_AT_ONCE,
            max_restarts=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(self.node.id, soft=False),
        )
        # Of several GPUs an actor sees only its own, which is the first it sees.
        self._actor = actor.remote("cuda:0" if is_gpu else "cpu", self._token)

    def _awaited(self, answer: Any) -> Any:
        ends = time.monotonic() + starting.START_PATIENCE_S
        while not self._is_gone.is_set() and time.monotonic() < ends:
            ready, _ = ray.wait([answer], timeout=_POLL_S)
            if ready:
                return ray.get(answer)
        raise DeviceLost("its machine is gone" if self._is_gone.is_set() else "it does not answer")

    def _failed(self, problem: str) -> None:
        if self._is_gone.is_set():
            return
        _LOGGER.warning("%s: the worker does not start: %s", self.id, problem)
        self._kill()
        self._problem, self._state = problem, "stopped"
        self._starts.failed(problem, "")
        self._has_changed()

    def _check(self) -> None:
        """An idle worker that has ended is noticed before there is work for it."""
        try:
            self.call("process_id")
        except DeviceLost as fault:
            self._lost(str(fault))

    def _lost(self, cause: str) -> None:
        _LOGGER.warning("%s: its worker is lost: %s", self.id, cause)
        self._kill()
        self._facts, self._state = None, "starting"
        self._has_changed()

    def _kill(self) -> None:
        actor, self._actor = self._actor, None
        if actor is not None:
            try:
                ray.kill(actor)
            except (RayError, ValueError, RuntimeError) as error:
                _LOGGER.debug("%s: %s", self.id, error)


def _first_line(error: BaseException) -> str:
    if "No module named 'fresco" in str(error):
        return "Fresco is not installed there; install the same as here, with pip"
    text = str(error).strip().split("\n")[0].strip()
    return text or type(error).__name__


def _difference(found: Installed, expected: Installed) -> str:
    if found.version != expected.version:
        return (
            f"{found.version} is installed there and {expected.version} here; install the same on "
            "both"
        )
    return (
        f"{found.version} is installed there with other files than here; install the same on both"
    )


class ClusterNodes:
    """The machines of the cluster, looked at again and again."""

    def __init__(self, on_change: Callable[[tuple[ClusterNode, ...]], None]) -> None:
        self._on_change = on_change
        self._names: dict[str, str] = {}

    def start(self) -> None:
        """Look now, and then for changes."""
        self._on_change(self._look())
        threading.Thread(target=self._watch, name="cluster-nodes", daemon=True).start()

    def is_there(self, node: ClusterNode) -> bool:
        """Whether a machine is there at this moment."""
        return any(one["Alive"] and one["NodeID"] == node.id for one in ray.nodes())

    def _look(self) -> tuple[ClusterNode, ...]:
        """The machines that are there."""
        alive = sorted((node for node in ray.nodes() if node["Alive"]), key=lambda n: n["NodeID"])
        self._names = {node["NodeID"]: self._name_of(node) for node in alive}
        return tuple(
            ClusterNode(node["NodeID"], self._names[node["NodeID"]], _devices_of(node["Resources"]))
            for node in alive
        )

    def _name_of(self, node: dict[str, Any]) -> str:
        """What it is called as long as it is there."""
        known, name = self._names.get(node["NodeID"]), node["NodeManagerHostname"]
        if known is None and name in self._names.values():
            # Several of Ray's nodes may be on one machine, as in tests.
            known = self._names[node["NodeID"]] = f"{name}-{node['NodeID'][:6]}"
        self._names[node["NodeID"]] = known or name
        return known or name

    def _watch(self) -> None:
        known: tuple[ClusterNode, ...] | None = None
        while True:
            time.sleep(_LOOK_S)
            try:
                found = self._look()
            except Exception:
                _LOGGER.exception("the machines of the cluster are not known")
                # Without its head a cluster cannot be used; the daemon begins anew with it.
                os._exit(1)
            if found != known:
                known = found
                self._on_change(found)


def _devices_of(resources: dict[str, float]) -> tuple[str, ...]:
    gpus = int(resources.get("GPU", 0))
    if gpus:
        return tuple(f"cuda:{index}" for index in range(gpus))
    return ("cpu",) if resources.get("CPU", 0) >= 1 else ()


def new_token() -> str:
    """What no other daemon has."""
    return secrets.token_hex(8)
