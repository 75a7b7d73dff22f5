"""Jobs as rows, as facts and as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timezone
from enum import Enum
from fractions import Fraction
from typing import Any

from fresco_client import Job, JobState
from fresco_client.words import duration
from fresco_media.files.text import counted, sized

from fresco_cli.output import aligned
from fresco_cli.remedies import in_flags

_SHORT_ID = 8
_TITLE = 40


def job_as_json(job: Job) -> dict[str, Any]:
    """A job as plain values: states by their names, times in ISO 8601, fractions as 5/24."""
    return _plain(job)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def table(jobs: Sequence[Job], now: datetime | None = None) -> str:
    """One line for each job, ids as short as they can be told apart by."""
    now = now or datetime.now(timezone.utc)
    length = _id_length(jobs)
    rows = [("id", "state", "done", "left", "age", "title")]
    for job in jobs:
        left = "" if job.time_left_s is None else duration(job.time_left_s)
        age = "" if job.create_time is None else duration((now - job.create_time).total_seconds())
        rows.append((job.id[:length], job.state.value, progress(job), left, age, _title(job)))
    return aligned(rows)


def _id_length(jobs: Sequence[Job]) -> int:
    length = _SHORT_ID
    while len({job.id[:length] for job in jobs}) < len(jobs):
        length += 1
    return length


def _title(job: Job) -> str:
    return job.title if len(job.title) <= _TITLE else f"{job.title[: _TITLE - 1]}…"


def progress(job: Job) -> str:
    """How far a job is as a whole."""
    if job.state in (JobState.QUEUED, JobState.DONE) or not job.progress:
        return ""
    return f"{job.share:.0%}"


def facts(job: Job) -> str:
    """All that a person wants to know of a job."""
    settings, model = job.settings, job.model
    rows = [
        ("id", job.id),
        ("state", " ".join(filter(None, (job.state.value, progress(job))))),
        ("title", job.title),
        ("clip", (job.clip.path if job.clip else None) or "uploaded"),
        ("prompt", (settings.prompt if settings else None) or ""),
        ("model", (model.source if model else "") or "the bundled model"),
        ("output", (job.output.kind if job.output else None) or "h264"),
        ("made", "" if job.create_time is None else f"{job.create_time:%Y-%m-%d %H:%M:%S} UTC"),
        ("on disk", sized(job.disk_bytes)),
    ]
    if job.plan is not None:
        keyframes = f"{len(job.ready_keyframes)} of {len(job.plan.keyframes)}"
        frames = f"{job.ready_frames} of {job.plan.stop - job.plan.start}"
        rows += [("keyframes", f"{keyframes} ready"), ("frames", f"{frames} ready")]
    if job.jobs_ahead:
        rows.append(("waits for", counted(job.jobs_ahead, "job")))
    if job.time_left_s is not None:
        rows.append(("left", duration(job.time_left_s)))
    if job.parent_id:
        rows.append(("made from", job.parent_id))
    if job.result is not None:
        rows.append(("fetched", "yes" if job.result.is_fetched else "not yet"))
    if job.failure is not None:
        rows.append(("failed", in_flags(job.failure.message)))
    rows += [("warning", text) for text in job.warnings]
    return aligned(rows)
