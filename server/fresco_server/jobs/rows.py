"""Rows of the database as jobs and events, and what an event changes of its job as columns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from fresco_client.events import (
    EPOCH,
    Analysed,
    Event,
    Failed,
    Finished,
    FrameReady,
    KeyframeReady,
    ProgressMade,
    Restarted,
    StateChanged,
    Warned,
)
from fresco_client.values import Failure, JobState, Plan, ResultInfo, Stage, StageProgress

from fresco_server.jobs.codec import EVENT_TYPES, from_plain, kind_of, to_plain
from fresco_server.jobs.job import JobOrder, StoredJob


def text_of(values: Any) -> str:
    """Values as JSON, the same values always as the same text.

    Names that are not UTF-8 become JSON's own escapes, as no database takes them.
    """
    plain = to_plain(values)
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def time_of(seconds: float) -> datetime:
    """The moment so many seconds after the epoch.

    Raises:
        ValueError, OverflowError: there is none.
    """
    return EPOCH + timedelta(seconds=seconds)


def key_of(event: Event) -> str | None:
    """What tells an event from all others of its job; None for one that may come again."""
    match event:
        case Analysed():
            return kind_of(event)
        case KeyframeReady() | FrameReady():
            return f"{kind_of(event)}:{event.index}"
        case Warned():
            return f"{kind_of(event)}:{event.message}"
        case _:
            return None


def changed_columns(event: Event, row: sqlite3.Row) -> dict[str, Any]:
    """Columns of the job `row` with the values that they have once `event` has happened."""
    match event:
        case StateChanged():
            # Once a job no longer runs, what was wanted has happened.
            wanted = row["wanted"] if event.state.is_running else ""
            return {"state": event.state.value, "wanted": wanted}
        case Analysed():
            return {"plan": text_of(event.plan)}
        case ProgressMade():
            done = event.progress
            progress = json.loads(row["progress"]) | {done.stage.value: [done.done, done.total]}
            return {"progress": text_of(progress), "remaining_s": event.remaining_s}
        case Warned():
            return {"warnings": text_of([*json.loads(row["warnings"]), event.message])}
        case Restarted():
            generation = row["generation"] + 1
            voided = {"progress": "{}", "plan": None, "remaining_s": None}
            return {"generation": generation, **voided}
        case Finished():
            done = JobState.DONE.value
            return {"state": done, "result": text_of(event.result), "wanted": ""}
        case Failed():
            failed = JobState.FAILED.value
            return {"state": failed, "failure": text_of(event.failure), "wanted": ""}
        case _:
            return {}


def job_of(
    row: sqlite3.Row, *, jobs_ahead: int, keyframes: Sequence[int], frame_count: int
) -> StoredJob:
    """The job that a row describes."""
    state = JobState(row["state"])
    progress = json.loads(row["progress"])
    return StoredJob(
        id=row["id"],
        state=state,
        order=from_plain(JobOrder, json.loads(row["job_order"])),
        created=row["created"],
        updated=row["updated"],
        progress=tuple(
            StageProgress(
                stage=stage, done=progress[stage.value][0], total=progress[stage.value][1]
            )
            for stage in Stage
            if stage.value in progress
        ),
        remaining_s=row["remaining_s"] if state.is_running else None,
        plan=_made(Plan, row["plan"]),
        warnings=from_plain(tuple[str, ...], json.loads(row["warnings"])),
        result=_made(ResultInfo, row["result"]),
        failure=_made(Failure, row["failure"]),
        last_sequence=row["last_sequence"],
        is_fetched=bool(row["is_fetched"]),
        wanted=row["wanted"],
        jobs_ahead=jobs_ahead,
        ready_keyframes=tuple(sorted(keyframes)),
        ready_frames=frame_count,
        restarts=row["generation"],
    )


def event_of(row: Mapping[str, Any] | sqlite3.Row) -> Event:
    """The event that a row describes.

    Raises:
        CANNOT_BE: it describes none.
    """
    event = from_plain(EVENT_TYPES[row["kind"]], json.loads(row["event_values"]))
    return replace(event, sequence=row["sequence"], time=time_of(row["time"]))


def _made(kind: Any, text: str | None) -> Any:
    return None if text is None else from_plain(kind, json.loads(text))
