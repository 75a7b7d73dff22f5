"""What a worker says of a job, written down as events; every artefact is told of once."""

from __future__ import annotations

import logging

from fresco_engine.types import Stage

from fresco_server.jobs.job import Failure, Job, JobState, Result, StageDone, Values
from fresco_server.jobs.rows import Change
from fresco_server.jobs.store import JobStore

_LOGGER = logging.getLogger(__name__)


class Narrator:
    """Tells the store what happens to one job while a worker is at it.

    A worker that goes on after a crash says again what was made before; the keys of the events
    let only what is new through.
    """

    def __init__(self, store: JobStore, job: Job) -> None:
        self._store = store
        self._job_id = job.id
        self._state = job.state

    def begin(self) -> None:
        """The job runs."""
        self._enter(JobState.ANALYSING)

    def tell(self, message: Values) -> bool:
        """Write down a message; whether it was the job's last."""
        say = message["say"]
        if say == "finished":
            self._finish(message)
        elif say == "failed":
            self.fail(
                message["reason"],
                message["message"],
                log_tail=message.get("log_tail", ""),
                can_resume=message["can_resume"],
            )
        else:
            getattr(self, f"_tell_{say}")(message)
        return say in ("finished", "failed")

    def fail(self, reason: str, text: str, *, log_tail: str, can_resume: bool) -> None:
        """The job has failed."""
        failure = Failure(reason=reason, message=text, log_tail=log_tail, can_resume=can_resume)
        _LOGGER.info("job %s: failed: %s", self._job_id, text)
        values = {
            "reason": reason,
            "message": text,
            "log_tail": log_tail,
            "can_resume": can_resume,
        }
        change = Change(state=JobState.FAILED, failure=failure, wanted="")
        self._store.tell(self._job_id, "failed", values, change)

    def _finish(self, message: Values) -> None:
        _LOGGER.info("job %s: done", self._job_id)
        values = {name: message[name] for name in ("file_name", "size_bytes", "sha256", "report")}
        change = Change(state=JobState.DONE, result=Result(**values), wanted="")
        self._store.tell(self._job_id, "finished", values, change)

    def _enter(self, state: JobState) -> None:
        if state is not self._state:
            self._state = state
            self._store.change_state(self._job_id, state)

    def _tell_state(self, message: Values) -> None:
        self._enter(JobState(message["state"]))

    def _tell_analysed(self, message: Values) -> None:
        plan = message["plan"]
        self._store.tell(self._job_id, "analysed", plan, Change(plan=plan), key="analysed")

    def _tell_progress(self, message: Values) -> None:
        stage = StageDone(
            stage=Stage(message["stage"]), done=message["done"], total=message["total"]
        )
        values = {name: message[name] for name in ("stage", "done", "total", "remaining_s")}
        change = Change(progress=stage, remaining_s=message["remaining_s"])
        self._store.tell(self._job_id, "progress", values, change)

    def _tell_keyframe(self, message: Values) -> None:
        index = message["index"]
        self._store.tell(
            self._job_id, "keyframe", {"index": index}, Change(), key=f"keyframe:{index}"
        )

    def _tell_frame(self, message: Values) -> None:
        values = {name: message[name] for name in ("index", "time", "is_keyframe")}
        self._store.tell(self._job_id, "frame", values, Change(), key=f"frame:{message['index']}")

    def _tell_warned(self, message: Values) -> None:
        text = message["message"]
        self._store.tell(
            self._job_id, "warned", {"message": text}, Change(warning=text), key=f"warned:{text}"
        )

    def _tell_restarted(self, message: Values) -> None:
        values = {"reason": message["reason"]}
        self._store.tell(self._job_id, "restarted", values, Change(is_restart=True))
