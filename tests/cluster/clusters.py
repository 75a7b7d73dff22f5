"""Clusters of Ray's on this machine: a head and further nodes, each with a processor of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
_STORE_BYTES = 100 << 20
_TRIES = 4
"""Ray gives a machine 30 s to come up, which is little where all cores are busy."""


class ClusterOfNodes:
    """Nodes that can be added and killed; what `environment` has is known on them."""

    def __init__(self, nodes: int, **environment: str) -> None:
        utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self._cluster: Any = _tried(
            lambda: utils.Cluster(
                initialize_head=True,
                # No work on the head itself, which stays.
                head_node_args={
                    "num_cpus": 0,
                    "include_dashboard": False,
                    "object_store_memory": _STORE_BYTES,
                    "env_vars": _environment({}),
                },
            )
        )
        self.nodes = [self.add(**environment) for _ in range(nodes)]

    @property
    def address(self) -> str:
        """Where the head is found."""
        return self._cluster.address

    def add(self, **environment: str) -> Any:
        """A machine joins."""
        return _tried(
            lambda: self._cluster.add_node(
                num_cpus=1, object_store_memory=_STORE_BYTES, env_vars=_environment(environment)
            )
        )

    def kill_node(self, node: Any) -> None:
        """A machine is gone from one moment to the other, with all that works on it."""
        for process in psutil.Process(_raylet(node)).children(recursive=True):
            process.kill()
        self._cluster.remove_node(node, allow_graceful=False)

    def workers(self) -> list[psutil.Process]:
        """The processes that work on devices, on all machines."""
        found: list[psutil.Process] = []
        for node in list(self._cluster.worker_nodes):
            for process in psutil.Process(_raylet(node)).children(recursive=True):
                with suppress(psutil.Error, IndexError):
                    if "Worker" in process.cmdline()[0] and "ray::IDLE" not in process.cmdline()[0]:
                        found.append(process)
        return found

    def close(self) -> None:
        """All machines are gone."""
        raylets = [_raylet(node) for node in self._cluster.list_all_nodes()]
        children = [
            child
            for pid in raylets
            if psutil.pid_exists(pid)
            for child in psutil.Process(pid).children(recursive=True)
        ]
        self._cluster.shutdown()
        for child in children:
            with suppress(psutil.Error, IndexError):
                child.kill()
        psutil.wait_procs(children, timeout=30)


def _tried(start: Callable[[], Any]) -> Any:
    """What `start` gives: a machine, or the head with all that it knows."""
    for tries_left in reversed(range(_TRIES)):
        before = set(psutil.Process().children(recursive=True))
        try:
            return start()
        except Exception as error:  # Ray raises no other kind here.
            if not tries_left or "timed out during startup" not in str(error):
                raise
            # One that comes up after all would be a machine too many.
            for process in set(psutil.Process().children(recursive=True)) - before:
                with suppress(psutil.Error):
                    process.kill()
    raise AssertionError("the last try gives a machine or raises")


def _raylet(node: Any) -> int:
    return node.all_processes["raylet"][0].process.pid


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **more}
