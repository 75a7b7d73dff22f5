"""What happens in the engine as events of a job, progress no more often than people look."""

from __future__ import annotations

import time
from collections.abc import Iterator

from fresco_engine import types as engine
from fresco_engine.types import Stage

from fresco_server.jobs.job import (
    Analysed,
    Event,
    FrameRange,
    FrameReady,
    JobState,
    KeyframeReady,
    Plan,
    ProgressMade,
    Restarted,
    StageDone,
    StateChanged,
    Warned,
)

_PROGRESS_INTERVAL_S = 0.5


class Narration:
    """Follows the engine through one job and knows when it enters another stage."""

    def __init__(self) -> None:
        self._stage = Stage.ANALYSING
        self._told_at = dict.fromkeys(Stage, float("-inf"))
        self._frames_left = 0

    def events(self, event: engine.Event) -> Iterator[Event]:
        """What to tell of an event; the last event of a job is the job's own matter."""
        match event:
            case engine.Analysed():
                self._frames_left = event.stop - event.start
                yield Analysed(plan=_plan(event))
                yield from self._enter(Stage.TRANSLATING)
            case engine.Progress():
                yield from self._progress(event)
            case engine.KeyframeReady():
                yield KeyframeReady(index=event.index)
            case engine.FrameReady(frame=frame):
                yield FrameReady(
                    index=frame.index, time=frame.time_s, is_keyframe=event.is_keyframe
                )
                self._frames_left -= 1
                if self._frames_left == 0:
                    yield from self._enter(Stage.ENCODING)
            case engine.Warned():
                yield Warned(message=event.message)
            case engine.Restarted():
                yield Restarted(reason=event.reason)
                yield from self._enter(Stage.ANALYSING)
            case engine.Finished():
                pass

    def _progress(self, event: engine.Progress) -> Iterator[Event]:
        is_complete = event.done >= event.total
        now = time.monotonic()
        if is_complete or now >= self._told_at[event.stage] + _PROGRESS_INTERVAL_S:
            self._told_at[event.stage] = now
            progress = StageDone(stage=event.stage, done=event.done, total=event.total)
            yield ProgressMade(progress=progress, remaining_s=event.remaining_s)
        if is_complete and event.stage is Stage.TRANSLATING and self._frames_left > 0:
            yield from self._enter(Stage.INTERPOLATING)

    def _enter(self, stage: Stage) -> Iterator[Event]:
        if stage is not self._stage:
            self._stage = stage
            yield StateChanged(state=JobState[stage.name])


def _plan(plan: engine.Analysed) -> Plan:
    return Plan(
        start=plan.start,
        stop=plan.stop,
        shots=tuple(FrameRange(*shot) for shot in plan.shots),
        keyframes=plan.keyframes,
        working_size=plan.working_size,
    )
