"""A job as the panel and the timeline show it, kept up to date by what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fresco_client import Event, Job, JobState, Plan, Restarted, job_after
from fresco_client.words import state_of, time_left

from .faults import PluginFault, fault_of_failure
from .request import RestyleRequest

Phase = Literal["rendering", "sending", "working", "fetching", "placed", "ended"]
"""What is being done about a job here: the strip is rendered, the request sent, the daemon at work,
the result fetched; the result is on the timeline, or there will be none."""
_PHASE_WORDS: dict[Phase, str] = {
    "rendering": "rendering the strip",
    "sending": "sending",
    "fetching": "fetching the result",
    "placed": "on the timeline",
}


@dataclass
class JobCard:
    """One job."""

    request: RestyleRequest
    phase: Phase = "sending"
    job: Job | None = None
    """As the daemon last described it, and what has happened to it since."""
    keyframe_files: dict[int, Path] = field(default_factory=dict[int, Path])
    result: Path | None = None
    result_frames: int = 0
    fault: PluginFault | None = None
    is_connected: bool = True
    last_sequence: int = 0
    """Of the last event whose pictures are here."""
    rendered_share: float = 0.0
    places: tuple[tuple[int, ...], ...] = ()
    """Where its strips lay when keyframes were put above them, and when that was last looked at."""
    places_seen: tuple[tuple[int, ...], ...] = ()
    is_withdrawn: bool = False
    """Whether its Restyle was undone: it waits until that is done again, or it is cancelled."""
    is_source_gone: bool = False
    """Whether the strip it is for was deleted meanwhile."""

    @property
    def job_id(self) -> str:
        """The job's name at the daemon."""
        return self.request.job_id

    @property
    def state(self) -> JobState | None:
        """The job's state at the daemon."""
        return self.job.state if self.job else None

    @property
    def plan(self) -> Plan | None:
        """What is going to be done, once that is known."""
        return self.job.plan if self.job else None

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self.phase not in {"placed", "ended"}

    @property
    def is_at_work(self) -> bool:
        """Whether the daemon has it and it has not ended."""
        return self.job is not None and not self.job.state.is_ended

    @property
    def can_pause(self) -> bool:
        """Whether it runs or waits at the daemon."""
        is_running = self.is_at_work and self.state is not JobState.PAUSED
        return self.phase == "working" and is_running and not self.is_withdrawn

    @property
    def can_resume(self) -> bool:
        """Whether it was stopped and can go on."""
        if self.is_withdrawn:
            return False  # Redo does it
        has_failed = self.fault is not None and self.fault.remedy == "RESUME"
        return self.state is JobState.PAUSED or has_failed

    @property
    def note(self) -> str:
        """What has become of its strip, where that changes what becomes of the result."""
        if not self.is_open:
            return ""
        if self.is_withdrawn:
            return "Restyle was undone, so this waits. Redo goes on with it; the cross ends it."
        if self.is_source_gone:
            return (
                "The strip was deleted. The work goes on: undo that, or place the result above "
                "another strip."
            )
        return ""

    @property
    def progress_text(self) -> str:
        """What happens just now, and how long it still takes."""
        if self.is_withdrawn:
            return "waiting"
        if self.phase in _PHASE_WORDS:
            return _PHASE_WORDS[self.phase]
        if not self.is_connected:
            return "reconnecting"
        if self.job is None:
            return "waiting for the daemon"
        return ", ".join(filter(None, (state_of(self.job), time_left(self.job))))

    @property
    def share(self) -> float:
        """How much of the whole is done, 0 to 1."""
        if self.phase == "rendering":
            return self.rendered_share
        if self.phase in {"fetching", "placed"}:
            return 1.0
        return self.job.share if self.job else 0.0

    def take(self, event: Event) -> None:
        """Note what happened."""
        if event.sequence <= self.last_sequence:
            return
        self.last_sequence = event.sequence
        if isinstance(event, Restarted):
            self.keyframe_files.clear()
        if self.job is not None:
            former, self.job = self.job, job_after(self.job, event)
            if self.job.state is not former.state:
                self._enter(self.job)

    def describe(self, job: Job) -> None:
        """Note what the daemon says of the whole job."""
        self.job = job
        self._enter(job)

    def _enter(self, job: Job) -> None:
        if self.phase == "sending":
            self.phase = "working"
        if job.state is JobState.CANCELLED:
            self.phase = "ended"
        elif job.state is JobState.DONE and self.phase == "working":
            self.phase = "fetching"
        elif job.state is JobState.FAILED and job.failure is not None:
            self.fault = fault_of_failure(job.failure)
        elif not job.state.is_ended:
            self.fault = None
