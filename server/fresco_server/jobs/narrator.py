"""What happens to a job while a worker is at it, written down."""

from __future__ import annotations

import logging

from fresco_server.jobs.job import Event, Failed, Failure, Finished, Job, JobState, StateChanged
from fresco_server.jobs.store import JobStore

_LOGGER = logging.getLogger(__name__)


class Narrator:
    """Writes down the events of one job.

    A worker that goes on after a crash says again what was made before; the store lets only what
    is new through.
    """

    def __init__(self, store: JobStore, job: Job) -> None:
        self._store = store
        self._job_id = job.id
        self._state = job.state

    def begin(self) -> None:
        """The job runs."""
        self.tell(StateChanged(state=JobState.ANALYSING))

    def tell(self, event: Event) -> bool:
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
        self._store.tell(self._job_id, event)
        return isinstance(event, Finished | Failed)

    def fail(self, failure: Failure) -> None:
        """The job has failed."""
        self.tell(Failed(failure=failure))
