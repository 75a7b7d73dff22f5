"""How much faster several machines are, by workers that sleep as long as the engine would work."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from fresco_client import FrameReady, ProgressMade, Session

from bench.cluster_check import (
    ATTEMPTS,
    SleptJob,
    figures_of,
    settings_for,
    sleeping_daemon,
    slept_job,
    started_devices,
    write_shots,
)
from bench.cluster_model import ideal_s, seconds_of, simulate
from tests.cluster.conftest import MEASURES, StartCluster
from tests.cluster.local_cluster import LocalCluster
from tests.fakes.sleeping_worker import SleepSeconds

_LOGGER = logging.getLogger(__name__)
pytestmark = MEASURES
WORKERS = 8
SECONDS = SleepSeconds(step=0.025, frame=1.2)
FIGURES = figures_of(SECONDS)
SLOW_STEPS = SleepSeconds(step=0.1, frame=0.05)


@pytest.fixture(scope="module")
def cluster(start_cluster: StartCluster) -> LocalCluster:
    """Eight nodes."""
    return start_cluster(WORKERS)


@pytest.fixture(scope="module")
def session(request: pytest.FixtureRequest, cluster: LocalCluster) -> Iterator[Session]:
    """A client of a daemon with eight workers, which sleep as long as a test says."""
    seconds = getattr(request, "param", SECONDS)
    with sleeping_daemon(cluster, WORKERS, seconds) as daemon, daemon.session() as session:
        yield session


def best_job(
    session: Session, clip: Path, lengths: list[int], gap: int, anchors_first: int = 0
) -> SleptJob:
    """The quickest of some attempts; the clip is cut as it was made."""
    settings = replace(settings_for(lengths, gap), anchors_first=anchors_first)
    jobs = [slept_job(session, clip, settings) for _ in range(ATTEMPTS)]
    for job in jobs:
        assert [stop - first for first, stop in job.clip.shots] == lengths
        assert sum(isinstance(event, FrameReady) for event in job.events) == sum(lengths)
    return min(jobs, key=lambda job: job.total_s)


def test_eight_shots_are_seven_times_as_fast_on_eight_workers_as_on_one(
    session: Session, tmp_path: Path
) -> None:
    lengths, gap = [9] * WORKERS, 4
    clip = write_shots(tmp_path / "shots.mp4", lengths)

    together = best_job(session, clip, lengths, gap)
    device = started_devices(session)[0].id
    alone = slept_job(session, clip, settings_for(lengths, gap), device)

    _LOGGER.info("%.2f and %.2f s", alone.total_s, together.total_s)
    assert alone.total_s >= 7 * together.total_s, f"{alone.total_s} and {together.total_s} s"
    said = simulate(together.clip, WORKERS, FIGURES).total_s
    assert said == pytest.approx(together.total_s, rel=0.1)


def test_one_shot_is_as_fast_as_its_graph_allows(session: Session, tmp_path: Path) -> None:
    lengths, gap = [127], 2
    clip = write_shots(tmp_path / "shot.mp4", lengths)

    job = best_job(session, clip, lengths, gap)

    assert len(job.clip.keyframes[0]) == 64
    # On one device it would take no less than all that is slept.
    slept_s = sum(seconds_of(part, FIGURES) for part in job.clip.parts)
    bound = slept_s / ideal_s(job.clip, WORKERS, FIGURES)
    took_s = job.made_s - job.planned_s
    _LOGGER.info("%.2f s of sleep in %.2f s, bound %.2f", slept_s, took_s, bound)
    assert bound > 6
    assert slept_s / took_s >= 0.9 * bound


def test_whoever_watches_a_long_shot_hears_of_it_all_the_time(
    session: Session, tmp_path: Path
) -> None:
    lengths, gap = [127], 2
    clip = write_shots(tmp_path / "shot.mp4", lengths)

    job = slept_job(session, clip, settings_for(lengths, gap))

    times = [event.time for event in job.events if isinstance(event, ProgressMade | FrameReady)]
    silences = [(b - a).total_seconds() for a, b in pairwise(times)]
    _LOGGER.info("silent for %.2f s", max(silences))
    assert max(silences) < 0.3 * job.total_s


@pytest.mark.parametrize("session", [SLOW_STEPS], indirect=True)
def test_with_anchors_first_one_shot_is_as_fast_as_its_graph_allows_as_well(
    session: Session, tmp_path: Path
) -> None:
    figures, lengths, gap = figures_of(SLOW_STEPS), [127], 2
    clip = write_shots(tmp_path / "shot.mp4", lengths)

    in_a_row = best_job(session, clip, lengths, gap)
    shared = best_job(session, clip, lengths, gap, anchors_first=1)

    took_s = shared.made_s - shared.planned_s
    bound_s = ideal_s(shared.clip, WORKERS, figures)
    _LOGGER.info("%.2f and %.2f s, bound %.2f", in_a_row.made_s, took_s, bound_s)
    assert bound_s < 0.5 * ideal_s(in_a_row.clip, WORKERS, figures)
    assert took_s <= bound_s / 0.9
