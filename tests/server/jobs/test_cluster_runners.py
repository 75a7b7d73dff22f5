"""The machines of a cluster, as the daemon knows them while its process comes and goes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fresco_server.errors import NodeUnknown
from fresco_server.jobs.claim import claim
from fresco_server.jobs.cluster_runners import ClusterRunners
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.runner import Runner
from fresco_server.jobs.store import JobStore
from fresco_server.settings import ServerSettings

from tests.fakes.waiting import until

_PROGRAM = """
import json, os, sys
def say(**message):
    print(json.dumps(message), flush=True)
names = ("studio1", "studio2")
say(kind="DevicesChanged", devices=[
    {"id": f"{name}/cuda:0", "name": "A GPU", "node": name, "state": "busy", "job_id": "a"}
    for name in names
])
say(kind="Ready", devices=[])
for line in sys.stdin:
    order = json.loads(line)
    with open(sys.argv[1], "a") as orders:
        print(os.getpid(), order["kind"], order.get("node"), order.get("is_over"), file=orders)
    if order["kind"] == "LoadModel":
        if order["source"] == "fatal":
            sys.exit(3)
        say(kind="ModelLoaded", source=order["source"])
"""


class _Cluster:
    """A cluster of two machines, of which nothing is real; `orders` are what it was told."""

    def __init__(self, folder: Path) -> None:
        self._orders = folder / "orders.txt"
        folders = DataFolder(claim(folder / "data"))
        self.store = JobStore(folders.root / "jobs.sqlite3")
        command = (sys.executable, "-c", _PROGRAM, str(self._orders))
        settings = ServerSettings(
            data=folders.root, cluster="studio1:1", cluster_worker=command, idle_unload_s=3600.0
        )
        self.machines = ClusterRunners(lambda: None)
        self.runners: tuple[Runner, ...] = self.machines.found(settings, self.store, folders)
        self.runner = self.runners[0]
        self.runner.start()

    @property
    def orders(self) -> list[str]:
        """What the processes were told, without their numbers."""
        if not self._orders.exists():
            return []
        return [line.partition(" ")[2] for line in self._orders.read_text("utf-8").splitlines()]

    @property
    def states(self) -> list[tuple[str, str, bool, str]]:
        """What is known of the devices."""
        found = self.machines.devices
        return [(one.node, one.state, one.is_draining, one.job_id) for one in found]

    def load(self, source: str | None = None) -> None:
        """Have something done, by a process that is started if there is none."""
        self.runner.load(source, lambda: True)

    def close(self) -> None:
        """Nothing is left of it."""
        self.runner.close()
        self.store.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[_Cluster]:
    """A cluster that was joined."""
    found = _Cluster(tmp_path)
    until(lambda: bool(found.states), "the devices")
    yield found
    found.close()


def test_a_machine_that_is_to_leave_is_remembered_when_the_process_begins_anew(
    cluster: _Cluster,
) -> None:
    cluster.machines.drain("studio2", is_over=False)
    until(lambda: cluster.orders == ["DrainNode studio2 False"], "the order")
    assert cluster.runner.unload()

    cluster.load()
    assert cluster.orders == ["DrainNode studio2 False"] * 2 + ["LoadModel None None"]
    assert [one[2] for one in cluster.states] == [False, True]

    cluster.machines.drain("studio2", is_over=True)
    assert cluster.runner.unload()
    cluster.load()
    assert cluster.orders[3:] == ["DrainNode studio2 True", "LoadModel None None"]


def test_machines_are_known_while_the_process_rests(cluster: _Cluster) -> None:
    assert cluster.runner.unload()

    assert cluster.states == [("studio1", "stopped", False, ""), ("studio2", "stopped", False, "")]
    cluster.machines.drain("studio1", is_over=False)
    assert [one[2] for one in cluster.states] == [True, False]
    with pytest.raises(NodeUnknown, match="'studio3'; there is studio1, studio2"):
        cluster.machines.drain("studio3", is_over=False)
    cluster.load()
    assert cluster.orders[0] == "DrainNode studio1 False"


def test_a_machine_that_is_to_leave_is_remembered_when_the_process_has_died(
    cluster: _Cluster,
) -> None:
    cluster.machines.drain("studio2", is_over=False)
    with pytest.raises(Exception, match="exit code 3"):
        cluster.load("fatal")
    until(lambda: not cluster.states, "that nothing is known")

    # It may come back before the machine is seen again.
    cluster.machines.drain("studio2", is_over=True)
    cluster.load()

    assert "DrainNode studio2 False" not in cluster.orders[2:]
