"""A job is kept up to date by its events."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from fresco_client import (
    Analysed,
    Event,
    Failed,
    Failure,
    Finished,
    FrameRange,
    FrameReady,
    JobState,
    KeyframeReady,
    Plan,
    ProgressMade,
    Restarted,
    ResultInfo,
    Stage,
    StageProgress,
    StateChanged,
    Warned,
    job_after,
)

from tests.fakes.session import new_job

WHEN: dict[str, Any] = {"sequence": 5, "time": datetime(2026, 1, 1, tzinfo=timezone.utc)}
PLAN = Plan(
    start=4,
    stop=24,
    shots=(FrameRange(start=4, stop=24),),
    keyframes=(4, 10, 23),
    working_width=64,
    working_height=64,
)
OLD = StageProgress(stage=Stage.TRANSLATING, done=1, total=3)
NEW = StageProgress(stage=Stage.TRANSLATING, done=2, total=3)
RESULT = ResultInfo(file_name="a", size_bytes=1, sha256="", report_json="", is_fetched=False)
FAILURE = Failure(reason="DISK_FULL", message="full", log_tail="", can_resume=True)
FRAME: dict[str, Any] = {"clip_time": None, "is_keyframe": False, "picture": None}
JOB = new_job(
    "a",
    state=JobState.TRANSLATING,
    plan=PLAN,
    progress=(OLD,),
    ready_keyframes=(10,),
    ready_frames=3,
    warnings=("old",),
    last_sequence=4,
)


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        (
            StateChanged(state=JobState.PAUSED, reason="", **WHEN),
            {"state": JobState.PAUSED, "failure": None},
        ),
        (Analysed(plan=PLAN, **WHEN), {"plan": PLAN}),
        (
            ProgressMade(progress=NEW, remaining_s=7, **WHEN),
            {"progress": (NEW,), "remaining_s": 7},
        ),
        (KeyframeReady(index=4, picture=None, **WHEN), {"ready_keyframes": (4, 10)}),
        (KeyframeReady(index=10, picture=None, **WHEN), {"ready_keyframes": (10,)}),
        (FrameReady(index=7, **FRAME, **WHEN), {"ready_frames": 4}),
        (Warned(message="new", **WHEN), {"warnings": ("old", "new")}),
        (
            Restarted(reason="smaller", **WHEN),
            {"progress": (), "ready_keyframes": (), "warnings": ("old", "smaller")},
        ),
        (Finished(result=RESULT, **WHEN), {"state": JobState.DONE, "result": RESULT}),
        (Failed(failure=FAILURE, **WHEN), {"state": JobState.FAILED, "failure": FAILURE}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Event) else "",
)
def test_each_event_changes_what_it_is_about(event: Event, changes: dict[str, Any]) -> None:
    after = job_after(JOB, event)

    assert {name: getattr(after, name) for name in changes} == changes
    assert after.last_sequence == 5


def test_what_the_job_had_heard_of_changes_nothing() -> None:
    event = StateChanged(sequence=4, time=WHEN["time"], state=JobState.QUEUED, reason="")

    assert job_after(JOB, event) == JOB
