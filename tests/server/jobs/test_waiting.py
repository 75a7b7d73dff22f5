"""Who waits for news of a job hears of it at once, and is left alone by other jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from fresco_client.events import Warned
from fresco_client.values import JobState
from fresco_server.errors import JobNotFound, ShuttingDown
from fresco_server.jobs.job import JobOrder, StoredJob
from fresco_server.jobs.store import JobStore

PATIENCE_S = 120.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """Two jobs, "a" and "b"."""
    opened = JobStore(tmp_path / "jobs.sqlite3")
    for job_id in ("a", "b"):
        opened.add(job_id, JobOrder(clip="/a.mp4", settings={}), is_urgent=False, most_queued=9)
    yield opened
    opened.close()


class Waiting:
    """Somebody who waits until a job is cancelled, and how often they looked."""

    def __init__(self, store: JobStore, job_id: str) -> None:
        self.looks = 0
        self._has_looked = threading.Event()
        self._store, self._job_id = store, job_id

    def wait(self) -> StoredJob:
        return self._store.wait_until(self._job_id, self._is_cancelled, PATIENCE_S)

    def _is_cancelled(self, job: StoredJob) -> bool:
        self.looks += 1
        self._has_looked.set()
        return job.state is JobState.CANCELLED

    def wait_until_looked(self) -> None:
        assert self._has_looked.wait(PATIENCE_S)


def test_news_of_one_job_do_not_wake_those_who_wait_for_another(store: JobStore) -> None:
    waiting = Waiting(store, "a")
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(waiting.wait)
        waiting.wait_until_looked()
        for number in range(20):
            store.append_event("b", Warned(message=str(number)))
        store.change_state("a", JobState.CANCELLED)

        assert found.result(PATIENCE_S).state is JobState.CANCELLED
    assert waiting.looks == 2


def test_all_who_wait_for_a_job_hear_of_it(store: JobStore) -> None:
    all_waiting = [Waiting(store, "a") for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        found = [pool.submit(waiting.wait) for waiting in all_waiting]
        for waiting in all_waiting:
            waiting.wait_until_looked()
        store.change_state("a", JobState.CANCELLED)

        assert all(each.result(PATIENCE_S).state is JobState.CANCELLED for each in found)


@pytest.mark.parametrize(
    ("happen", "error"),
    [(lambda store: store.delete("a"), JobNotFound), (JobStore.close, ShuttingDown)],
    ids=["deleted", "closed"],
)
def test_those_who_wait_in_vain_are_told_why(
    store: JobStore, happen: Callable[[JobStore], None], error: type[Exception]
) -> None:
    waiting = Waiting(store, "a")
    with ThreadPoolExecutor(1) as pool:
        found: Future[StoredJob] = pool.submit(waiting.wait)
        waiting.wait_until_looked()
        happen(store)

        with pytest.raises(error):
            found.result(PATIENCE_S)


def test_a_wish_that_is_taken_back_is_news(store: JobStore) -> None:
    store.want("a", "pause")
    with ThreadPoolExecutor(1) as pool:
        seen = threading.Event()

        def is_free(job: StoredJob) -> bool:
            seen.set()
            return not job.wanted

        found = pool.submit(store.wait_until, "a", is_free, PATIENCE_S)
        assert seen.wait(PATIENCE_S)
        store.want("a", "")

        assert found.result(PATIENCE_S).wanted == ""
