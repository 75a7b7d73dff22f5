"""What becomes of jobs that no device works on, or works on no longer."""

from __future__ import annotations

from fresco_client.values import JobState

from fresco_server.jobs.job import StoredJob
from fresco_server.jobs.store import JobStore


def apply_wanted(store: JobStore, job: StoredJob) -> None:
    """Cancel or pause a job that no device works on, if that is wanted of it."""
    if job.wanted == "cancel" and not job.state.is_ended:
        store.change_state(job.id, JobState.CANCELLED)
    elif job.wanted == "pause" and not job.state.is_ended:
        store.change_state(job.id, JobState.PAUSED)


def release(store: JobStore, job_id: str, reason: str) -> None:
    """A job that ran and runs no longer stops if that was wanted, or else waits as the first."""
    if not store.has(job_id):
        return
    job = store.get(job_id)
    if job.wanted:
        apply_wanted(store, job)
    else:
        store.requeue(job_id, reason, is_first=True)
