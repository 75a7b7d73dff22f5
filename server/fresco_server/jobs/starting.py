"""Worker processes that do not start: tried again, ever more slowly, and the job is told."""

from __future__ import annotations

import time

from fresco_client.values import Failure
from fresco_settings import Remedy, said

from fresco_server.jobs.event_recorder import EventRecorder
from fresco_server.jobs.job import StoredJob
from fresco_server.jobs.store import JobStore

START_PATIENCE_S = 180.0
"""Importing torch from a cold disk takes its time."""
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 60.0
_TRIES = 3


class StartBackoff:
    """How the last starts of a device's worker went; `problem` is empty while all is well."""

    def __init__(self) -> None:
        self.problem = ""
        self.log_tail = ""
        self._failed = 0
        self._tries = 0
        self._next = 0.0

    @property
    def wait_s(self) -> float:
        """Seconds until the next one may be tried."""
        return max(0.0, self._next - time.monotonic())

    def succeeded(self) -> None:
        """A worker has started."""
        self.problem = self.log_tail = ""
        self._failed = self._tries = 0
        self._next = 0.0

    def failed(self, problem: str, log_tail: str) -> None:
        """One has not, because of `problem`."""
        self.problem, self.log_tail = problem, log_tail
        wait_s = min(_FIRST_WAIT_S * 2**self._failed, _LONGEST_WAIT_S)
        self._next = time.monotonic() + wait_s
        self._failed += 1
        self._tries += 1

    def is_job_lost(self) -> bool:
        """Whether the job that waits has waited for enough tries; the next one gets as many."""
        if self._tries < _TRIES:
            return False
        self._tries = 0
        return True

    @property
    def sentence(self) -> str:
        """What a user is told."""
        return (
            f"the process that is to work on it does not start ({self.problem}); "
            f"{said(Remedy.DIAGNOSE)}"
        )

    def fail(self, store: JobStore, job: StoredJob) -> None:
        """End a job that no worker can be started for; it can be resumed."""
        EventRecorder(store, job).fail(worker_lost(self.sentence, self.log_tail))


def worker_lost(message: str, log_tail: str) -> Failure:
    """Why a job failed that no worker could do; it can be resumed."""
    return Failure(reason="WORKER_LOST", message=message, log_tail=log_tail, can_resume=True)


def cause(code: int) -> str:
    """An exit code as a person reads it."""
    if code == -9:
        return "killed by the system, most likely for want of memory"
    return f"signal {-code}" if code < 0 else f"exit code {code}"
