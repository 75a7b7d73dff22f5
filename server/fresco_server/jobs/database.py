"""The SQLite file of the daemon: its tables, its transactions, and what it does on a full disk."""

from __future__ import annotations

import functools
import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakValueDictionary

from fresco_engine.errors import DiskFull
from fresco_media.disk import free_bytes

from fresco_server.errors import CannotStart, ShuttingDown

_VERSION = 1
_PAGE_BYTES = 4096
_RESERVE_PAGES = 1500
"""More than the 1000 after which SQLite empties its log into the file."""
_SCHEMA = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    place REAL NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    job_order TEXT NOT NULL,
    device TEXT NOT NULL,
    wanted TEXT NOT NULL DEFAULT '',
    progress TEXT NOT NULL DEFAULT '{}',
    remaining_s REAL,
    plan TEXT,
    warnings TEXT NOT NULL DEFAULT '[]',
    result TEXT,
    failure TEXT,
    generation INTEGER NOT NULL DEFAULT 0,
    last_sequence INTEGER NOT NULL DEFAULT 0,
    is_fetched INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX jobs_by_state ON jobs (state, place);
CREATE INDEX jobs_by_age ON jobs (created, id);
CREATE TABLE events (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    key TEXT,
    generation INTEGER NOT NULL,
    event_values TEXT NOT NULL,
    PRIMARY KEY (job_id, sequence)
) WITHOUT ROWID;
CREATE UNIQUE INDEX events_once ON events (job_id, key) WHERE key IS NOT NULL;
CREATE INDEX events_by_kind ON events (job_id, kind, generation);
"""

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


class Database:
    """One connection shared by all threads, which take turns.

    `lock` is held by whoever reads or writes. Some room on the disk is held in reserve, so that it
    can still be noted that the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self.is_closed = False
        # Kept alive by those who wait.
        self._news = WeakValueDictionary[str, threading.Condition]()
        self._changed: set[str] = set()
        self._path = path
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._make_tables(path)
        self.keep_reserve()

    def _make_tables(self, path: Path) -> None:
        version = self.one("PRAGMA user_version")[0]
        if version not in (0, _VERSION):
            raise CannotStart(
                f"{path}: the jobs there were made by another version of Fresco; "
                "start that version, or choose another --data folder"
            )
        if version == 0:
            self._connection.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;"
            )

    def close(self) -> None:
        """Wake everybody who waits, and let the file go."""
        with self.lock:
            self.is_closed = True
            self._wake(list(self._news))
            self._connection.close()

    def run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Run one statement."""
        if self.is_closed:
            raise ShuttingDown
        return self._connection.execute(statement, values)

    def one(self, statement: str, *values: Any) -> Any:
        """The first row, or None."""
        return self.run(statement, *values).fetchone()

    def all(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """All rows."""
        return self.run(statement, *values).fetchall()

    def transact(self, change: Callable[[], Returned]) -> Returned:
        """Run `change` as one transaction, or as part of the one under way.

        Raises:
            DiskFull: there is no room to note it, and the reserve is used up.
        """
        with self.lock:
            if self._connection.in_transaction:
                return change()
            try:
                result = self._attempt(change)
            except sqlite3.OperationalError as error:
                if not _is_full(error):
                    raise
                raise DiskFull(self._path, free_bytes(self._path.parent)) from error
            self._wake(self._changed)
            self._changed.clear()
            return result

    def has_changed(self, job_id: str) -> None:
        """When the transaction is done, those who wait for news of this job are woken."""
        self._changed.add(job_id)

    def wait_for(self, job_id: str, is_so: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `is_so`, which news of the job may make true; whether it is.

        Raises:
            ShuttingDown: the database was closed.
        """
        with self.lock:
            news = self._news.get(job_id)
            if news is None:
                news = self._news[job_id] = threading.Condition(self.lock)
            happened = news.wait_for(lambda: self.is_closed or is_so(), timeout_s)
            if self.is_closed:
                raise ShuttingDown
            return happened

    def _wake(self, job_ids: Iterable[str]) -> None:
        for job_id in job_ids:
            news = self._news.get(job_id)
            if news is not None:
                news.notify_all()

    def _attempt(self, change: Callable[[], Returned]) -> Returned:
        self.run("BEGIN IMMEDIATE")
        try:
            result = change()
            self.run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return result

    def keep_reserve(self) -> None:
        """Hold some room on the disk, as far as there is any.

        The file keeps pages that it once had, and so does its log, so that writing goes on for a
        while when the disk is full, and no other program can be quicker to take that room.
        """
        with self.lock, suppress(sqlite3.OperationalError):
            if self.one("PRAGMA freelist_count")[0] >= _RESERVE_PAGES // 2:
                return
            try:
                self.run("CREATE TABLE IF NOT EXISTS reserve (room BLOB)")
                self.run("INSERT INTO reserve VALUES (zeroblob(?))", _RESERVE_PAGES * _PAGE_BYTES)
            finally:
                self.run("DROP TABLE IF EXISTS reserve")


def _is_full(error: sqlite3.OperationalError) -> bool:
    return "full" in str(error) or "disk I/O" in str(error)


class HasDatabase:
    """What `written` and `read` need."""

    database: Database


Holder = TypeVar("Holder", bound=HasDatabase)


def written(
    method: Callable[Concatenate[Holder, Given], Returned],
) -> Callable[Concatenate[Holder, Given], Returned]:
    """Makes a method one transaction. It may run twice, so it changes nothing but the database."""

    @functools.wraps(method)
    def in_transaction(self: Holder, /, *args: Given.args, **kwargs: Given.kwargs) -> Returned:
        return self.database.transact(lambda: method(self, *args, **kwargs))

    return in_transaction


def read(
    method: Callable[Concatenate[Holder, Given], Returned],
) -> Callable[Concatenate[Holder, Given], Returned]:
    """Makes a method see one state of the database."""

    @functools.wraps(method)
    def under_lock(self: Holder, /, *args: Given.args, **kwargs: Given.kwargs) -> Returned:
        with self.database.lock:
            return method(self, *args, **kwargs)

    return under_lock
