"""The SQLite file of the daemon: its tables, its transactions, and what it does on a full disk."""

from __future__ import annotations

import functools
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakValueDictionary

from fresco_engine.errors import DiskFull
from fresco_media.files.disk import free_bytes

from fresco_server.errors import CannotStart, ShuttingDown, StoreBusy

_VERSION = 1
_PAGE_BYTES = 4096
_RESERVE_PAGES = 1500
"""More than the 1000 after which SQLite empties its log into the file."""
_START_PATIENCE_S = 5.0
_PATIENCE_S = 20.0
"""How long another program may hold the file before whoever wants to write is told."""
_CHECKED_BYTES = 512 << 20
"""Files up to this size are read whole at the start; checking a larger one takes too long."""
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
        """Open the file, or make it.

        Raises:
            DatabaseDamaged: it is not, or no longer, what the daemon has written.
            CannotStart: another version has written it, or another program holds it.
            DiskFull: there is no room for it.
        """
        self.lock = threading.RLock()
        self.is_closed = False
        self.fault: CannotStart | None = None
        self.after_change: Callable[[], None] = _nothing
        # Kept alive by those who wait.
        self._news = WeakValueDictionary[str, threading.Condition]()
        self._changed: set[str] = set()
        self._path = path
        self._connection = _opened(path)
        self.keep_reserve()

    def close(self) -> None:
        """Wake everybody who waits, and let the file go."""
        with self.lock:
            self.is_closed = True
            self._wake(list(self._news))
            self._connection.close()

    def run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Run one statement.

        Raises:
            StoreBusy: another program holds the file.
            ShuttingDown: it was closed, or has turned out to be damaged, which is its `fault`.
        """
        if self.is_closed:
            raise ShuttingDown
        with self._faults():
            return self._connection.execute(statement, values)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if is_busy(error):
                raise StoreBusy(self._path) from error
            if _is_damage(error):
                self.fault = CannotStart(
                    f"{self._path} was damaged while the daemon worked ({error}); start it again: "
                    "the list of jobs is made anew from their folders"
                )
                raise ShuttingDown from error
            raise

    def one(self, statement: str, *values: Any) -> Any:
        """The first row, or None."""
        cursor = self.run(statement, *values)
        with self._faults():
            return cursor.fetchone()

    def all(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """All rows."""
        cursor = self.run(statement, *values)
        with self._faults():
            return cursor.fetchall()

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
                if not is_full(error):
                    raise
                raise DiskFull(self._path, free_bytes(self._path.parent)) from error
            self._wake(self._changed)
            self._changed.clear()
            self.after_change()
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
        with self.lock, suppress(sqlite3.OperationalError, StoreBusy):
            if self._has_reserve():
                return
            try:
                self.run("CREATE TABLE IF NOT EXISTS reserve (room BLOB)")
                self.run("INSERT INTO reserve VALUES (zeroblob(?))", _RESERVE_PAGES * _PAGE_BYTES)
            finally:
                self.run("DROP TABLE IF EXISTS reserve")

    def _has_reserve(self) -> bool:
        # The log is removed whenever the file is closed, and begins anew with no room at all.
        log = self._path.with_name(f"{self._path.name}-wal")
        log_bytes = log.stat().st_size if log.exists() else 0
        pages = min(self.one("PRAGMA freelist_count")[0], log_bytes // _PAGE_BYTES)
        return pages >= _RESERVE_PAGES // 2


def _nothing() -> None:
    """What is done after a change by default."""


def _opened(path: Path) -> sqlite3.Connection:
    """A connection to a file that is sound; nobody else can use it meanwhile, where possible.

    Held exclusively it needs no memory shared with others, which not every disk offers, and a
    second daemon cannot use it even if the lock file was removed.
    """
    try:
        return _checked(path, "EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise
    # Somebody may only look into it, which does no harm.
    try:
        return _checked(path, "NORMAL")
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise
        raise CannotStart(
            f"{path}: another program holds it; close that program and start again"
        ) from error


def _checked(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_START_PATIENCE_S, check_same_thread=False, isolation_level=None
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.text_factory = _text
        pragmas = (
            f"locking_mode = {mode}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            "trusted_schema = OFF",
        )
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        _check(connection, path)
        # Where somebody else writes, each change of the start would wait for long, without a word.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        connection.execute(f"PRAGMA busy_timeout = {round(1000 * _PATIENCE_S)}")
    except sqlite3.DatabaseError as error:
        connection.close()
        if _is_damage(error):
            raise DatabaseDamaged(str(error)) from error
        raise
    except UnicodeDecodeError as error:  # Of what SQLite says of it, with a name from the file.
        connection.close()
        raise DatabaseDamaged("a name in it is no text") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise CannotStart(
            f"{path}: the jobs there were made by another version of Fresco; "
            "start that version, or choose another --data folder"
        )
    schema = _schema(connection)
    if version == 0 and not schema:
        connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
        return
    # A trigger or view that somebody has added would be run by every change.
    if version != _VERSION or not _OUR_SCHEMA.items() <= schema.items():
        raise DatabaseDamaged("its tables are not the daemon's")
    if any(kind in ("trigger", "view") for kind, _ in schema):
        raise DatabaseDamaged("it has triggers or views that are not the daemon's")
    if path.stat().st_size <= _CHECKED_BYTES:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise DatabaseDamaged(str(found))


def _schema(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """What made each table, index, trigger and view, by kind and name."""
    query = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def _our_schema() -> dict[tuple[str, str], str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_SCHEMA)
        return _schema(connection)


_OUR_SCHEMA = _our_schema()


class DatabaseDamaged(Exception):
    """The file is not, or no longer, what the daemon has written; its text says how."""


def is_busy(error: sqlite3.DatabaseError) -> bool:
    """Whether another program holds the file."""
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    text = str(error)
    is_broken_schema = "malformed" in text or "unsupported file format" in text
    return is_broken_schema or type(error) is sqlite3.DatabaseError


def _text(data: bytes) -> str:
    """What a damaged file has for text is none that anybody wrote, and is found out as such."""
    return data.decode("utf-8", "replace")


def is_full(error: sqlite3.OperationalError) -> bool:
    """Whether the disk has no room."""
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
