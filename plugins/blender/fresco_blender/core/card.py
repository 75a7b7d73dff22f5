"""A job as the panel and the timeline show it, kept up to date by what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fresco_client import (
    Analysed,
    Event,
    Failed,
    Finished,
    Job,
    JobState,
    KeyframeReady,
    Plan,
    ProgressMade,
    Restarted,
    Stage,
    StageProgress,
    StateChanged,
    Warned,
    share_done,
)

from .faults import Fault, fault_of_failure
from .order import Order

Phase = Literal["rendering", "sending", "working", "fetching", "placed", "ended"]
"""What is being done about a job here: the strip is rendered, the order sent, the daemon at work,
the result fetched; the result is on the timeline, or there will be none."""


@dataclass
class JobCard:
    """One job."""

    order: Order
    phase: Phase = "sending"
    state: JobState | None = None
    plan: Plan | None = None
    stages: dict[Stage, StageProgress] = field(default_factory=dict[Stage, StageProgress])
    remaining_s: float | None = None
    keyframe_files: dict[int, Path] = field(default_factory=dict[int, Path])
    result: Path | None = None
    result_frames: int = 0
    fault: Fault | None = None
    warnings: list[str] = field(default_factory=list[str])
    is_connected: bool = True
    last_sequence: int = 0
    rendered_share: float = 0.0

    @property
    def job_id(self) -> str:
        """The job's name at the daemon."""
        return self.order.job_id

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self.phase not in {"placed", "ended"}

    @property
    def can_pause(self) -> bool:
        """Whether it runs or waits at the daemon."""
        is_at_daemon = self.phase == "working" and self.state is not None
        return is_at_daemon and self.state is not JobState.PAUSED and not self._is_ended

    @property
    def can_resume(self) -> bool:
        """Whether it was stopped and can go on."""
        has_failed = self.fault is not None and self.fault.remedy == "RESUME"
        return self.state is JobState.PAUSED or has_failed

    @property
    def _is_ended(self) -> bool:
        return self.state is not None and self.state.is_ended

    @property
    def stage_text(self) -> str:
        """What happens just now, in words."""
        if self.phase == "rendering":
            return "rendering the strip"
        if self.phase == "sending":
            return "sending"
        if self.phase == "fetching":
            return "fetching the result"
        if self.phase == "placed":
            return "on the timeline"
        if not self.is_connected:
            return "reconnecting"
        if self.state is None:
            return "waiting for the daemon"
        if self.state is JobState.TRANSLATING and self.plan is not None:
            return f"keyframes {len(self.keyframe_files)}/{len(self.plan.keyframes)}"
        progress = self.stages.get(Stage.INTERPOLATING)
        if self.state is JobState.INTERPOLATING and progress is not None:
            return f"frames {progress.done:.0f}/{progress.total:.0f}"
        return self.state.value

    @property
    def share(self) -> float:
        """How much of the whole is done, 0 to 1."""
        if self.phase == "rendering":
            return self.rendered_share
        if self.phase in {"fetching", "placed"}:
            return 1.0
        return share_done(self.state, self.stages.values())

    def take(self, event: Event) -> None:
        """Note what happened."""
        if event.sequence <= self.last_sequence:
            return
        self.last_sequence = event.sequence
        if isinstance(event, StateChanged):
            self._enter(event.state)
        elif isinstance(event, Analysed):
            self.plan = event.plan
        elif isinstance(event, ProgressMade):
            self.stages[event.progress.stage] = event.progress
            self.remaining_s = event.remaining_s
        elif isinstance(event, KeyframeReady | Warned):
            if isinstance(event, Warned):
                self.warnings.append(event.message)
        elif isinstance(event, Restarted):
            self._begin_again(event.reason)
        elif isinstance(event, Finished):
            self._enter(JobState.DONE)
        elif isinstance(event, Failed):
            self._enter(JobState.FAILED)
            self.fault = fault_of_failure(event.failure)

    def describe(self, job: Job) -> None:
        """Note what the daemon says of the whole job."""
        self.plan = job.plan or self.plan
        self.stages.update({progress.stage: progress for progress in job.progress})
        self.remaining_s = job.remaining_s
        self._enter(job.state)
        if job.state is JobState.FAILED and job.failure is not None:
            self.fault = fault_of_failure(job.failure)

    def _enter(self, state: JobState) -> None:
        self.state = state
        if self.phase == "sending":
            self.phase = "working"
        if state is JobState.CANCELLED:
            self.phase = "ended"
        elif not state.is_ended:
            self.fault = None
        elif state is JobState.DONE and self.phase == "working":
            self.phase = "fetching"

    def _begin_again(self, reason: str) -> None:
        self.warnings.append(reason)
        self.stages.clear()
        self.keyframe_files.clear()


def time_left(seconds: float | None) -> str:
    """A time in words: "1:05 h", "3:20 min", "12 s"; empty while it is not known."""
    if seconds is None:
        return ""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
