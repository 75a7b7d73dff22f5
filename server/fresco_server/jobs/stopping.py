"""What becomes of jobs that no device works on, or works on no longer."""

from __future__ import annotations

from fresco_client.values import JobState

from fresco_server.jobs.job import StoredJob
from fresco_server.jobs.store import JobStore


def stop_waiting(store: JobStore, job_id: str) -> None:
    """Cancel or pause a job that waits, if that is wanted of it.

    One that runs stays as it is: only whoever works on it knows when it has stopped.
    """

    def stop() -> None:
        job = store.get(job_id) if store.has(job_id) else None
        if job is not None and not job.state.is_running:
            apply_wanted(store, job)

    store.database.transact(stop)


def apply_wanted(store: JobStore, job: StoredJob) -> None:
    """Cancel or pause a job that no device works on, if that is wanted of it."""
    if job.wanted == "cancel" and not job.state.is_ended:
        store.change_state(job.id, JobState.CANCELLED)
    elif job.wanted == "pause" and not job.state.is_ended:
        store.change_state(job.id, JobState.PAUSED)


def release(store: JobStore, job_id: str, reason: str) -> None:
    """A job that ran and runs no longer stops if that was wanted, or else waits as the first."""

    def leave() -> None:
        job = store.get(job_id) if store.has(job_id) else None
        # One that has ended, or was paused, meanwhile is not to come back.
        if job is None or not job.state.is_running:
            return
        if job.wanted:
            apply_wanted(store, job)
        else:
            store.requeue(job_id, reason, is_first=True)

    store.database.transact(leave)
