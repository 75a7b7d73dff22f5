"""Estimates: learned from what was done, silent where nothing is known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from fresco_client import Job, JobState, ResultInfo
from fresco_gui.estimates.estimate import Workload, estimate, measured_of, work_of

REPORT = {
    "settings": {"steps": 20, "strength": 0.5, "interpolation": "patch"},
    "keyframes": list(range(0, 100, 10)),
    "shots": [[0, 100]],
    "working_size": [512, 512],
    "seconds": {"analysing": 10.0, "translating keyframes": 50.0, "interpolating": 100.0},
    "peak_memory_bytes": 2 * 10**9,
    "reused": {"keyframes": 0, "frames": 0},
}
SETTINGS = {"steps": 20, "strength": 0.5}


def job(report: dict[str, Any], **changes: Any) -> Job:
    result = ResultInfo(
        file_name="a", size_bytes=1, sha256="", report_json=json.dumps(report), is_fetched=True
    )
    fields: dict[str, Any] = dict.fromkeys(Job.__dataclass_fields__)
    fields.update(id="1", state=JobState.DONE, parent_id="", progress=(), result=result, **changes)
    return Job(**fields)


def test_the_same_job_again_takes_as_long_as_it_took() -> None:
    known = measured_of(job(REPORT))
    assert known is not None

    found = estimate(known.work, SETTINGS, "", [known])

    assert found.seconds == pytest.approx(160.0)
    assert found.memory_bytes == 2 * 10**9
    assert found.based_on == 1


@pytest.mark.parametrize(("model_bytes", "told"), [(10**9, 2 * 10**9), (3 * 10**9, 3 * 10**9)])
def test_memory_is_what_was_needed_and_no_less_than_the_model(model_bytes: int, told: int) -> None:
    known = measured_of(job(REPORT))
    assert known is not None

    found = estimate(known.work, SETTINGS, "", [known], model_bytes=model_bytes)

    assert found.memory_bytes == told


def test_more_steps_frames_and_pixels_take_longer() -> None:
    known = measured_of(job(REPORT))
    assert known is not None
    work = Workload(frames=200, keyframes=20, pixels=4 * 512 * 512)

    found = estimate(work, {"steps": 40, "strength": 0.5}, "", [known])

    assert found.seconds == pytest.approx(4 * (20 * 5 * 2 + 200 * 1.1))


def test_nothing_is_promised_where_nothing_is_known() -> None:
    found = estimate(Workload(frames=10, keyframes=3, pixels=1), {}, "", [])

    assert found.seconds is None
    assert found.memory_bytes is None


def test_a_look_tells_of_the_keyframes_only() -> None:
    found = estimate(Workload(frames=10, keyframes=3, pixels=1), {}, "", [], look_s=2.0)

    assert found.seconds == pytest.approx(6.0)
    assert found.is_without_frames


def test_another_models_time_says_nothing() -> None:
    known = measured_of(job(REPORT))
    assert known is not None

    assert estimate(known.work, {}, "another", [known]).seconds is None


@pytest.mark.parametrize(
    "change",
    [{"reused": {"keyframes": 3}}, {"seconds": {}}, {"keyframes": []}, {"working_size": None}],
    ids=["went on", "no times", "no keyframes", "odd"],
)
def test_jobs_that_say_too_little_are_not_learned_from(change: dict[str, Any]) -> None:
    assert measured_of(job({**REPORT, **change})) is None


def test_rerolls_are_not_learned_from() -> None:
    assert measured_of(replace(job(REPORT), parent_id="0")) is None


def test_the_working_size_follows_the_short_side() -> None:
    work = work_of(96, 1920, 1080, {"size": 540, "keyframe_min": 8, "keyframe_max": 16})

    assert work == Workload(frames=96, keyframes=9, pixels=540 * 960)
