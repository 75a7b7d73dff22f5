"""A daemon that many watch, one of them slowly, while clips are sent: nobody misses anything."""

from __future__ import annotations

import pytest

from bench.load import LoadFigures, LoadSettings, run

MOST_GROWTH = 120_000_000
"""Bytes. Pictures kept in memory are 64 MiB at most; each of the 51 streams has a thread with less
than 100 kB and one picture under way, each upload a few chunks of 1 MiB, and the allocator holds
on to about a quarter more. What grew with events or with the slow client would go past it."""


@pytest.fixture(scope="module")
def figures() -> LoadFigures:
    """Fifty clients, eight jobs; all that is smaller than in `bench/load.py` are the jobs."""
    return run(LoadSettings(frames=24, side=192, upload_bytes=30_000_000, slow_pause_s=0.5))


def test_no_client_misses_an_event_or_gets_one_twice_or_out_of_order(
    figures: LoadFigures,
) -> None:
    assert len(figures.crowd) == 50
    assert sum(seen.drops for seen in figures.crowd) > 0, "no connection was dropped"
    assert figures.faults.are_none, figures.faults


def test_a_slow_client_is_waited_for_and_gets_every_picture(figures: LoadFigures) -> None:
    slow = figures.slow

    assert slow.when_hurried < figures.slow_stored, "the slow client was not slow"
    assert slow.pictures == slow.announced > 0


def test_health_is_answered_throughout(figures: LoadFigures) -> None:
    health = figures.health

    assert health.asked > 0
    assert health.failed == []
    assert len(health.seconds) == health.asked


def test_memory_stays_bounded(figures: LoadFigures) -> None:
    assert figures.resources.growth_bytes < MOST_GROWTH
