"""Bringing together what the list of jobs and the jobs' folders know of each job."""

from __future__ import annotations

import logging
from dataclasses import asdict

from fresco_server.jobs.job import JobState
from fresco_server.jobs.records import COLUMNS, EVENT_COLUMNS, Record, Records
from fresco_server.jobs.rows import Change
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
        _tell_again(store, row["id"])


def _tell_again(store: JobStore, job_id: str) -> None:
    """Say how a job stands whose events are lost, with numbers that no client has seen yet."""
    job = store.get(job_id)
    store.database.run(
        "UPDATE jobs SET last_sequence = ? WHERE id = ?",
        *(job.last_sequence + _EVENTS_LOST, job_id),
    )
    is_done = job.state is JobState.DONE
    if job.plan is not None:
        store.tell(job_id, "analysed", job.plan, Change(), key="analysed")
        for index in job.plan["keyframes"] if is_done else ():
            store.tell(job_id, "keyframe", {"index": index}, Change(), key=f"keyframe:{index}")
    if job.result is not None and is_done:
        store.tell(job_id, "finished", asdict(job.result), Change(state=job.state))
    elif job.failure is not None and job.state is JobState.FAILED:
        store.tell(job_id, "failed", asdict(job.failure), Change(state=job.state))
    else:
        told = {"state": job.state.value, "reason": "taken up from the job's folder"}
        store.tell(job_id, "state", told, Change(state=job.state))


def _marks(columns: tuple[str, ...]) -> str:
    return ",".join("?" * len(columns))
