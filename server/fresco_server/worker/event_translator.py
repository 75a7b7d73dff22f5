"""What happens in the engine as events of a job, progress no more often than people look."""

from __future__ import annotations

import time
from collections.abc import Iterator

from fresco_client.events import (
    Analysed,
    Event,
    FrameReady,
    KeyframeReady,
    ProgressMade,
    Restarted,
    StateChanged,
    Warned,
)
from fresco_client.values import FrameRange, JobState, Plan, Stage, StageProgress
from fresco_engine import types as engine

_PROGRESS_INTERVAL_S = 0.5

Told = (
    engine.ClipAnalysed
    | engine.Progress
    | engine.KeyframeMade
    | engine.FrameMade
    | engine.RunWarned
    | engine.RunRestarted
)
"""All that a run tells before its end."""


def event_of(event: Told) -> Event:
    """The same as an event of the job, not yet numbered."""
    match event:
        case engine.ClipAnalysed():
            return Analysed(plan=plan_of(event))
        case engine.Progress():
            stage = Stage[event.stage.name]
            progress = StageProgress(stage=stage, done=event.done, total=event.total)
            return ProgressMade(progress=progress, remaining_s=event.remaining_s)
        case engine.KeyframeMade():
            return KeyframeReady(index=event.index)
        case engine.FrameMade(frame=frame, is_keyframe=is_keyframe):
            return FrameReady(index=frame.index, clip_time=frame.time_s, is_keyframe=is_keyframe)
        case engine.RunWarned():
            return Warned(message=event.message)
        case engine.RunRestarted():
            return Restarted(reason=event.reason)


class EventTranslator:
    """Follows the engine through one job and knows when it enters another stage."""

    def __init__(self) -> None:
        self._stage = engine.Stage.ANALYSING
        self._sent_at = dict.fromkeys(engine.Stage, float("-inf"))
        self._frames_left = 0

    def events(self, event: Told) -> Iterator[Event]:
        """What to tell of an event; the last event of a job is the job's own matter."""
        if not isinstance(event, engine.Progress) or self._is_due(event):
            yield event_of(event)
        stage = self._stage_after(event)
        if stage is not self._stage:
            self._stage = stage
            yield StateChanged(state=JobState[stage.name])

    def _is_due(self, event: engine.Progress) -> bool:
        now = time.monotonic()
        if event.done < event.total and now < self._sent_at[event.stage] + _PROGRESS_INTERVAL_S:
            return False
        self._sent_at[event.stage] = now
        return True

    def _stage_after(self, event: Told) -> engine.Stage:
        match event:
            case engine.ClipAnalysed():
                self._frames_left = event.stop - event.start
                return engine.Stage.TRANSLATING
            case engine.RunRestarted():
                return engine.Stage.ANALYSING
            case engine.FrameMade():
                self._frames_left -= 1
                return self._stage if self._frames_left else engine.Stage.ENCODING
            case engine.Progress(stage=engine.Stage.TRANSLATING, done=done, total=total):
                are_keyframes_made = done >= total and self._frames_left > 0
                return engine.Stage.INTERPOLATING if are_keyframes_made else self._stage
            case _:
                return self._stage


def plan_of(plan: engine.ClipAnalysed) -> Plan:
    """A plan as clients know it."""
    width, height = plan.working_size
    return Plan(
        start=plan.start,
        stop=plan.stop,
        shots=tuple(FrameRange(start=start, stop=stop) for start, stop in plan.shots),
        keyframes=plan.keyframes,
        working_width=width,
        working_height=height,
    )
