"""What is known of each job, kept in its folder as well: from it a lost list of jobs is made anew.

    job.json      the job's row of the database, at its last change of state
    events.jsonl  all its events, once it is done

A record is written after the database and removed before it, so that a folder with a record and
no row is that of a job which the database has lost, and never that of a deleted one.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from fresco_client.values import JobState
from fresco_engine.errors import FrescoError
from fresco_media.files.own import OwnFolder, parsed

from fresco_server.errors import NotPossible, ServerError
from fresco_server.jobs.codec import CANNOT_BE
from fresco_server.jobs.folders import RECORD, DataFolder
from fresco_server.jobs.path_policy import is_job_id
from fresco_server.jobs.rows import event_of, job_of, text_of
from fresco_server.jobs.soundness import check_event, check_job

_LOGGER = logging.getLogger(__name__)
_EVENTS = "events.jsonl"
_MOST_BYTES = 64 << 20
_TEXTS = ("id", "state", "job_order", "device", "wanted", "progress", "warnings")
_NUMBERS = ("place", "created", "updated", "generation", "last_sequence", "is_fetched")
_MAYBE = ("remaining_s", "plan", "result", "failure")
COLUMNS = (*_TEXTS, *_NUMBERS, *_MAYBE)
_EVENT_NUMBERS = ("sequence", "time", "generation")
_LARGEST = 2**53
_SEPARATORS = set("/\\:\0")
EVENT_COLUMNS = ("job_id", "sequence", "time", "kind", "key", "generation", "event_values")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """A job as its folder knows it: `row` has a value for each of `COLUMNS`."""

    folder: Path
    row: Row

    def events(self) -> Iterator[Row]:
        """All events of a job that is done; of others none, as they are told anew.

        Ends early where the file is damaged.
        """
        if self.row["state"] != JobState.DONE.value:
            return
        try:
            lines = OwnFolder(self.folder).open(_EVENTS)
        except OSError:
            return
        with lines:
            while line := lines.readline(_MOST_BYTES):
                event = self._event(line)
                if event is None:
                    return
                yield event

    def _event(self, line: bytes) -> Row | None:
        try:
            event = parsed(line, self.folder / _EVENTS)
            values = {name: event[name] for name in EVENT_COLUMNS}
            _check_storable(values)
            check_event(values)
            event_of(values)
        except (OSError, *CANNOT_BE):
            return None
        has_numbers = all(_is_number(values[name]) for name in _EVENT_NUMBERS)
        return {**values, "job_id": self.row["id"]} if has_numbers else None


class Records:
    """The records of all jobs in a data folder."""

    def __init__(self, folders: DataFolder) -> None:
        self._folders = folders

    def write(self, row: Row, events: Iterable[Row]) -> bool:
        """Note a job; whether that was possible. `events` are taken if it is done."""
        job_id = row["id"]
        try:
            is_over = row["state"] in (JobState.DONE.value, JobState.CANCELLED.value)
            folder = self._folders.job(job_id)
            if is_over and not folder.exists():
                return True
            self._folders.prepare_job(job_id)
            own = OwnFolder(folder)
            if row["state"] == JobState.DONE.value and not own.has(_EVENTS):
                lines = (_line(event) for event in events)
                own.write(_EVENTS, lines, is_private=True, is_durable=True)
            own.write(RECORD, _line(row), is_private=True, is_durable=True)
        except NotPossible as error:
            # The folder is somebody else's by now, and trying again changes nothing.
            _LOGGER.warning("job %s: no record is kept: %s", job_id, error)
        except (OSError, FrescoError, ServerError) as error:
            _LOGGER.warning("job %s: its record cannot be written (%s)", job_id, error)
            return False
        return True

    def forget(self, job_id: str) -> None:
        """Remove a record, as the job is about to be deleted."""
        folder = self._folders.job(job_id)
        if self._folders.is_of_job(folder):
            OwnFolder(folder).remove(RECORD)

    def of(self, job_id: str) -> Record | None:
        """The record of a job, if there is a sound one."""
        return self._read(self._folders.job(job_id))

    def all(self) -> Iterator[Record]:
        """All sound records; of the others the log tells."""
        for folder in self._folders.all_jobs():
            record = self._read(folder)
            if record is not None:
                yield record
            elif (folder / RECORD).exists():
                _LOGGER.warning("%s: its record is damaged; left alone", folder)

    def _read(self, folder: Path) -> Record | None:
        if not self._folders.is_of_job(folder):
            return None
        try:
            values = OwnFolder(folder).read_json(RECORD, _MOST_BYTES, is_owner_checked=True)
            row = {name: values[name] for name in COLUMNS}
        except (OSError, KeyError):
            return None
        is_here = is_sound(row) and self._folders.job(row["id"]) == folder
        return Record(folder, row) if is_here else None


def is_sound(row: Row) -> bool:
    """Whether a row, of whatever origin, describes a job that can be stored and worked on."""
    try:
        has_types = all(isinstance(row[name], str) for name in _TEXTS) and all(
            _is_number(row[name]) for name in _NUMBERS
        )
        _check_storable(row)
        job = job_of(cast(sqlite3.Row, row), jobs_ahead=0, keyframes=(), frame_count=0)
        check_job(job)
        file_name = "" if job.result is None else job.result.file_name
        stays_here = not _SEPARATORS & set(f"{job.order.suffix}{file_name}")
    except CANNOT_BE:
        return False
    return has_types and stays_here and is_job_id(row["id"])


def _check_storable(row: Row) -> None:
    """Raise ValueError for values that no database takes, as text that is no Unicode is."""
    for value in row.values():
        if isinstance(value, str):
            value.encode()
    text_of(dict(row))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < _LARGEST


def _line(row: Row) -> bytes:
    return text_of(dict(row)).encode() + b"\n"
