"""Rows of the database as jobs and events, and changes as columns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fresco_engine.types import Stage

from fresco_server.jobs.job import (
    Failure,
    Job,
    JobEvent,
    JobState,
    Result,
    StageDone,
    Values,
    order_from_dict,
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What an event changes about its job; `None` leaves a fact as it is.

    `is_restart` voids what the job has made so far.
    """

    state: JobState | None = None
    progress: StageDone | None = None
    remaining_s: float | None = None
    plan: Values | None = None
    warning: str | None = None
    result: Result | None = None
    failure: Failure | None = None
    is_restart: bool = False
    wanted: str | None = None


def text_of(values: Any) -> str:
    """Values as JSON, the same values always as the same text.

    Names that are not UTF-8 become JSON's own escapes, as no database takes them.
    """
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def changed_columns(change: Change, row: sqlite3.Row) -> dict[str, Any]:
    """Columns of the job `row` with their new values."""
    columns: dict[str, Any] = {}
    if change.state is not None:
        columns["state"] = change.state.value
    if change.wanted is not None:
        columns["wanted"] = change.wanted
    if change.plan is not None:
        columns["plan"] = text_of(change.plan)
    if change.result is not None:
        columns["result"] = text_of(asdict(change.result))
    if change.failure is not None:
        columns["failure"] = text_of(asdict(change.failure))
    if change.warning is not None:
        columns["warnings"] = text_of([*json.loads(row["warnings"]), change.warning])
    if change.is_restart:
        columns |= {"progress": "{}", "plan": None, "remaining_s": None}
    if change.progress is not None:
        stage = change.progress
        progress = json.loads(row["progress"]) | {stage.stage.value: [stage.done, stage.total]}
        columns |= {"progress": text_of(progress), "remaining_s": change.remaining_s}
    return columns


def job_of(row: sqlite3.Row, *, jobs_ahead: int, keyframes: Sequence[int], frame_count: int) -> Job:
    """The job that a row describes."""
    state = JobState(row["state"])
    progress = json.loads(row["progress"])
    return Job(
        id=row["id"],
        state=state,
        order=order_from_dict(json.loads(row["job_order"])),
        created=row["created"],
        updated=row["updated"],
        progress=tuple(
            StageDone(stage=stage, done=progress[stage.value][0], total=progress[stage.value][1])
            for stage in Stage
            if stage.value in progress
        ),
        remaining_s=row["remaining_s"] if state.is_running else None,
        plan=_value(row["plan"]),
        warnings=tuple(json.loads(row["warnings"])),
        result=_made(Result, row["result"]),
        failure=_made(Failure, row["failure"]),
        last_sequence=row["last_sequence"],
        is_fetched=bool(row["is_fetched"]),
        wanted=row["wanted"],
        jobs_ahead=jobs_ahead,
        ready_keyframes=tuple(sorted(keyframes)),
        ready_frames=frame_count,
        restarts=row["generation"],
    )


def event_of(row: sqlite3.Row) -> JobEvent:
    """The event that a row describes."""
    return JobEvent(
        job_id=row["job_id"],
        sequence=row["sequence"],
        time=row["time"],
        kind=row["kind"],
        values=json.loads(row["event_values"]),
    )


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _made(kind: Any, text: str | None) -> Any:
    return None if text is None else kind(**json.loads(text))
