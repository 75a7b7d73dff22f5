"""Workers that do not start: the daemon lives on, other devices work, jobs are told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fresco_client.values import JobState
from fresco_engine.settings import RestyleSettings
from fresco_server.errors import WorkerLost
from fresco_server.jobs import starting
from fresco_server.jobs.job import JobOrder, StoredJob
from fresco_server.jobs.service import Jobs
from fresco_server.settings import ServerSettings

from tests.engine.conftest import scene, write_clip
from tests.integration.daemons import wait_for, with_fake_worker

WAYS = ["at once", "killed", "import error", "no devices"]
StartJobs = Callable[..., Jobs]


@pytest.fixture
def order(tmp_path: Path) -> JobOrder:
    """An order for a small clip."""
    clip = write_clip(tmp_path / "clip.mp4", scene(6))
    settings = RestyleSettings(prompt="a negative", size=64).as_dict()
    return JobOrder(clip=str(clip), settings=settings, codec="frames", suffix="")


@pytest.fixture
def start_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartJobs]:
    """Starts what works on jobs; arguments are those of the fake worker, keywords are settings."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setattr(starting, "_FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(starting, "_LONGEST_WAIT_S", 0.5)
    started: list[Jobs] = []

    def start(*arguments: str, worker: tuple[str, ...] = (), devices: tuple[str, ...] = ()) -> Jobs:
        command = worker or tuple(with_fake_worker(arguments)["worker"])
        jobs = Jobs(ServerSettings(data=tmp_path / "data", worker=command, devices=devices))
        started.append(jobs)
        jobs.start()
        return jobs

    yield start
    for jobs in started:
        jobs.close()


def _ended(jobs: Jobs, job_id: str) -> StoredJob:
    wait_for(f"the end of {job_id}", lambda: jobs.get(job_id).state.is_ended)
    return jobs.get(job_id)


def _assert_told(job: StoredJob) -> None:
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert job.failure.reason == "WORKER_LOST"
    assert "does not start" in job.failure.message
    assert job.failure.can_resume


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("how", WAYS)
def test_a_worker_that_does_not_start_fails_the_job_and_not_the_daemon(
    start_jobs: StartJobs, order: JobOrder, tmp_path: Path, how: str
) -> None:
    mended = tmp_path / "mended"
    jobs = start_jobs("--broken", "any", "--how", how, "--mended", str(mended))

    jobs.create("job", order)
    _assert_told(_ended(jobs, "job"))
    assert jobs.failure is None
    assert "does not start" in jobs.devices()[0].name
    with pytest.raises(WorkerLost, match="does not start"):
        jobs.load(None, "")

    mended.touch()
    jobs.resume("job")
    assert _ended(jobs, "job").state is JobState.DONE
    assert "does not start" not in jobs.devices()[0].name


def test_what_the_worker_said_last_is_told(start_jobs: StartJobs, order: JobOrder) -> None:
    jobs = start_jobs("--broken", "any", "--how", "import error")

    jobs.create("job", order)

    failure = _ended(jobs, "job").failure
    assert failure is not None
    assert "libcudart.so.13" in failure.log_tail


def test_a_worker_that_never_answers_is_given_up(
    start_jobs: StartJobs, order: JobOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "START_PATIENCE_S", 0.2)
    jobs = start_jobs("--broken", "any", "--how", "silent")

    jobs.create("job", order)

    _assert_told(_ended(jobs, "job"))
    assert jobs.failure is None


def test_a_program_that_is_not_there_fails_the_job_and_not_the_daemon(
    start_jobs: StartJobs, order: JobOrder, tmp_path: Path
) -> None:
    jobs = start_jobs(worker=(str(tmp_path / "no such program"),))

    jobs.create("job", order)

    _assert_told(_ended(jobs, "job"))
    assert jobs.failure is None


@pytest.mark.parametrize("devices", [("other", "cpu"), ("cpu", "other")])
def test_a_device_that_does_not_start_leaves_the_work_to_others(
    start_jobs: StartJobs, order: JobOrder, devices: tuple[str, ...]
) -> None:
    jobs = start_jobs("--broken", "other", devices=devices)
    wait_for("the devices", jobs.devices)

    for number in range(3):
        jobs.create(f"any {number}".replace(" ", "-"), order)
    jobs.create("pinned", replace(order, device="other"))

    for number in range(3):
        assert _ended(jobs, f"any-{number}").state is JobState.DONE
    _assert_told(_ended(jobs, "pinned"))


def test_a_device_that_vanished_says_so(start_jobs: StartJobs, order: JobOrder) -> None:
    jobs = start_jobs(devices=("cpu", "gone"))
    wait_for("the devices", jobs.devices)

    jobs.create("job", replace(order, device="gone"))

    failure = _ended(jobs, "job").failure
    assert failure is not None
    assert "'gone' is not there" in failure.message


def test_a_device_that_was_never_there_ends_the_daemon_as_before(start_jobs: StartJobs) -> None:
    jobs = start_jobs(devices=("gone",))

    failure = wait_for("the refusal", lambda: jobs.failure)

    assert "'gone' is not there" in str(failure)


def test_a_process_that_has_lost_its_device_works_on_no_other_job(
    start_jobs: StartJobs, order: JobOrder
) -> None:
    jobs = start_jobs()
    lost = RestyleSettings(prompt="lose the device", size=64).as_dict()

    jobs.create("lost", replace(order, settings=lost))
    jobs.create("after", order)

    failure = _ended(jobs, "lost").failure
    assert failure is not None
    assert "illegal memory access" in failure.message
    assert _ended(jobs, "after").state is JobState.DONE


def test_tries_become_rarer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(starting.time, "monotonic", lambda: now)
    starts = starting.StartBackoff()

    waits: list[float] = []
    for _ in range(12):
        starts.failed("exit code 1", "")
        waits.append(starts.wait_s)

    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == 60.0
    starts.succeeded()
    assert starts.wait_s == 0
