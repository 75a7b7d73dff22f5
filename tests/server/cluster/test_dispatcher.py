"""Which device is given what, and what becomes of jobs that none can do."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from fresco_client.values import Failure
from fresco_server.cluster.orders import Installed, LookAnswer, Needs, PartEnded
from fresco_server.errors import WorkerLost
from fresco_server.jobs.devices import DeviceInfo
from fresco_server.jobs.job import ModelOrder
from fresco_server.jobs.looks import LookOrder

pytest.importorskip("ray", reason="Ray is not installed: pip install 'fresco[cluster]'")

from fresco_server.cluster.devices import ClusterNode
from fresco_server.cluster.dispatcher import Dispatcher

LACKS = Failure(reason="DISK_FULL", message="the disk is full")
ORDER = LookOrder(clip="clip.mp4", index=0, settings={})


@dataclass
class _Device:
    """A device that does everything at once."""

    node: ClusterNode
    id: str
    is_idle: bool = True
    can_work: bool = True
    has_started: bool = True
    last_job: str = ""
    asked: list[str] = field(default_factory=list[str])
    errands: int = 0
    lacking: int = 0
    """How often a look finds that files are missing."""

    @property
    def info(self) -> DeviceInfo:
        """What happens there."""
        return DeviceInfo(id=self.id, name="A GPU", node=self.node.name)

    @contextmanager
    def attending(self) -> Iterator[None]:
        """It makes a look."""
        self.errands += 1
        yield
        self.errands -= 1

    def send_files(self, *_: object) -> None:
        """It has all files."""
        self.asked.append("files")

    def ask(self, method: str, *_: object) -> Generator[LookAnswer, None, None]:
        """Make a look."""
        self.asked.append(method)
        assert self.errands == 1
        if self.lacking:
            self.lacking -= 1
            yield LookAnswer(lacks_files=True)
        else:
            yield LookAnswer(picture=b"a picture")

    def call(self, method: str, *_: object, timeout_s: float) -> PartEnded:
        """Load a model."""
        del timeout_s
        self.asked.append(method)
        return PartEnded(is_made=True)

    def leave(self) -> None:
        """Its machine is gone."""


class _Parts:
    """A job of which nothing can be made yet."""

    job_id = "a"
    device = ""
    needs = Needs()

    def __init__(self) -> None:
        self.barred: dict[str, Failure] = {}
        self.failures: list[Failure] = []

    def take(self) -> None:
        """There is nothing to make."""

    def unbar(self, device: str) -> None:
        """A device has left."""
        self.barred.pop(device, None)

    def give_up(self, failure: Failure) -> None:
        """Nobody can do it."""
        self.failures.append(failure)


class _Cluster:
    """Two machines that can be made to leave."""

    def __init__(self) -> None:
        self.dispatcher = Dispatcher(object, Installed(version="1", code="1"), lambda: None)
        self.nodes = [ClusterNode(name, name, ("cuda:0",)) for name in ("studio1", "studio2")]
        self.devices = [_Device(node, f"{node.name}/cuda:0") for node in self.nodes]
        known = {(one.node.id, "cuda:0"): one for one in self.devices}
        cast(Any, self.dispatcher)._devices = known

    def has_only(self, *nodes: ClusterNode) -> None:
        """These machines are there, and no other."""
        cast(Any, self.dispatcher)._on_nodes(nodes)

    def add(self, parts: _Parts) -> None:
        """There is a job."""
        self.dispatcher.add(cast(Any, parts))

    def look(self, device: str = "") -> list[LookAnswer]:
        """The answers to a look."""
        wanted = LookOrder(clip=ORDER.clip, index=0, settings={}, device=device)
        return list(self.dispatcher.look("look", wanted, Needs(), lambda: True))


@pytest.fixture
def cluster() -> _Cluster:
    """A cluster of two machines."""
    return _Cluster()


@pytest.mark.parametrize("change", ["leaves", "drains", "cannot start", "is barred"])
def test_a_job_that_no_machine_can_do_any_more_ends_with_what_is_missing(
    cluster: _Cluster, change: str
) -> None:
    one, other = cluster.devices
    parts = _Parts()
    parts.barred[one.id] = LACKS
    cluster.add(parts)
    cluster.has_only(*cluster.nodes)
    assert not parts.failures

    match change:
        case "leaves":
            cluster.has_only(one.node)
        case "drains":
            cluster.dispatcher.drain("studio2", is_over=False)
        case "cannot start":
            other.can_work = False
            cluster.has_only(*cluster.nodes)
        case _:
            parts.barred[other.id] = LACKS
            cluster.has_only(*cluster.nodes)

    assert parts.failures == [LACKS]


def test_a_job_waits_where_there_is_no_machine_at_all_and_the_next_one_may_do_it(
    cluster: _Cluster,
) -> None:
    parts = _Parts()
    parts.barred["studio1/cuda:0"] = LACKS
    cluster.add(parts)

    cluster.has_only(cluster.nodes[1])
    cluster.has_only()

    assert not parts.failures
    assert not parts.barred


@pytest.mark.parametrize("wanted", ["", "studio2/cuda:0"])
def test_looks_and_models_go_to_no_machine_that_is_to_leave(cluster: _Cluster, wanted: str) -> None:
    one, other = cluster.devices
    cluster.dispatcher.drain("studio1", is_over=False)
    other.is_idle = False

    assert cluster.look(wanted)[-1].picture
    assert cluster.dispatcher.load(ModelOrder(), Needs()).is_made

    assert one.asked == []
    assert other.asked == ["files", "look", "load"]


@pytest.mark.parametrize("wanted", ["", "studio1/cuda:0"])
def test_where_all_machines_are_to_leave_whoever_asks_is_told(
    cluster: _Cluster, wanted: str
) -> None:
    for node in cluster.nodes:
        cluster.dispatcher.drain(node.name, is_over=False)

    with pytest.raises(WorkerLost, match="as it is to leave; let one work again"):
        cluster.look(wanted)

    cluster.dispatcher.drain("studio1", is_over=True)
    assert cluster.look(wanted)[-1].picture


def test_files_that_have_changed_since_they_were_looked_for_are_sent_for_a_look(
    cluster: _Cluster,
) -> None:
    one = cluster.devices[0]
    one.lacking = 2

    (answer,) = cluster.look()

    assert answer.picture == b"a picture"
    assert one.asked == ["files", "look"] * 3
    assert one.errands == 0
