"""What happens to a job while a worker is at it, written down."""

from __future__ import annotations

import logging

from fresco_client.events import Event, Failed, Finished, StateChanged
from fresco_client.values import Failure, JobState

from fresco_server.jobs.job import StoredJob
from fresco_server.jobs.store import JobStore

_LOGGER = logging.getLogger(__name__)


class EventRecorder:
    """Writes down the events of one job.

    A worker that goes on after a crash says again what was made before; the store lets only what
    is new through.
    """

    def __init__(self, store: JobStore, job: StoredJob) -> None:
        self._store = store
        self._job_id = job.id
        self._state = job.state

    def begin(self) -> bool:
        """The job runs; False where it does not wait any more, as another device has taken it."""
        has_begun = self._store.begin(self._job_id)
        if has_begun:
            self._state = JobState.ANALYSING
        return has_begun

    def record(self, event: Event) -> bool:
        """Write down an event; whether it was the job's last."""
        match event:
            case StateChanged(state=state):
                if state is self._state:
                    return False
                self._state = state
            case Finished():
                _LOGGER.info("job %s: done", self._job_id)
            case Failed(failure=failure):
                _LOGGER.info("job %s: failed: %s", self._job_id, failure.message)
            case _:
                pass
        self._store.append_event(self._job_id, event)
        return isinstance(event, Finished | Failed)

    def fail(self, failure: Failure) -> None:
        """The job has failed."""
        self.record(Failed(failure=failure))
