"""How much of a job is done."""

from __future__ import annotations

import pytest
from fresco_client import JobState
from fresco_client.values import Stage, StageProgress, share_done


def test_a_job_whose_stages_are_all_done_is_done() -> None:
    progress = [StageProgress(stage=stage, done=4, total=4) for stage in Stage]

    assert share_done(JobState.ENCODING, progress) == pytest.approx(1)


def test_translating_all_keyframes_is_sixty_per_cent_of_a_job() -> None:
    stages = (Stage.ANALYSING, Stage.TRANSLATING)
    progress = [StageProgress(stage=stage, done=1, total=1) for stage in stages]

    assert share_done(JobState.TRANSLATING, progress) == pytest.approx(0.6)
