"""A long queue for a cluster: the daemon neither grows with it nor becomes slow."""

from __future__ import annotations

import logging
import statistics
import time
from pathlib import Path

import psutil
import pytest
from fresco_client import ClipSource, JobState, OutputOptions
from fresco_server.jobs.cluster_runners import MOST_JOBS

from bench.cluster_check import settings_for, sleeping_daemon, wait_for_devices, write_shots
from tests.cluster.conftest import MEASURES, StartCluster
from tests.fakes.sleeping_worker import SleepSeconds

_LOGGER = logging.getLogger(__name__)
pytestmark = MEASURES
QUEUED = 1000
MOST_GROWTH = 60_000_000
"""Bytes that the daemon may grow by: of the jobs that wait it has hardly more than their names."""
MOST_GROWTH_AT_WORK = 700_000_000
"""Bytes for its process that works on sixteen of them, with a decoder and an encoder for each."""
HEALTH_S = 0.2
CALLS = 50


@pytest.mark.timeout(1500)
def test_a_thousand_jobs_wait_for_sixteen_workers_and_the_daemon_stays_small_and_answers(
    start_cluster: StartCluster, tmp_path: Path
) -> None:
    clip, settings = write_shots(tmp_path / "short.mp4", [5]), settings_for([5], 4)
    output = OutputOptions(kind="lossless")
    limits = {"queued_jobs": QUEUED}
    seconds = SleepSeconds(step=0.05, frame=0.1)
    # Sixteen nodes would be more of Ray's processes than a small machine has room for.
    cluster = start_cluster(4, 4)
    with (
        sleeping_daemon(cluster, 1, seconds, limits=limits) as daemon,
        daemon.session() as session,
    ):
        ours, at_work = psutil.Process(daemon.pid), daemon.workers()[0]
        before = ours.memory_info().rss, at_work.memory_info().rss
        for _ in range(QUEUED):
            session.submit(ClipSource(path=str(clip)), settings, output=output)
        took: list[float] = []
        while len(took) < CALLS or session.server().open_jobs:
            began = time.perf_counter()
            session.server()
            took.append(time.perf_counter() - began)
            time.sleep(0.05)
        wait_for_devices(session, MOST_JOBS)
        growth = ours.memory_info().rss - before[0], at_work.memory_info().rss - before[1]
        states = {job.state for job in session.jobs()}

    assert states == {JobState.DONE}
    _LOGGER.info("grown by %s bytes; answered in %.3f s at most", growth, max(took))
    assert growth[0] < MOST_GROWTH
    assert growth[1] < MOST_GROWTH_AT_WORK
    # A busy machine may hold up a single call.
    assert statistics.median(took) <= HEALTH_S, f"{max(took)} s at most"
