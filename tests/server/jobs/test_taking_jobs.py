"""Several devices and one queue: a job is begun once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fresco_client.events import KeyframeReady
from fresco_client.values import JobState
from fresco_engine.errors import DiskFull
from fresco_server.jobs import assignment as assignment_module
from fresco_server.jobs.assignment import JobAssignment
from fresco_server.jobs.claim import claim
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import JobOrder, StoredJob
from fresco_server.jobs.messages import JobMoved, JobStopped, Order, RunJob, StopJob
from fresco_server.jobs.records import Records
from fresco_server.jobs.store import JobStore

JOBS = 30


class Worker:
    """Takes every order at once."""

    def __init__(self) -> None:
        self.jobs: list[str] = []
        self.stopped: list[str] = []

    def send(self, order: Order) -> None:
        """Remember a job."""
        assert isinstance(order, RunJob | StopJob)
        (self.jobs if isinstance(order, RunJob) else self.stopped).append(order.job)

    def is_free(self) -> None:
        """It has nothing to do."""

    def must_stop(self) -> None:
        """It is to stop soon."""

    def give_up(self) -> bool:
        """Others work in its process."""
        return False

    is_running = True


@pytest.fixture
def folders(tmp_path: Path) -> DataFolder:
    """A data folder."""
    return DataFolder(claim(tmp_path / "data"))


@pytest.fixture
def store(folders: DataFolder) -> Iterator[JobStore]:
    """A queue of jobs."""
    store = JobStore(folders.root / "jobs.sqlite3")
    for number in range(JOBS):
        order = JobOrder(clip="clip.mp4", settings={}, request={"n": number})
        store.add(f"job-{number}", order, is_urgent=False, most_queued=JOBS + 1)
    yield store
    store.close()


def assignment(store: JobStore, folders: DataFolder, worker: Worker) -> JobAssignment:
    """That of a device."""
    return JobAssignment("cuda:0", cast(Any, worker), store, folders, threading.Event())


def test_of_two_devices_that_see_the_same_job_one_begins_it(
    store: JobStore, folders: DataFolder
) -> None:
    workers = [Worker(), Worker()]
    first, second = (assignment(store, folders, worker) for worker in workers)
    seen = [cast(StoredJob, one.next()) for one in (first, second)]
    assert seen[0].id == seen[1].id

    first.begin(seen[0])
    second.begin(seen[1])

    assert [worker.jobs for worker in workers] == [[seen[0].id], []]
    assert second.job is None
    assert store.get(seen[0].id).state is JobState.ANALYSING


def test_many_devices_at_once_begin_every_job_once(store: JobStore, folders: DataFolder) -> None:
    workers = [Worker() for _ in range(8)]

    def work(worker: Worker) -> None:
        while True:
            device = assignment(store, folders, worker)
            job = device.next()
            if job is None:
                return
            device.begin(job)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    begun = [job for worker in workers for job in worker.jobs]
    assert sorted(begun) == sorted(f"job-{number}" for number in range(JOBS))


def test_a_job_that_is_to_stop_is_not_begun(store: JobStore, folders: DataFolder) -> None:
    worker = Worker()
    device = assignment(store, folders, worker)
    job = cast(StoredJob, device.next())
    store.want(job.id, "cancel")

    device.begin(job)

    assert worker.jobs == []
    assert device.job is None


def begun(store: JobStore, folders: DataFolder) -> tuple[JobAssignment, StoredJob]:
    """A device that works on a job."""
    device = assignment(store, folders, Worker())
    job = cast(StoredJob, device.next())
    device.begin(job)
    return device, job


WANTED = pytest.mark.parametrize(
    ("wanted", "state"), [("cancel", JobState.CANCELLED), ("pause", JobState.PAUSED)]
)


@WANTED
def test_a_running_job_stops_when_its_own_device_has_stopped_and_not_when_others_are_asked(
    store: JobStore, folders: DataFolder, wanted: str, state: JobState
) -> None:
    device, job = begun(store, folders)
    other = assignment(store, folders, Worker())
    store.want(job.id, wanted)

    device.stop(job.id)
    other.stop(job.id)
    assert store.get(job.id).state is JobState.ANALYSING
    assert store.get(job.id).wanted == wanted

    device.on_message(JobStopped(job=job.id))
    assert store.get(job.id).state is state


@WANTED
def test_a_job_that_was_to_stop_does_not_come_back_when_its_worker_is_killed(
    store: JobStore, folders: DataFolder, wanted: str, state: JobState
) -> None:
    device, job = begun(store, folders)
    other = assignment(store, folders, Worker())
    store.want(job.id, wanted)
    device.stop(job.id)
    other.stop(job.id)

    device.recover(-9, "")

    assert store.get(job.id).state is state


@WANTED
def test_a_job_that_has_stopped_is_not_put_back_by_whoever_gives_it_back(
    store: JobStore, folders: DataFolder, wanted: str, state: JobState
) -> None:
    device, job = begun(store, folders)
    store.change_state(job.id, state)

    device.give_back("the daemon was stopped")
    assert store.get(job.id).state is state
    device.recover(-9, "")
    assert store.get(job.id).state is state


@WANTED
def test_a_job_that_waits_is_stopped_by_any_device(
    store: JobStore, folders: DataFolder, wanted: str, state: JobState
) -> None:
    store.want("job-3", wanted)

    assignment(store, folders, Worker()).stop("job-3")

    assert store.get("job-3").state is state


def test_a_job_that_is_wanted_again_before_it_has_stopped_waits_for_a_device(
    store: JobStore, folders: DataFolder
) -> None:
    device, job = begun(store, folders)
    store.want(job.id, "pause")
    device.stop(job.id)
    store.want(job.id, "")

    device.on_message(JobStopped(job=job.id))

    assert store.get(job.id).state is JobState.QUEUED


def test_a_full_disk_ends_the_job_and_not_the_process_that_others_use(
    store: JobStore, folders: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker()
    device = assignment(store, folders, worker)
    job = cast(StoredJob, device.next())
    device.begin(job)
    troubles = [DiskFull(folders.root, 0)]
    append = store.append_event

    def on_full_disk(*given: Any, **named: Any) -> Any:
        if troubles:
            raise troubles.pop()
        return append(*given, **named)

    monkeypatch.setattr(store, "append_event", on_full_disk)
    monkeypatch.setattr(assignment_module, "_ROOM_PATIENCE_S", 0.0)
    device.on_message(JobMoved(job=job.id, event=KeyframeReady(index=1)))
    assert worker.stopped == [job.id]
    device.on_message(JobStopped(job=job.id))

    failure = store.get(job.id).failure
    assert failure is not None
    assert failure.reason == "DISK_FULL"
    assert failure.can_resume


@pytest.fixture
def kept(folders: DataFolder) -> Iterator[JobStore]:
    """A job whose folder knows it, so that it may be begun again there."""
    folders.make()
    kept = JobStore(folders.database, Records(folders))
    order = JobOrder(clip="clip.mp4", settings={}, request={})
    kept.add("again", order, is_urgent=False, most_queued=1)
    yield kept
    kept.close()


def test_a_job_is_not_charged_for_what_its_worker_did_beside_it(
    kept: JobStore, folders: DataFolder
) -> None:
    device, job = begun(kept, folders)
    for was_alone in (False, False, False, False, True, True):
        device.recover(-9, "", was_alone=was_alone)
        assert kept.get(job.id).state is JobState.QUEUED
        device.begin(kept.get(job.id))

    device.recover(-9, "")

    assert kept.get(job.id).state is JobState.FAILED


def test_a_job_whose_worker_never_lives_for_long_ends_all_the_same(
    kept: JobStore, folders: DataFolder
) -> None:
    device, job = begun(kept, folders)
    for _ in range(40):
        device.recover(-9, "", was_alone=False)
        if kept.get(job.id).state is JobState.FAILED:
            break
        device.begin(kept.get(job.id))

    assert kept.get(job.id).state is JobState.FAILED
