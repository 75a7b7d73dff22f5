"""A damaged list of jobs is told of, kept, and made anew from the folders of the jobs."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from fresco_client.events import (
    Analysed,
    Failed,
    Finished,
    FrameReady,
    KeyframeReady,
    StateChanged,
    Warned,
)
from fresco_client.values import Failure, FrameRange, JobState, Plan, ResultInfo
from fresco_server.errors import CannotStart, ShuttingDown, StoreBusy
from fresco_server.jobs import database
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import JobOrder
from fresco_server.jobs.reconciling import reconcile
from fresco_server.jobs.records import Records
from fresco_server.jobs.store import JobStore

RESULT = ResultInfo(file_name="result.mp4", size_bytes=3, sha256="ab", report_json='{"x": [1]}')
PLAN = Plan(
    start=0,
    stop=6,
    shots=(FrameRange(start=0, stop=6),),
    keyframes=(0, 5),
    working_width=64,
    working_height=64,
)
FAILURE = Failure(reason="DISK_FULL", message="full", can_resume=True)


@pytest.fixture
def folders(tmp_path: Path) -> DataFolder:
    """A data folder."""
    folders = DataFolder(tmp_path / "data")
    folders.make()
    return folders


def _open(folders: DataFolder) -> JobStore:
    """The store of a daemon that has just started."""
    records = Records(folders)
    store = JobStore(folders.database, records)
    reconcile(store, records)
    return store


def _order(name: str) -> JobOrder:
    return JobOrder(clip=f"/clips/{name} é.mp4", settings={"prompt": name}, title=name)


@pytest.fixture
def store(folders: DataFolder) -> Iterator[JobStore]:
    """A store with a job of every kind, closed in the end."""
    store = _open(folders)
    for name in ("done", "failed", "cancelled", "queued", "paused", "running"):
        store.add(name, _order(name), is_urgent=False, most_queued=99)
    store.change_state("done", JobState.ANALYSING)
    store.append_event("done", Analysed(plan=PLAN))
    for index in (0, 5):
        store.append_event("done", KeyframeReady(index=index))
    store.append_event("done", FrameReady(index=0, clip_time=Fraction(0), is_keyframe=True))
    store.append_event("done", Finished(result=RESULT))
    store.set_fetched("done")
    store.append_event("failed", Failed(failure=FAILURE))
    store.change_state("cancelled", JobState.CANCELLED)
    store.change_state("paused", JobState.PAUSED)
    store.change_state("running", JobState.INTERPOLATING)
    yield store
    store.close()


def _lose(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 100)


def _text(path: Path) -> None:
    path.write_text("this is no database, but a letter to somebody\n" * 20)


def _halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _header_only(path: Path) -> None:
    os.truncate(path, 100)


def _smear(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 3 * 4096)


def _sql(statement: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.executescript(statement)
        connection.close()

    return change


def _not_text(place: bytes) -> Callable[[Path], None]:
    """Bytes that are no UTF-8 where the file says `place`."""

    def change(path: Path) -> None:
        data = path.read_bytes()
        assert place in data
        path.write_bytes(data.replace(place, place[:-2] + b"\xff\xfe", 1))

    return change


DAMAGES: dict[str, Callable[[Path], None]] = {
    "lost": _lose,
    "empty": _empty,
    "garbage": _garbage,
    "text": _text,
    "truncated": _halve,
    "header only": _header_only,
    "smeared": _smear,
    "rows deleted": _sql("DELETE FROM jobs"),
    "a table dropped": _sql("DROP TABLE events"),
    "another table": _sql("DROP TABLE jobs; CREATE TABLE jobs (id, state)"),
    "a view": _sql("ALTER TABLE jobs RENAME TO j; CREATE VIEW jobs AS SELECT * FROM j"),
    "a trigger": _sql("CREATE TRIGGER t AFTER UPDATE ON jobs BEGIN DELETE FROM events; END"),
    "no version": _sql("PRAGMA user_version = 0"),
    "negative version": _sql("PRAGMA user_version = -3"),
    "no json": _sql("UPDATE jobs SET job_order = '{' WHERE id = 'queued'"),
    "no state": _sql("UPDATE jobs SET state = 'dancing' WHERE id = 'done'"),
    "no text": _sql("UPDATE jobs SET warnings = 7"),
    "no letters in a table": _not_text(b"CREATE TABLE jobs"),
    "no letters in an index": _not_text(b"CREATE INDEX"),
    "no letters in a job": _sql("UPDATE jobs SET job_order = CAST(X'7bff7d' AS TEXT)"),
    "no letters in an event": _sql("UPDATE events SET kind = CAST(X'ff' AS TEXT)"),
    "no json in an event": _sql("UPDATE events SET event_values = '{' WHERE job_id = 'done'"),
    "no letters in a state": _sql("UPDATE jobs SET state = CAST(X'ff' AS TEXT) WHERE id = 'done'"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_after_any_damage_all_jobs_are_there(
    folders: DataFolder, store: JobStore, damage: Callable[[Path], None]
) -> None:
    before = {job.id: job for job in store.list(limit=99)}
    events = store.events("done", 0)
    store.close()
    damage(folders.database)

    again = _open(folders)
    after = {job.id: job for job in again.list(limit=99)}
    events_after = again.events("done", 0)
    again.close()

    assert after.keys() == before.keys()
    assert after["done"] == before["done"]
    assert events_after == events
    for name, job in after.items():
        assert (job.state, job.order) == (before[name].state, before[name].order)
    assert after["failed"].failure == FAILURE


@pytest.mark.parametrize("name", ["garbage", "truncated", "smeared", "a trigger", "no json"])
def test_what_was_damaged_is_kept_and_told_of(
    folders: DataFolder, store: JobStore, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    store.close()
    DAMAGES[name](folders.database)
    damaged = folders.database.read_bytes()

    with caplog.at_level(logging.WARNING):
        _open(folders).close()

    (kept,) = folders.root.glob("jobs.sqlite3.damaged-*")
    if name == "no json":  # It opens, so empty pages are held in it before its rows are read.
        with contextlib.closing(sqlite3.connect(kept)) as opened:
            (order,) = opened.execute("SELECT job_order FROM jobs WHERE id = 'queued'").fetchone()
        assert order == "{"
    else:
        assert kept.read_bytes()[4096:] == damaged[4096:]
    assert "was damaged" in caplog.text
    assert kept.name in caplog.text


def test_two_damages_are_both_kept(folders: DataFolder, store: JobStore) -> None:
    store.close()
    for _ in range(2):
        _garbage(folders.database)
        _open(folders).close()

    assert len(list(folders.root.glob("jobs.sqlite3.damaged-*"))) == 2
    folders.make()


def test_a_lost_log_loses_no_job(folders: DataFolder, store: JobStore, tmp_path: Path) -> None:
    # As after a copy of the file alone was put back: what was written last is missing.
    shutil.copy(folders.database, tmp_path / "old")
    store.add("new", _order("new"), is_urgent=False, most_queued=99)
    store.change_state("queued", JobState.CANCELLED)
    store.close()
    shutil.copy(tmp_path / "old", folders.database)

    again = _open(folders)

    assert again.get("new").order == _order("new")
    assert again.get("queued").state is JobState.CANCELLED
    again.close()


def test_clients_that_watched_before_the_damage_miss_nothing_after_it(
    folders: DataFolder, store: JobStore
) -> None:
    seen = store.get("running").last_sequence
    for number in range(50):
        event = store.append_event("running", Warned(message=str(number)))
        assert event is not None
        seen = event.sequence
    store.close()
    _lose(folders.database)

    again = _open(folders)

    assert again.get("running").last_sequence > seen
    assert len(again.events("running", seen)) > 0
    again.close()


def test_a_deleted_job_stays_deleted(folders: DataFolder, store: JobStore) -> None:
    store.delete("done")
    store.close()
    _lose(folders.database)

    again = _open(folders)

    assert not again.has("done")
    folders.sweep(again.ids())
    assert not folders.job("done").exists()
    again.close()


def test_a_job_that_was_about_to_be_deleted_is_still_there_after_a_crash(
    folders: DataFolder, store: JobStore
) -> None:
    Records(folders).forget("done")
    store.close()

    again = _open(folders)

    assert again.get("done").state is JobState.DONE
    assert (folders.job("done") / "job.json").exists()
    again.close()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"id": "../../x"}', b"9" * 5000]
)
def test_a_damaged_record_costs_no_other_job(
    folders: DataFolder, store: JobStore, content: bytes
) -> None:
    store.close()
    (folders.job("done") / "job.json").write_bytes(content)
    _lose(folders.database)

    again = _open(folders)
    folders.sweep(again.ids())

    assert len(again.ids()) == 5
    assert (folders.job("done") / "job.json").read_bytes() == content
    again.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("place", float("nan")),
        ("created", float("inf")),
        ("last_sequence", 2**70),
        ("last_sequence", "many"),
        ("device", "\ud800"),
        ("state", "dancing"),
        ("warnings", "[" * 100_000),
        ("result", '{"file_name": "../../x", "size_bytes": 1, "sha256": "", "report": {}}'),
        ("job_order", '{"clip": "/c", "settings": {}, "model": {"loras": []}, "suffix": "/x"}'),
        ("job_order", None),
        ("created", 1e15),
        ("plan", "{}"),
        ("plan", '{"start": 0, "stop": 6, "shots": 7, "keyframes": [0], "working_size": [1, 1]}'),
        ("plan", '{"start":0,"stop":6,"shots":[[0,6]],"keyframes":[1e9],"working_size":[1,1]}'),
        ("plan", '{"start":0,"stop":6,"shots":[["a",6]],"keyframes":[0],"working_size":[1,1]}'),
        ("progress", '{"analysing": ["x", 2]}'),
        ("warnings", "[7]"),
        ("failure", '{"reason": 7, "message": [], "log_tail": "", "can_resume": true}'),
        ("result", '{"file_name": "", "size_bytes": "many", "sha256": "", "report": {}}'),
        ("result", '{"file_name": "", "size_bytes": 1, "sha256": "", "report": 7}'),
        ("wanted", "dance"),
        ("generation", 1.5),
        ("job_order", '{"clip": "/c", "settings": [], "model": {"loras": []}}'),
        ("job_order", '{"clip": "/c", "settings": {}, "model": {"loras": []}, "title": 7}'),
        ("job_order", '{"clip": "/c", "settings": {}, "model": {"loras": []}, "upload": []}'),
        ("job_order", '{"clip":"/c","settings":{"keyframes":["x"]},"model":{"loras":[]}}'),
        ("job_order", '{"clip":"/c","settings":{},"model":{"loras":[]},"clip_info":{"a":1}}'),
        ("job_order", '{"clip":"/c","settings":{},"model":{"loras":[]},"frame_rate":"1e999999"}'),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_record_that_cannot_be_true_costs_no_other_job(
    folders: DataFolder, store: JobStore, name: str, value: object
) -> None:
    store.close()
    path = folders.job("done") / "job.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    _lose(folders.database)

    again = _open(folders)

    assert again.ids() == {"failed", "cancelled", "queued", "paused", "running"}
    again.close()


@pytest.mark.parametrize("name", ["job.json", ".fresco"])
def test_a_record_nested_beyond_reading_stops_no_start(
    folders: DataFolder, store: JobStore, name: str
) -> None:
    store.close()
    (folders.job("done") / name).write_text("[" * 5000)

    again = _open(folders)

    assert {"failed", "cancelled", "queued", "paused", "running"} <= again.ids()
    again.close()


@pytest.mark.parametrize(
    "event",
    [
        {"sequence": float("nan")},
        {"sequence": 2**70},
        {"event_values": "{"},
        {"event_values": "7", "kind": "\ud800"},
        {"job_id": "queued"},
        {"kind": "dance"},
        {"time": 1e15},
        {"event_values": "{}", "kind": "frame"},
        {"event_values": '{"index": "x"}', "kind": "keyframe"},
        {"event_values": '{"index": 0, "time": "1e999999", "is_keyframe": true}', "kind": "frame"},
        {"event_values": '{"state": "dancing"}', "kind": "state"},
    ],
    ids=str,
)
def test_an_event_that_cannot_be_true_costs_no_job(
    folders: DataFolder, store: JobStore, event: dict[str, object]
) -> None:
    store.close()
    path = folders.job("done") / "events.jsonl"
    first, *rest = path.read_text().splitlines()
    spoilt = json.dumps({**json.loads(first), **event})
    path.write_text("\n".join([spoilt, *rest]))
    _lose(folders.database)

    again = _open(folders)

    assert len(again.ids()) == 6
    assert again.events("done", 0)[-1].is_last
    first_event = again.events("queued", 0)[0]
    assert isinstance(first_event, StateChanged)
    assert first_event.state is JobState.QUEUED
    again.close()


def test_a_record_in_the_folder_of_another_job_is_not_believed(
    folders: DataFolder, store: JobStore
) -> None:
    store.close()
    shutil.copy(folders.job("done") / "job.json", folders.job("queued") / "job.json")
    _lose(folders.database)

    again = _open(folders)

    assert not again.has("queued")
    again.close()


def test_damaged_events_leave_a_done_job_that_says_it_is_done(
    folders: DataFolder, store: JobStore
) -> None:
    store.close()
    os.truncate(folders.job("done") / "events.jsonl", 300)
    _lose(folders.database)

    again = _open(folders)

    job = again.get("done")
    assert job.state is JobState.DONE
    assert job.result == RESULT
    assert job.ready_keyframes == (0, 5)
    assert again.events("done", 0)[-1].is_last
    again.close()


def test_jobs_of_an_earlier_version_get_records(folders: DataFolder) -> None:
    earlier = JobStore(folders.database)
    earlier.add("a", _order("a"), is_urgent=False, most_queued=9)
    earlier.close()

    _open(folders).close()
    _lose(folders.database)
    again = _open(folders)

    assert again.get("a").order == _order("a")
    again.close()


def test_a_newer_versions_jobs_are_left_alone(folders: DataFolder, store: JobStore) -> None:
    store.close()
    _sql("PRAGMA user_version = 99")(folders.database)

    with pytest.raises(CannotStart, match="another version"):
        _open(folders)

    assert not list(folders.root.glob("*.damaged-*"))


@pytest.mark.parametrize("part", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("kind", ["link", "folder"])
def test_a_database_that_is_no_file_is_refused(
    folders: DataFolder, tmp_path: Path, part: str, kind: str
) -> None:
    path = folders.database.with_name(folders.database.name + part)
    if kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()

    with pytest.raises(CannotStart, match="not a file of the daemon's"):
        JobStore(folders.database)

    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_a_file_that_was_made_read_only_becomes_writable(
    folders: DataFolder, store: JobStore
) -> None:
    store.close()
    folders.database.chmod(0o400)

    _open(folders).close()

    assert folders.database.stat().st_mode & 0o777 == 0o600


def test_nobody_else_can_write_while_the_store_is_open(
    folders: DataFolder, store: JobStore
) -> None:
    other = sqlite3.connect(folders.database, timeout=0)

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("DELETE FROM jobs")

    other.close()
    assert store.has("done")


@pytest.mark.parametrize("mode", ["EXCLUSIVE", "NORMAL"])
def test_a_program_that_holds_the_file_is_told_of(
    folders: DataFolder, store: JobStore, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    store.close()
    monkeypatch.setattr(database, "_START_PATIENCE_S", 0.2)
    other = sqlite3.connect(folders.database, isolation_level=None)
    other.execute(f"PRAGMA locking_mode = {mode}")
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(CannotStart, match="another program holds it; close that program"):
        _open(folders)

    other.execute("ROLLBACK")
    other.close()
    assert _open(folders).has("done")


def test_a_program_that_only_looks_is_no_hindrance_and_one_that_writes_is_waited_for(
    folders: DataFolder, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    monkeypatch.setattr(database, "_START_PATIENCE_S", 0.2)
    monkeypatch.setattr(database, "_PATIENCE_S", 0.2)
    other = sqlite3.connect(folders.database, isolation_level=None, timeout=0)
    other.execute("BEGIN")
    other.execute("SELECT * FROM jobs").fetchone()

    again = _open(folders)
    assert again.has("done")
    other.execute("ROLLBACK")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="another program holds"):
        again.want("queued", "cancel")

    other.execute("ROLLBACK")
    other.close()
    again.want("queued", "cancel")
    again.close()


def test_damage_while_the_daemon_works_is_its_fault_and_a_sentence(
    folders: DataFolder, store: JobStore
) -> None:
    for number in range(2000):
        store.append_event("done", Warned(message=str(number) * 50))
    store.database.run("PRAGMA wal_checkpoint(TRUNCATE)")
    store.database.run("PRAGMA cache_size = 10")
    size = folders.database.stat().st_size
    with folders.database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))

    with pytest.raises(ShuttingDown):
        store.events("done", 0, limit=10_000)

    assert store.database.fault is not None
    assert "start it again" in str(store.database.fault)
