"""Clusters of Ray's on this machine: its own test cluster, in a process that can be ended whole.

    python -m tests.cluster.local_cluster NODES GPUS

prints the cluster's address. Every line on its standard input adds a node; it ends with it.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any

import psutil

from tests.fakes.cluster_program import ROOT, with_tests

_START_S = 180.0
_END_S = 30.0
_STORE_BYTES = 100 << 20
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    # A worker's first start is part of what is tested, and many at once would only wait.
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "OMP_NUM_THREADS": "1",
}


class LocalCluster:
    """Starts `nodes` with one processor each, or with so many GPUs, which are none.

    A context manager: with it everything ends that belongs to the cluster, in whatever state.
    """

    def __init__(self, nodes: int, gpus: int = 0) -> None:
        self._arguments = [str(nodes), str(gpus)]
        self._folder = tempfile.mkdtemp(prefix="ray-")
        self._process: subprocess.Popen[str] | None = None
        self.address = ""

    def __enter__(self) -> LocalCluster:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.local_cluster", *self._arguments],
            cwd=ROOT,
            # Other clusters of this machine are not to be confused with it.
            env=with_tests({**os.environ, **_ENVIRONMENT, "RAY_TMPDIR": self._folder}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self.address = self._answer()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        everybody = self.processes()
        assert self._process.stdin is not None
        self._process.stdin.close()
        psutil.wait_procs(everybody, timeout=_END_S)
        for process in _with_children(everybody):
            process.kill()
        psutil.wait_procs(everybody, timeout=_END_S)
        self._process.wait(_END_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add_node(self) -> None:
        """One more node like the others."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("add\n")
        self._process.stdin.flush()
        self._answer()

    def processes(self) -> list[psutil.Process]:
        """Everything that belongs to the cluster."""
        assert self._process is not None
        if self._process.poll() is not None:
            return []
        return _with_children([psutil.Process(self._process.pid)])

    def _answer(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _START_S)
        line = self._process.stdout.readline().strip() if ready else ""
        if not line:
            raise RuntimeError(f"the cluster does not start: {self._process.poll()}")
        return line


def _with_children(processes: list[psutil.Process]) -> list[psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for process in processes:
        try:
            found |= {one.pid: one for one in (process, *process.children(recursive=True))}
        except psutil.NoSuchProcess:
            continue
    return list(found.values())


def main() -> None:
    """Run a cluster until the standard input ends."""
    from ray.cluster_utils import Cluster

    nodes, gpus = int(sys.argv[1]), int(sys.argv[2])
    one: dict[str, Any] = {
        "num_cpus": 0 if gpus else 1,
        "num_gpus": gpus,
        "object_store_memory": _STORE_BYTES,
    }
    # Ray says this and that on its standard output.
    output = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": _STORE_BYTES}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(nodes):
            cluster.add_node(wait=False, **one)
        cluster.wait_for_nodes(timeout=_START_S)
        print(cluster.address, file=output)
        for _ in sys.stdin:
            cluster.add_node(**one)
            print("added", file=output)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
