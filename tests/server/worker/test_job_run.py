"""One run of a job, as it ends."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import pytest
from fresco_client.events import Finished
from fresco_engine.types import Event, Report, RunFinished
from fresco_server.jobs.job import JobOrder
from fresco_server.jobs.messages import JobMoved, JobStopped, Message, RunJob
from fresco_server.worker import digests
from fresco_server.worker.job_run import JobRun, result_path


class _Report:
    """Of a run that made nothing."""

    interpolation: Mapping[str, Any] = MappingProxyType({})

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {}


def _rendered(order: RunJob) -> Generator[Event, None, None]:
    """A run whose result is large."""
    result_path(order).write_bytes(bytes(4000))
    yield RunFinished(cast(Report, _Report()))


@pytest.mark.parametrize("pieces", [0, 2, 4])
def test_a_job_that_is_to_stop_does_so_while_its_result_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    monkeypatch.setattr(digests, "_BLOCK_BYTES", 1000)
    order = JobOrder(clip="clip.mp4", settings={}, codec="lossless", suffix=".mkv")
    run = RunJob(job="a", folder=str(tmp_path), order=order, restarts=0)
    sent: list[Message] = []
    left = [True] * pieces

    JobRun(run, sent.append).follow(_rendered, lambda: bool(left) and left.pop())

    if pieces < 4:
        assert sent == [JobStopped(job="a")]
    else:
        (told,) = sent
        assert isinstance(told, JobMoved)
        assert isinstance(told.event, Finished)
