"""What the panel shows of a job, from what is told of it."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from fresco_blender.core.card import JobCard
from fresco_blender.core.request import RestyleRequest
from fresco_client import (
    Analysed,
    Failed,
    Failure,
    Finished,
    FrameRange,
    JobState,
    Plan,
    ProgressMade,
    Restarted,
    ResultInfo,
    Stage,
    StageProgress,
    StateChanged,
)

from tests.fakes.session import new_job

WHEN = {"time": datetime(2026, 1, 1, tzinfo=timezone.utc)}
REQUEST = RestyleRequest(job_id="a", title="shot", path="/a.mp4", start=0, stop=20, lead=0)
PLAN = Plan(
    start=0,
    stop=20,
    shots=(FrameRange(start=0, stop=20),),
    keyframes=(0, 10, 19),
    working_width=64,
    working_height=64,
)


def _known() -> JobCard:
    """A job that the daemon has."""
    card = JobCard(REQUEST)
    card.describe(new_job("a"))
    return card


def _state(sequence: int, state: JobState) -> StateChanged:
    return StateChanged(sequence=sequence, state=state, reason="", **WHEN)


def _progress(sequence: int, stage: Stage, done: float) -> ProgressMade:
    progress = StageProgress(stage=stage, done=done, total=10)
    return ProgressMade(sequence=sequence, progress=progress, remaining_s=70, **WHEN)


def test_a_job_is_followed_from_sending_to_fetching() -> None:
    card = JobCard(REQUEST)
    shares = [card.share]
    assert card.progress_text == "sending"
    card.describe(new_job("a"))

    for event in (
        _state(1, JobState.QUEUED),
        _progress(2, Stage.ANALYSING, 10),
        Analysed(sequence=3, plan=PLAN, **WHEN),
        _state(4, JobState.TRANSLATING),
        _progress(5, Stage.TRANSLATING, 5),
        _progress(6, Stage.INTERPOLATING, 4),
        _progress(7, Stage.TRANSLATING, 10),
    ):
        card.take(event)
        shares.append(card.share)

    assert card.progress_text == "keyframes 0/3, 70 s left"
    assert shares == sorted(shares)
    assert 0.5 < card.share < 1
    result = ResultInfo(file_name="a", size_bytes=1, sha256="", report_json="", is_fetched=False)
    card.take(Finished(sequence=8, result=result, **WHEN))
    assert (card.phase, card.share) == ("fetching", 1.0)


def test_an_event_that_is_told_twice_counts_once() -> None:
    card = _known()
    card.take(_state(5, JobState.TRANSLATING))

    card.take(_state(4, JobState.QUEUED))

    assert card.state is JobState.TRANSLATING


@pytest.mark.parametrize(("can_resume", "remedy"), [(True, "RESUME"), (False, "")])
def test_a_failure_says_whether_it_can_go_on(can_resume: bool, remedy: str) -> None:
    card = _known()
    failure = Failure(reason="DISK_FULL", message="full", log_tail="tail", can_resume=can_resume)

    card.take(Failed(sequence=1, failure=failure, **WHEN))

    assert card.fault is not None
    assert (card.fault.message, card.fault.remedy, card.fault.details) == ("full", remedy, "tail")
    assert card.can_resume is can_resume
    assert card.is_open
    card.take(_state(2, JobState.QUEUED))
    assert card.fault is None


def test_work_that_began_again_forgets_its_keyframes() -> None:
    card = _known()
    card.keyframe_files[0] = Path("key_0.png")

    card.take(Restarted(sequence=1, reason="a smaller size", **WHEN))

    assert not card.keyframe_files
    assert card.job is not None
    assert card.job.warnings == ("a smaller size",)


def test_a_cancelled_job_is_over() -> None:
    card = _known()

    card.take(_state(1, JobState.CANCELLED))

    assert not card.is_open
    assert not card.can_pause
