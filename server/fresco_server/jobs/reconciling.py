"""Bringing together what the list of jobs and the jobs' folders know of each job."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from fresco_client.events import Analysed, Event, Failed, Finished, KeyframeReady, StateChanged
from fresco_client.values import JobState

from fresco_server.jobs.job import StoredJob
from fresco_server.jobs.records import COLUMNS, EVENT_COLUMNS, Record, Records
from fresco_server.jobs.store import JobStore

_LOGGER = logging.getLogger(__name__)
_EVENTS_LOST = 1_000_000
"""More events than a client can have seen since a record was written."""


def reconcile(store: JobStore, records: Records) -> None:
    """Take up jobs that only their folders know, and have every folder know its job."""
    for record in records.all():
        last = store.last_sequence(record.row["id"])
        if last is None or last < record.row["last_sequence"]:
            _LOGGER.warning("job %s: taken up from its folder", record.row["id"])
            store.database.transact(lambda record=record: _take_up(store, record))
    unknown: list[str] = []
    for row in store.rows():
        record = records.of(row["id"])
        if record is None or dict(record.row) != row:
            unknown.append(row["id"])
    store.note(unknown)


def _take_up(store: JobStore, record: Record) -> None:
    row, database = record.row, store.database
    database.run("DELETE FROM jobs WHERE id = ?", row["id"])
    database.run(
        f"INSERT INTO jobs ({', '.join(COLUMNS)}) VALUES ({_marks(COLUMNS)})",
        *(row[name] for name in COLUMNS),
    )
    last = 0
    for event in record.events():
        database.run(
            f"INSERT OR IGNORE INTO events ({', '.join(EVENT_COLUMNS)})"
            f" VALUES ({_marks(EVENT_COLUMNS)})",
            *(event[name] for name in EVENT_COLUMNS),
        )
        last = event["sequence"]
    if last != row["last_sequence"]:
        _append_known_events(store, row["id"])


def _append_known_events(store: JobStore, job_id: str) -> None:
    """Say how a job stands whose events are lost, with numbers that no client has seen yet."""
    job = store.get(job_id)
    store.database.run(
        "UPDATE jobs SET last_sequence = ? WHERE id = ?",
        *(job.last_sequence + _EVENTS_LOST, job_id),
    )
    for event in _known_events(job):
        store.append_event(job_id, event, is_new=False)


def _known_events(job: StoredJob) -> Iterator[Event]:
    """The events without which nobody knows how `job` stands."""
    is_done = job.state is JobState.DONE
    if job.plan is not None:
        yield Analysed(plan=job.plan)
        if is_done:
            yield from (KeyframeReady(index=index) for index in job.plan.keyframes)
    if job.result is not None and is_done:
        yield Finished(result=job.result)
    elif job.failure is not None and job.state is JobState.FAILED:
        yield Failed(failure=job.failure)
    else:
        yield StateChanged(state=job.state, reason="taken up from the job's folder")


def _marks(columns: tuple[str, ...]) -> str:
    return ",".join("?" * len(columns))
