"""The worker of a device with an engine of the test's."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest
from fresco_engine import types as engine
from fresco_engine.errors import OutputNotWritable
from fresco_server.jobs.job import JobOrder
from fresco_server.jobs.messages import JobStopped, RunJob
from fresco_server.lock import alone_in
from fresco_server.worker.channel import Channel
from fresco_server.worker.device_worker import DeviceWorker


class _Ended(Exception):
    """There are no more orders."""


class _Line:
    """Gives one order and keeps what is answered."""

    def __init__(self, order: RunJob) -> None:
        self.orders = [order]
        self.sent: list[Any] = []

    def next(self, timeout_s: float | None = None) -> RunJob:
        if not self.orders:
            raise _Ended
        return self.orders.pop()

    def send(self, message: Any) -> None:
        self.sent.append(message)


class _Engine:
    """Sees whether another process could work in the job's folder."""

    is_alone = False

    def render(self, run: RunJob) -> Generator[engine.Event, None, None]:
        try:
            with alone_in(Path(run.folder), 0.0):
                pass
        except OutputNotWritable:
            self.is_alone = True
        yield from ()


@pytest.mark.skipif(os.name == "nt", reason="folders cannot be locked there")
def test_a_job_is_done_by_one_worker_at_a_time(tmp_path: Path) -> None:
    order = RunJob(job="a", folder=str(tmp_path), order=JobOrder(clip="c", settings={}), restarts=0)
    line, seeing = _Line(order), _Engine()

    with pytest.raises(_Ended):
        DeviceWorker(cast(Channel, line), cast(Any, seeing)).serve()

    assert seeing.is_alone
    assert line.sent == [JobStopped(job="a")]
    with alone_in(tmp_path, 0.0):
        pass
