"""When a worker process is ended."""

from __future__ import annotations

from typing import Any, cast

import pytest
from fresco_server.jobs import worker_lifecycle
from fresco_server.jobs.worker_lifecycle import WorkerLifecycle


class _Process:
    """One in which others work as well, for so many times that it is asked."""

    def __init__(self, refusals: int) -> None:
        self.asked = 0
        self._refusals = refusals

    def give_up(self) -> bool:
        """Whether it has ended."""
        self.asked += 1
        return self.asked > self._refusals


@pytest.mark.parametrize("refusals", [0, 1, 3])
def test_work_that_does_not_stop_ends_its_process_as_soon_as_nobody_else_works_there(
    monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    process = _Process(refusals)
    now = 1000.0
    monkeypatch.setattr(worker_lifecycle.time, "monotonic", lambda: now)
    worker = WorkerLifecycle("cluster", cast(Any, None), 300.0, cast(Any, None))
    worker.adopt(cast(Any, process))

    worker.must_stop()
    for _ in range(10):
        now += worker.wait_s(is_idle=False)
        worker.on_time(is_idle=False)

    assert process.asked == refusals + 1


def test_work_that_has_stopped_ends_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    process = _Process(1)
    now = 1000.0
    monkeypatch.setattr(worker_lifecycle.time, "monotonic", lambda: now)
    worker = WorkerLifecycle("cluster", cast(Any, None), 300.0, cast(Any, None))
    worker.adopt(cast(Any, process))
    worker.must_stop()
    now += worker.wait_s(is_idle=False)
    worker.on_time(is_idle=False)

    worker.is_free()
    for _ in range(10):
        now += 5.0
        worker.on_time(is_idle=False)

    assert process.asked == 1
