"""Clusters of Ray's on this machine, which nothing is left of after a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec

import pytest

from tests.cluster.local_cluster import LocalCluster

StartCluster = Callable[..., LocalCluster]
MEASURES = pytest.mark.skipif(
    "FRESCO_SCALE" not in os.environ,
    reason="measures speed, which takes a machine to itself: FRESCO_SCALE=1 pytest tests/cluster",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs Ray where it is not installed."""
    if find_spec("ray") is not None:
        return
    skip = pytest.mark.skip(reason="Ray is not installed: pip install 'fresco[cluster]'")
    for item in items:
        if "/tests/cluster/" in item.path.as_posix():
            item.add_marker(skip)


@pytest.fixture(scope="module")
def start_cluster() -> Iterator[StartCluster]:
    """Starts clusters of so many nodes, with one processor each or with `gpus` that are none."""
    with ExitStack() as clusters:

        def start(nodes: int, gpus: int = 0) -> LocalCluster:
            return clusters.enter_context(LocalCluster(nodes, gpus))

        yield start
