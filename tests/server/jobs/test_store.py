"""What the store promises: every event once, in order, together with what it changes."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from fakes.waiting import PATIENCE_S
from fresco_client.events import Failed, Finished, FrameReady, ProgressMade, Restarted, Warned
from fresco_client.values import Failure, JobState, ResultInfo, Stage, StageProgress
from fresco_engine.errors import DiskFull
from fresco_server.errors import (
    CannotStart,
    DaemonLimitReached,
    JobExists,
    JobNotFound,
    ShuttingDown,
)
from fresco_server.jobs.codec import from_plain, to_plain
from fresco_server.jobs.job import JobOrder, ModelOrder
from fresco_server.jobs.store import JobStore
from hypothesis import given, settings
from hypothesis import strategies as st

ORDER = JobOrder(
    clip="/clips/a b é.mp4",
    settings={"prompt": "a watercolour", "keyframe_prompts": {"3": "warm"}},
    model=ModelOrder(source="/models/m", loras=(("/l.safetensors", 0.5),)),
    request={"prompt": "a watercolour"},
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """An empty store."""
    store = JobStore(tmp_path / "jobs.sqlite3")
    yield store
    store.close()


def _add(store: JobStore, job_id: str, order: JobOrder = ORDER, *, is_urgent: bool = False) -> None:
    store.add(job_id, order, is_urgent=is_urgent, most_queued=100)


def _frame(index: int) -> FrameReady:
    return FrameReady(index=index, clip_time=Fraction(index, 24), is_keyframe=False)


def test_an_order_is_read_as_it_was_written(store: JobStore) -> None:
    _add(store, "a")

    assert store.get("a").order == ORDER
    assert from_plain(JobOrder, to_plain(ORDER)) == ORDER


def test_everything_is_there_after_the_store_was_opened_again(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite3")
    _add(store, "a")
    stage = StageProgress(stage=Stage.ANALYSING, done=1, total=4)
    store.append_event("a", ProgressMade(progress=stage, remaining_s=2.5))
    store.append_event("a", Warned(message="so"))
    result = ResultInfo(file_name="result.mp4", size_bytes=3, sha256="ab", report_json='{"x": [1]}')
    store.append_event("a", Finished(result=result))
    before, events = store.get("a"), store.events("a", 0)
    store.close()

    again = JobStore(tmp_path / "jobs.sqlite3")

    assert again.get("a") == before
    assert again.events("a", 0) == events
    assert before.result == result
    assert before.progress == (stage,)
    assert before.warnings == ("so",)
    again.close()


def test_a_failure_is_kept_until_the_job_is_resumed(store: JobStore) -> None:
    _add(store, "a")
    failure = Failure(reason="DISK_FULL", message="full", can_resume=True)
    store.append_event("a", Failed(failure=failure))

    assert store.get("a").failure == failure
    assert store.requeue("a", "resumed", is_first=False).failure is None


def test_a_key_is_told_once_until_the_work_begins_anew(store: JobStore) -> None:
    _add(store, "a")

    first = store.append_event("a", _frame(0))
    second = store.append_event("a", _frame(0))
    made_before = store.get("a").ready_frames
    store.append_event("a", Restarted(reason="smaller"))
    made_after = store.get("a").ready_frames
    third = store.append_event("a", _frame(0))

    assert first is not None
    assert second is None
    assert third is not None
    assert (made_before, made_after, store.get("a").ready_frames) == (1, 0, 1)
    assert store.get("a").restarts == 1


@settings(max_examples=25, deadline=None)
@given(told=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5)), max_size=30))
def test_sequences_count_from_one_without_gaps_whatever_is_told(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, int]]
) -> None:
    store = JobStore(tmp_path_factory.mktemp("store") / "jobs.sqlite3")
    for job_id in "ab":
        _add(store, job_id)

    for job_id, index in told:
        store.append_event(job_id, _frame(index))

    for job_id in "ab":
        events = store.events(job_id, 0, limit=1000)
        indices = [one.index for one in events if isinstance(one, FrameReady)]
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert indices == list(dict.fromkeys(index for job, index in told if job == job_id))
        assert store.events(job_id, 2, limit=3) == events[2:5]
    store.close()


def test_a_change_that_fails_leaves_neither_event_nor_change(store: JobStore) -> None:
    _add(store, "a")

    def fails() -> None:
        store.append_event("a", Warned(message="x"))
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        store.database.transact(fails)

    assert store.get("a").warnings == ()
    assert len(store.events("a", 0)) == 1


def test_on_a_full_disk_writing_goes_on_for_a_while_and_then_fails_with_a_sentence(
    store: JobStore,
) -> None:
    _add(store, "a")
    full = store.database.one("PRAGMA page_count")[0]
    store.database.run(f"PRAGMA max_page_count = {full}")
    told = 0

    def tell() -> None:
        store.append_event("a", Restarted(reason="x" * 4000))

    def tell_on_and_on() -> None:
        nonlocal told
        while True:
            tell()
            told += 1

    with pytest.raises(DiskFull, match="free some room"):
        tell_on_and_on()

    assert told > 500
    assert store.get("a").last_sequence == 1 + told
    store.database.run("PRAGMA max_page_count = 1000000")
    store.database.keep_reserve()
    full = store.database.one("PRAGMA page_count")[0]
    store.database.run(f"PRAGMA max_page_count = {full}")
    tell()
    assert store.get("a").last_sequence == 2 + told


def test_room_for_the_log_is_held_by_every_daemon_and_not_by_the_first_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "jobs.sqlite3"
    held: list[int] = []

    for _ in range(3):
        store = JobStore(path)
        held.append(path.with_name("jobs.sqlite3-wal").stat().st_size)
        store.close()

    assert min(held) > 4 << 20


def test_the_same_request_is_the_same_job_and_another_is_refused(store: JobStore) -> None:
    _add(store, "a")
    _add(store, "a", JobOrder(clip="/moved", settings={}, request=ORDER.request))

    assert store.get("a").order == ORDER
    assert len(store.events("a", 0)) == 1
    with pytest.raises(JobExists):
        _add(store, "a", JobOrder(clip=ORDER.clip, settings={}, request={"prompt": "other"}))


def test_the_queue_is_in_order_with_urgent_jobs_first(store: JobStore) -> None:
    for job_id in "abc":
        _add(store, job_id)
    _add(store, "d", is_urgent=True)
    store.want("d", "pause")

    assert [store.get(job_id).jobs_ahead for job_id in "dabc"] == [0, 1, 2, 3]
    found = store.next_queued([""])
    assert found is not None
    assert found.id == "a"
    store.change_state("a", JobState.ANALYSING)
    store.requeue("a", "the daemon was restarted", is_first=True)
    assert [store.get(job_id).jobs_ahead for job_id in "adbc"] == [0, 1, 2, 3]


def test_a_job_for_another_device_is_not_taken(store: JobStore) -> None:
    _add(store, "a", JobOrder(clip="/c", settings={}, device="cuda:1"))

    assert store.next_queued(["", "cpu"]) is None
    assert store.next_queued(["", "cuda:1"]) is not None


def test_no_more_jobs_wait_than_may(store: JobStore) -> None:
    _add(store, "a")

    with pytest.raises(DaemonLimitReached) as refusal:
        store.add("b", ORDER, is_urgent=False, most_queued=1)

    assert refusal.value.reason == "QUEUE_FULL"
    assert not store.has("b")


def test_jobs_are_listed_newest_first_page_by_page(store: JobStore) -> None:
    for number in range(5):
        _add(store, f"job{number}")
        time.sleep(0.002)
    store.change_state("job3", JobState.CANCELLED)

    first = store.list(limit=2)
    second = store.list(limit=10, before=(first[-1].created, first[-1].id))

    assert [job.id for job in (*first, *second)] == [f"job{n}" for n in (4, 3, 2, 1, 0)]
    assert [job.id for job in store.list([JobState.CANCELLED])] == ["job3"]
    assert store.count_open() == 4


def test_who_waits_is_woken_by_news_and_by_nothing_else(store: JobStore) -> None:
    _add(store, "a")
    _add(store, "b")
    woken = threading.Event()

    def wait() -> None:
        if store.wait("a", 1, timeout_s=PATIENCE_S):
            woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    store.append_event("b", Warned(message="x"))
    assert not woken.wait(0.1)
    store.append_event("a", Warned(message="x"))
    thread.join(PATIENCE_S)

    assert woken.is_set()
    assert not store.wait("a", 2, timeout_s=0.01)


def test_who_waits_is_told_of_deletion_and_of_the_end(store: JobStore) -> None:
    for job_id in "ab":
        _add(store, job_id)
    raised: dict[str, type[Exception]] = {}

    def wait(job_id: str) -> None:
        try:
            store.wait(job_id, 1, timeout_s=PATIENCE_S)
        except (JobNotFound, ShuttingDown) as error:
            raised[job_id] = type(error)

    threads = [threading.Thread(target=wait, args=(job_id,)) for job_id in "ab"]
    for thread in threads:
        thread.start()
    store.delete("a")
    threads[0].join(PATIENCE_S)
    store.close()
    threads[1].join(PATIENCE_S)

    assert raised == {"a": JobNotFound, "b": ShuttingDown}


def test_a_deleted_job_takes_its_events_along(store: JobStore) -> None:
    _add(store, "a")
    store.delete("a")

    with pytest.raises(JobNotFound):
        store.events("a", 0)
    _add(store, "a")
    assert [event.sequence for event in store.events("a", 0)] == [1]


def test_a_database_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()

    with pytest.raises(CannotStart, match="another version"):
        JobStore(path)
