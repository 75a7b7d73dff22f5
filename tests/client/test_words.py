"""What front ends say of jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fresco_client import FrameRange, JobState, Plan, RestyleSettings, Stage, StageProgress
from fresco_client.words import duration, look_of, state_of, time_left

from tests.fakes.session import new_job

PLAN = Plan(
    start=4,
    stop=24,
    shots=(FrameRange(start=4, stop=24),),
    keyframes=(4, 10, 23),
    working_width=64,
    working_height=64,
)
FRAMES = StageProgress(stage=Stage.INTERPOLATING, done=5, total=20)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 s"),
        (65, "65 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (3900, "65 min"),
        (5400, "1 h 30 min"),
        (7199, "2 h 00 min"),
        (2 * 86400, "2 days"),
    ],
)
def test_a_length_of_time_is_no_more_exact_than_it_is_known(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": JobState.QUEUED}, ""),
        ({"state": JobState.INTERPOLATING, "progress": (FRAMES,)}, "estimating…"),
        ({"state": JobState.INTERPOLATING, "remaining_s": 200.0}, "3 min left"),
        ({"state": JobState.PAUSED, "progress": (FRAMES,)}, ""),
        ({"state": JobState.PAUSED, "remaining_s": 200.0}, ""),
        ({"state": JobState.DONE, "remaining_s": 0.0}, ""),
    ],
)
def test_the_time_left_is_said_of_jobs_at_work_only(changes: dict[str, Any], words: str) -> None:
    assert time_left(new_job("a", **changes)) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": JobState.QUEUED}, "queued"),
        ({"state": JobState.QUEUED, "jobs_ahead": 2}, "queued, 2 before it"),
        ({"state": JobState.TRANSLATING}, "translating keyframes"),
        ({"state": JobState.TRANSLATING, "plan": PLAN, "ready_keyframes": (4,)}, "keyframes 1/3"),
        ({"state": JobState.INTERPOLATING}, "interpolating"),
        ({"state": JobState.INTERPOLATING, "progress": (FRAMES,)}, "frames 5/20"),
        ({"state": JobState.DONE, "progress": (FRAMES,)}, "done"),
    ],
)
def test_a_state_is_said_with_what_is_made(changes: dict[str, Any], words: str) -> None:
    assert state_of(new_job("a", **changes)) == words


def test_the_look_of_a_job_is_its_style_and_its_prompt() -> None:
    job = new_job("a")
    settings = RestyleSettings(style="comic", prompt="at night")

    assert look_of(job) == ""
    assert look_of(replace(job, settings=settings)) == "comic, at night"
    assert look_of(replace(job, settings=replace(settings, style=None))) == "at night"
