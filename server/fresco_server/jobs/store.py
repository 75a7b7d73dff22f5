"""Where jobs and their events are kept, so that they survive a crash at any moment.

Written by one process, the daemon, which holds the data folder's lock. A change and the event that
tells of it are one transaction, so nobody ever sees one without the other.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from fresco_client.events import Event, Failed, Finished, StateChanged
from fresco_client.values import JobState

from fresco_server.errors import DaemonLimitReached, JobExists, JobNotFound, StoreBusy
from fresco_server.jobs.codec import EVENT_TYPES, kind_of
from fresco_server.jobs.database import HasDatabase, read, written
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import JobOrder, StoredJob
from fresco_server.jobs.records import Records, is_sound
from fresco_server.jobs.recovery import move_aside, open_database
from fresco_server.jobs.relocation import relocated
from fresco_server.jobs.rows import changed_columns, event_of, job_of, key_of, text_of, time_of

_LOGGER = logging.getLogger(__name__)

_RECORD_AGAIN_S = 5.0


class JobStore(HasDatabase):
    """Jobs, their queue and their events; every method may be called from any thread.

    On a full disk writing goes on into a reserve; once that is used up too, methods that write
    raise `DiskFull`.
    """

    def __init__(self, path: Path, records: Records | None = None) -> None:
        """Open or make the file at `path`; with `records` every job's folder knows it as well.

        Raises:
            CannotStart, DiskFull: as `open_database` does.
        """
        self.database = open_database(path)
        if not self._is_sound():
            self.database.close()
            move_aside(path, "it has rows that are no jobs or no events")
            self.database = open_database(path)
        self._records = records
        self._folders = DataFolder(path.parent)
        self._unrecorded: set[str] = set()
        self._record_after = 0.0
        self.database.after_change = self._record

    def _is_sound(self) -> bool:
        """Whether every row is a job's, or may be an event's: of these there are very many."""
        query = (
            f"SELECT 1 FROM events WHERE kind NOT IN ({_marks(EVENT_TYPES)})"
            " OR NOT json_valid(event_values) LIMIT 1"
        )
        return all(is_sound(row) for row in self.rows()) and (
            self.database.one(query, *EVENT_TYPES) is None
        )

    def close(self) -> None:
        """Wake everybody who waits, and let the file go."""
        self.database.close()

    # Jobs

    @written
    def add(self, job_id: str, order: JobOrder, *, is_urgent: bool, most_queued: int) -> StoredJob:
        """A new job at the end of the queue, or before all others.

        The same id with the same request gives the job there is.

        Raises:
            JobExists: the id is taken by a job with another request.
            LimitReached: the queue is full.
        """
        row = self.database.one("SELECT job_order FROM jobs WHERE id = ?", job_id)
        if row is not None:
            if text_of(json.loads(row["job_order"])["request"]) != text_of(order.request):
                raise JobExists(job_id)
            return self.get(job_id)
        self.check_queue(most_queued)
        now, state = time.time(), JobState.QUEUED
        place = self._place(is_first=is_urgent)
        self.database.run(
            "INSERT INTO jobs (id, state, place, created, updated, job_order, device)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(job_id, state.value, place, now, now, text_of(order), order.device),
        )
        self.append_event(job_id, StateChanged(state=state))
        return self.get(job_id)

    @read
    def check_queue(self, most_queued: int) -> None:
        """Raises: LimitReached when no more jobs may wait."""
        waiting = self._count(JobState.QUEUED)
        if waiting >= most_queued:
            raise DaemonLimitReached(
                f"{waiting} jobs wait already, and no more may; cancel one or try again later",
                reason="QUEUE_FULL",
            )

    def _count(self, *states: JobState) -> int:
        query = f"SELECT count(*) FROM jobs WHERE state IN ({_marks(states)})"
        return self.database.one(query, *(state.value for state in states))[0]

    def _place(self, *, is_first: bool) -> float:
        end = "min(place) - 1" if is_first else "max(place) + 1"
        place = self.database.one(f"SELECT {end} FROM jobs")[0]
        return 0.0 if place is None else place

    @read
    def get(self, job_id: str) -> StoredJob:
        """A job.

        Raises:
            JobNotFound: there is none of that id.
        """
        row = self.database.one("SELECT * FROM jobs WHERE id = ?", job_id)
        if row is None:
            raise JobNotFound(job_id)
        return self._job(row)

    def has(self, job_id: str) -> bool:
        """Whether there is such a job."""
        return self.last_sequence(job_id) is not None

    @read
    def list(
        self,
        states: Collection[JobState] = (),
        limit: int = 50,
        before: tuple[float, str] | None = None,
    ) -> list[StoredJob]:
        """Jobs, the newest first; `before` holds creation time and id of the last one known."""
        wanted = [state.value for state in states or JobState]
        rows = self.database.all(
            f"SELECT * FROM jobs WHERE state IN ({_marks(wanted)})"
            " AND (created, id) < (?, ?) ORDER BY created DESC, id DESC LIMIT ?",
            *(*wanted, *(before or (float("inf"), "")), limit),
        )
        return [self._job(row) for row in rows]

    @read
    def ids(self) -> set[str]:
        """The ids of all jobs."""
        return {row["id"] for row in self.database.all("SELECT id FROM jobs")}

    @read
    def count_open(self) -> int:
        """How many jobs wait or run."""
        is_open = (state for state in JobState if state is JobState.QUEUED or state.is_running)
        return self._count(*is_open)

    @read
    def next_queued(self, devices: Collection[str]) -> StoredJob | None:
        """The first job in the queue that wants one of `devices` ("" is any)."""
        row = self.database.one(
            "SELECT * FROM jobs WHERE state = ? AND wanted = ''"
            f" AND device IN ({_marks(devices)}) ORDER BY place LIMIT 1",
            *(JobState.QUEUED.value, *devices),
        )
        return None if row is None else self._job(row)

    @read
    def devices_wanted(self) -> set[str]:
        """The devices that jobs name, "" among them if one takes any."""
        return {row["device"] for row in self.database.all("SELECT DISTINCT device FROM jobs")}

    @written
    def want(self, job_id: str, wanted: str) -> None:
        """Note what a client has asked for, so that it is not forgotten in a crash."""
        self.database.run("UPDATE jobs SET wanted = ? WHERE id = ?", wanted, job_id)
        self._unrecorded.add(job_id)
        self.database.has_changed(job_id)

    @written
    def requeue(self, job_id: str, reason: str, *, is_first: bool) -> StoredJob:
        """Put a job back into the queue, before or behind all that wait."""
        self.database.run(
            "UPDATE jobs SET place = ?, failure = NULL WHERE id = ?",
            *(self._place(is_first=is_first), job_id),
        )
        self.change_state(job_id, JobState.QUEUED, reason)
        return self.get(job_id)

    @written
    def set_fetched(self, job_id: str) -> None:
        """Note that a client has the result."""
        self.database.run("UPDATE jobs SET is_fetched = 1 WHERE id = ?", job_id)
        self._unrecorded.add(job_id)
        self.database.has_changed(job_id)

    def delete(self, job_id: str) -> None:
        """Forget a job and its events; those who watch it are woken."""
        # In this order, so that a job is not taken for a lost one if the daemon is killed here.
        if self._records is not None:
            self._records.forget(job_id)
        self._delete(job_id)

    @written
    def _delete(self, job_id: str) -> None:
        self.database.run("DELETE FROM jobs WHERE id = ?", job_id)
        self.database.has_changed(job_id)

    # Records

    def _record(self) -> None:
        """Note in their folders what became of jobs; what cannot be noted is later."""
        if self._records is None:
            self._unrecorded.clear()
            return
        if time.monotonic() < self._record_after:
            return
        for job_id in list(self._unrecorded):
            with suppress(StoreBusy):
                self._record_one(self._records, job_id)

    def _record_one(self, records: Records, job_id: str) -> None:
        row = self.database.one("SELECT * FROM jobs WHERE id = ?", job_id)
        if row is None or records.write(dict(row), self._rows_of_events(job_id)):
            self._unrecorded.discard(job_id)
        else:
            self._record_after = time.monotonic() + _RECORD_AGAIN_S

    def _rows_of_events(self, job_id: str) -> Iterator[dict[str, Any]]:
        query = "SELECT * FROM events WHERE job_id = ? ORDER BY sequence"
        yield from (dict(row) for row in self.database.run(query, job_id))

    def note(self, job_ids: Collection[str]) -> None:
        """Have the folders of these jobs know them as they are."""
        with self.database.lock:
            self._unrecorded.update(job_ids)
            self._record()

    def rows(self) -> Iterator[dict[str, Any]]:
        """All jobs as they are stored, before anybody works on them."""
        for row in self.database.run("SELECT * FROM jobs"):
            yield dict(row)

    @read
    def last_sequence(self, job_id: str) -> int | None:
        """The number of a job's last event; None if there is no such job."""
        row = self.database.one("SELECT last_sequence FROM jobs WHERE id = ?", job_id)
        return None if row is None else row["last_sequence"]

    # Events

    def change_state(self, job_id: str, state: JobState, reason: str = "") -> None:
        """Tell of a new state."""
        self.append_event(job_id, StateChanged(state=state, reason=reason))

    @written
    def begin(self, job_id: str) -> bool:
        """Let a job that waits run; False where it does not wait, or is to stop."""
        query = "SELECT 1 FROM jobs WHERE id = ? AND state = ? AND wanted = ''"
        if self.database.one(query, job_id, JobState.QUEUED.value) is None:
            return False
        self.change_state(job_id, JobState.ANALYSING)
        return True

    @written
    def append_event(self, job_id: str, event: Event, *, is_new: bool = True) -> Event | None:
        """Add an event and what it changes; None for one that was told before.

        After a restart of the work all may come again. One that `is_new` no more only says again
        what is known.

        Raises:
            JobNotFound: the job was deleted.
        """
        job = self.database.one("SELECT * FROM jobs WHERE id = ?", job_id)
        if job is None:
            raise JobNotFound(job_id)
        columns: dict[str, Any] = {"generation": job["generation"]}
        if is_new:
            columns |= changed_columns(event, job)
        key = key_of(event)
        full_key = None if key is None else f"{columns['generation']}:{key}"
        if full_key is not None and self._was_appended(job_id, full_key):
            return None
        sequence, now = job["last_sequence"] + 1, time.time()
        self.database.run(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(
                job_id,
                sequence,
                now,
                kind_of(event),
                full_key,
                columns["generation"],
                text_of(event),
            ),
        )
        columns |= {"updated": now, "last_sequence": sequence}
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self.database.run(
            f"UPDATE jobs SET {assignments} WHERE id = ?", *(*columns.values(), job_id)
        )
        self.database.has_changed(job_id)
        if isinstance(event, StateChanged | Finished | Failed):
            self._unrecorded.add(job_id)
        return replace(event, sequence=sequence, time=time_of(now))

    def _was_appended(self, job_id: str, key: str) -> bool:
        query = "SELECT 1 FROM events WHERE job_id = ? AND key = ?"
        return self.database.one(query, job_id, key) is not None

    @read
    def events(self, job_id: str, after: int, limit: int = 100) -> list[Event]:
        """Events with a sequence number above `after`, in order.

        Raises:
            JobNotFound: the job was deleted.
        """
        rows = self.database.all(
            "SELECT * FROM events WHERE job_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            *(job_id, after, limit),
        )
        if not rows and self.last_sequence(job_id) is None:
            raise JobNotFound(job_id)
        return [event_of(row) for row in rows]

    def wait(self, job_id: str, after: int, timeout_s: float) -> bool:
        """Wait for an event beyond `after`; whether there is one.

        Raises:
            JobNotFound: the job was deleted.
            ShuttingDown: the store was closed.
        """

        def has_more() -> bool:
            last = self.last_sequence(job_id)
            if last is None:
                raise JobNotFound(job_id)
            return last > after

        return self.database.wait_for(job_id, has_more, timeout_s)

    def wait_until(
        self, job_id: str, is_so: Callable[[StoredJob], bool], timeout_s: float
    ) -> StoredJob:
        """The job once `is_so` is true of it, or as it is when the time is up.

        Raises:
            JobNotFound: the job was deleted.
            ShuttingDown: the store was closed.
        """
        self.database.wait_for(job_id, lambda: is_so(self.get(job_id)), timeout_s)
        return self.get(job_id)

    def _job(self, row: sqlite3.Row) -> StoredJob:
        state = JobState(row["state"])
        job = job_of(
            row,
            jobs_ahead=self._ahead(row["place"]) if state is JobState.QUEUED else 0,
            keyframes=self._keyframes(row),
            frame_count=self._count_frames(row),
        )
        return replace(job, order=relocated(job.order, job.id, self._folders))

    def _ahead(self, place: float) -> int:
        query = "SELECT count(*) FROM jobs WHERE state = ? AND place < ?"
        return self.database.one(query, JobState.QUEUED.value, place)[0]

    def _keyframes(self, row: sqlite3.Row) -> list[int]:
        found = self.database.all(
            "SELECT event_values FROM events"
            " WHERE job_id = ? AND kind = 'keyframe' AND generation = ?",
            *(row["id"], row["generation"]),
        )
        return [json.loads(event["event_values"])["index"] for event in found]

    def _count_frames(self, row: sqlite3.Row) -> int:
        return self.database.one(
            "SELECT count(*) FROM events WHERE job_id = ? AND kind = 'frame' AND generation = ?",
            *(row["id"], row["generation"]),
        )[0]


def _marks(values: Collection[object]) -> str:
    return ",".join("?" * len(values))
